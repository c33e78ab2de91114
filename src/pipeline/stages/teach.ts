import { teachConfig, teachNotHashed } from '../../teacher/config.js'
import { teachShard } from '../../teacher/teach-shard.js'
import { eachShard } from './each-shard.js'
import { hashOfFile } from './hash-inputs.js'
import { lazyTeacher } from './lazy-teacher.js'
import { modelOf, needed } from './stage-context.js'
import { stageKind } from './stage-kind.js'

/** Asks a model for the boxes of a dataset's phrases. */
export const teach = stageKind({
  name: 'teach',
  schema: teachConfig,
  optional: true,
  makes: 'shards',
  notHashed: [...teachNotHashed, 'model'],
  async run(stage, configHash, context) {
    const source = needed(stage, context, ['phrases', 'dataset'], 'phrases')
    const { dataset, selection, phrases } = source
    const model = await modelOf(stage, context)
    const teacher = lazyTeacher(model, { ...stage.with, notice: context.notice })
    try {
      const { sums, missing } = await eachShard(
        stage,
        configHash,
        context,
        source,
        async (shard, storage) => ({
          inputs: {
            images: await hashOfFile(storage, 'images', null, shard),
            phrases: await hashOfFile(storage, 'phrases', phrases, shard),
            model: model.hash,
            teacher: model.name,
          },
          work: (task) => teachShard(task, { ...stage.with, phrases }, teacher.open),
        }),
      )
      return { offers: { dataset, selection, phrases, proposals: stage.name, missing }, result: sums }
    } finally {
      await teacher.close()
    }
  },
})
