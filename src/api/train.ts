/**
 * Training a network on groundings.
 *
 * @example
 * ```ts
 * import { openDataset } from 'groundmill/dataset'
 * import { trainConfig, trainModel } from 'groundmill/train'
 *
 * const { name, storage, shards } = await openDataset('runs/quickstart/gold')
 * const { last } = await trainModel({
 *   name: 'student',
 *   folder: 'runs/student',
 *   config: trainConfig.parse({ steps: 2, batch: 4 }),
 *   sources: [{ name, storage, shards, grounding: name, phrases: name }],
 *   texts: [],
 *   onProgress: ({ step, loss }, steps) => console.log(`${step} of ${steps}: ${loss.toFixed(3)}`),
 * })
 * console.log(last.loss)
 * ```
 *
 * @module groundmill/train
 */
export { type TrainConfig, trainConfig } from '../train/config.js'
export type { StepLosses, StepMetrics } from '../train/metrics-log.js'
export type { SampleSource } from '../train/samples/sample.js'
export { trainModel } from '../train/train-model.js'
export type { TrainResult, TrainStart, TrainTask, Validation } from '../train/train-task.js'
