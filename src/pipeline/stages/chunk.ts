import { chunkShard } from '../../nlp/chunk-shard.js'
import { chunkConfig } from '../../nlp/config.js'
import { eachShard } from './each-shard.js'
import { hashOfFile } from './hash-inputs.js'
import { needed } from './stage-context.js'
import { stageKind } from './stage-kind.js'

/** Finds the noun phrases of a dataset's captions. */
export const chunk = stageKind({
  name: 'chunk',
  schema: chunkConfig,
  optional: true,
  makes: 'shards',
  notHashed: [],
  async run(stage, configHash, context) {
    const source = needed(stage, context, ['dataset'], 'a dataset')
    const { dataset, selection } = source
    const { sums, missing } = await eachShard(stage, configHash, context, source, async (shard, storage) => ({
      inputs: {
        images: await hashOfFile(storage, 'images', null, shard),
        ...(selection && { selection: await hashOfFile(storage, 'selection', selection, shard) }),
      },
      work: (task) => chunkShard(task, stage.with, selection),
    }))
    return { offers: { dataset, selection, phrases: stage.name, missing }, result: sums }
  },
})
