import { z } from 'zod'
import { averageModels } from '../../model/average-models.js'
import { hashModel } from '../../model/model-folder.js'
import { modelStore } from './model-store.js'
import { runOnce } from './run-record.js'
import { type Model, runOf, type StageContext } from './stage-context.js'
import { stageKind } from './stage-kind.js'

const averageConfig = z.strictObject({
  from: z.string().describe('a model folder or the name of a stage that makes a model'),
  to: z.string().describe('a model that was trained from it, a folder or the name of its stage'),
  weight: z.number().min(0).max(1).describe('share of `to` in the mean, 0 to 1'),
})

/** Makes the model whose parameters are the means of those of two. */
export const average = stageKind({
  name: 'average',
  schema: averageConfig,
  optional: false,
  makes: 'one',
  notHashed: [],
  modelKeys: ['from', 'to'],
  async run(stage, configHash, context) {
    const { weight } = stage.with
    const from = await modelNamed(stage.with.from, context)
    const to = await modelNamed(stage.with.to, context)
    const run = runOf(context)
    const place = `${context.models}${stage.name}`
    const store = modelStore(run, place)
    const { folder } = store
    await store.pull()
    const recordName = `${place}/record.json`
    // A folder that has lost a file is no model, whatever its record says.
    if ((await hashModel(folder).catch(() => undefined)) === undefined) await run.remove(recordName)
    const task = { stage: stage.name, configHash, inputs: { from: from.hash, to: to.hash } }
    const { skipped, record } = await runOnce<{ readonly weight: number }>(
      run,
      recordName,
      task,
      async () => {
        await averageModels({ name: stage.name, folder, from: from.folder, to: to.folder, weight })
        await store.push()
        return { weight }
      },
    )
    if (!skipped) await store.settle()
    context.count(skipped)
    const hash = await hashModel(folder)
    return { offers: { model: { folder, name: stage.name, hash }, missing: [] }, result: record.result }
  },
})

async function modelNamed(name: string, { outputs }: StageContext): Promise<Pick<Model, 'folder' | 'hash'>> {
  return outputs.get(name)?.model ?? { folder: name, hash: await hashModel(name) }
}
