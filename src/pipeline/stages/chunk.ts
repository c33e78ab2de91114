import { chunkConfig } from '../../nlp/config.js'
import { datasetShards } from './dataset-shards.js'
import { hashOfFile } from './hash-inputs.js'
import { needed, type StageContext, type StageOf } from './stage-context.js'
import { shardsKind, typically } from './stage-kind.js'

/** Finds the noun phrases of a dataset's captions. */
export const chunk = shardsKind({
  name: 'chunk',
  schema: chunkConfig,
  optional: true,
  makes: 'shards',
  family: 'phrases',
  resource: 'cpu',
  notHashed: [],
  edge: () => 'shard',
  estimate: typically(500),
  async offers(stage, context) {
    const { dataset, selection, missing } = sourceOf(stage, context)
    return { dataset, selection, phrases: stage.name, missing }
  },
  async open(stage, configHash, context) {
    const { dataset, selection } = sourceOf(stage, context)
    const { storage } = dataset
    return datasetShards(stage, configHash, dataset, async (shard) => ({
      inputs: {
        images: await hashOfFile(storage, 'images', null, shard),
        ...(selection && { selection: await hashOfFile(storage, 'selection', selection, shard) }),
      },
      work: async (task) =>
        (await import('../../nlp/chunk-shard.js')).chunkShard(task, stage.with, selection),
    }))
  },
})

const sourceOf = (stage: StageOf, context: StageContext) => needed(stage, context, ['dataset'], 'a dataset')
