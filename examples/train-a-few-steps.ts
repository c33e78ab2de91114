/**
 * Trains a small network on a dataset with gold boxes for a few steps:
 *
 *     npx tsx examples/train-a-few-steps.ts runs/quickstart/gold runs/few-steps
 *
 * The arguments are the dataset and a folder for the model. A thousand steps make one that finds something.
 */
import { openDataset } from 'groundmill/dataset'
import { trainConfig, trainModel } from 'groundmill/train'

const [dataset = 'runs/quickstart/gold', folder = 'runs/few-steps'] = process.argv.slice(2)

const { storage, shards, name } = await openDataset(dataset)
const { last } = await trainModel({
  name: 'few-steps',
  folder,
  config: trainConfig.parse({ preset: 'toy', steps: 10, batch: 8, warmup: 2 }),
  // Phrases and boxes of gold are under the dataset's own name.
  sources: [{ name, storage, shards, grounding: name, phrases: name }],
  texts: [],
  onProgress: ({ step, loss }, steps) => console.log(`step ${step} of ${steps}: loss ${loss.toFixed(3)}`),
})
console.log(`${folder}: loss ${last.loss.toFixed(3)} after ${last.step} steps`)
