import type { ShardTask } from '../../shards/shard-task.js'
import { teachConfig, teachNotHashed } from '../../teacher/config.js'
import { modelFacts } from '../../teacher/model-facts.js'
import { tellOfChangedModel } from './changed-model.js'
import { datasetShards } from './dataset-shards.js'
import { foundBoxes } from './found-boxes.js'
import { hashOfFile } from './hash-inputs.js'
import { lazyTeacher } from './lazy-teacher.js'
import { looksAtModel } from './open-model.js'
import { modelOf, needed, type StageContext, type StageOf } from './stage-context.js'
import { shardsKind } from './stage-kind.js'

/** Asks a model for the boxes of a dataset's phrases. */
export const teach = shardsKind({
  name: 'teach',
  schema: teachConfig,
  optional: true,
  makes: 'shards',
  family: 'proposals',
  resource: 'gpu',
  notHashed: [...teachNotHashed, 'model'],
  edge: () => 'shard',
  looks: looksAtModel,
  // A detector with labels proposes each box for every phrase.
  async estimate(stage, { outputs }, { pictures }) {
    const { model } = stage.with
    const isFolder = model !== undefined && !outputs.get(model)?.model
    const facts = isFolder ? await modelFacts(model).catch(() => undefined) : undefined
    return { bytes: pictures * (facts && facts.labels !== null ? 10_000 : 1000), from: 'typical' }
  },
  async offers(stage, context) {
    const { dataset, selection, phrases, missing } = sourceOf(stage, context)
    return { dataset, selection, phrases, proposals: stage.name, missing }
  },
  async open(stage, configHash, context) {
    const { dataset, phrases } = sourceOf(stage, context)
    const { storage } = dataset
    const model = await modelOf(stage, context)
    await tellOfChangedModel(stage, 'proposals', dataset, model, context)
    const teacher = lazyTeacher(model, { ...stage.with, notice: context.notice })
    const found = foundBoxes()
    const prepare = async (shard: string) => ({
      inputs: {
        images: await hashOfFile(storage, 'images', null, shard),
        phrases: await hashOfFile(storage, 'phrases', phrases, shard),
        model: model.hash,
        teacher: model.name,
      },
      work: async (task: ShardTask) => {
        const { teachShard } = await import('../../teacher/teach-shard.js')
        return found.add(await teachShard(task, { ...stage.with, phrases }, teacher.open))
      },
    })
    return datasetShards(stage, configHash, dataset, prepare, async () => {
      if (found.isNothing()) context.warn(found.warning(stage.name, model.name))
      await teacher.close()
    })
  },
})

const sourceOf = (stage: StageOf, context: StageContext) =>
  needed(stage, context, ['phrases', 'dataset'], 'phrases')
