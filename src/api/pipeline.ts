/**
 * Pipelines: what `groundmill run` does, with the same words.
 *
 * @example
 * ```ts
 * import { parsePipeline, runPipeline } from 'groundmill'
 *
 * const gold = 'runs/quickstart/world/gold'
 * const pipeline = await parsePipeline({
 *   name: 'shards',
 *   stages: [
 *     {
 *       name: 'gold',
 *       uses: 'ingest',
 *       with: { format: 'coco', images: `${gold}/images`, instances: `${gold}/annotations.json` },
 *     },
 *     { name: 'phrases', uses: 'chunk', needs: ['gold'] },
 *   ],
 * })
 * const { failed } = await runPipeline(pipeline, 'runs/shards', {
 *   onProgress: ({ name }, done, total) => console.log(`${name}: ${done} of ${total}`),
 * })
 * console.log(`${failed} shards failed`)
 * ```
 *
 * @module groundmill
 */
export { UserError } from '../base/user-error.js'
export type { AcquireOptions, HostLease, HostLimiter } from '../ingest/fetch/host-limiter.js'
export type { Engine, SubmitOptions } from '../pipeline/engines/engine.js'
export { processes } from '../pipeline/engines/processes.js'
export { parsePipeline, type ReadOptions, readPipeline } from '../pipeline/read-pipeline.js'
export type { RunOptions, RunResult, StoppedStage } from '../pipeline/run-options.js'
export { runPipeline } from '../pipeline/run-pipeline.js'
export {
  type Pipeline,
  pipelineSchema,
  type RoundsConfig,
  type Stage,
} from '../pipeline/stages/pipeline-config.js'
export type { Resource } from '../pipeline/stages/resource.js'
export type { StageOf } from '../pipeline/stages/stage-context.js'
export type { Slice, StageEvents, StageOptions, StageOutcome, TaskEnd } from '../pipeline/tasks/run-stage.js'
export type { ShardSums } from '../pipeline/tasks/shard-sums.js'
export type { Task, TaskEvents, TaskOptions, TaskResult } from '../pipeline/tasks/task.js'
export type { TrainStart } from '../train/train-task.js'
