import { z } from 'zod'
import { findModel, makeModel, modelRecord } from './make-model.js'
import type { Model, StageContext, StageOf } from './stage-context.js'
import { oneKind } from './stage-kind.js'

const modelFolders = () => import('../../model/model-folder.js')

const averageConfig = z
  .strictObject({
    from: z.string().describe('a model folder or the name of a stage that makes a model'),
    to: z.string().describe('a model that was trained from it, a folder or the name of its stage'),
    weight: z.number().min(0).max(1).describe('share of `to` in the mean, 0 to 1'),
  })
  .describe('makes the model whose parameters are the means of those of two')

/** Makes the model whose parameters are the means of those of two. */
export const average = oneKind({
  name: 'average',
  schema: averageConfig,
  optional: false,
  makes: 'one',
  record: ({ name }) => modelRecord(name),
  resource: 'cpu',
  notHashed: [],
  modelKeys: ['from', 'to'],
  offersModel: 'model',
  looks: ({ with: { from, to } }, { outputs }) =>
    Object.entries({ from, to })
      .filter(([, name]) => !outputs.get(name)?.model)
      .map(([key, name]) => ({
        key,
        atWork: true,
        look: async () => {
          const { localOwnModel, readModelConfig } = await modelFolders()
          return readModelConfig(await localOwnModel(name))
        },
      })),
  async find(stage, configHash, context) {
    const { from, to } = await modelsOf(stage, context)
    return findModel(stage, { configHash, inputs: { from: from.hash, to: to.hash } }, context)
  },
  async run(stage, configHash, context) {
    const { weight } = stage.with
    const { from, to } = await modelsOf(stage, context)
    const task = { configHash, inputs: { from: from.hash, to: to.hash } }
    return makeModel<{ readonly weight: number }>(stage, task, context, async (folder) => {
      const { averageModels } = await import('../../model/average-models.js')
      await averageModels({ name: stage.name, folder, from: from.folder, to: to.folder, weight })
      const { hashModel } = await modelFolders()
      for (const { folder: source, hash } of [from, to])
        if ((await hashModel(source)) !== hash)
          throw new Error(
            `${source} was replaced by another model while "${stage.name}" was made: run it again.`,
          )
      return { weight }
    })
  },
})

const modelsOf = async (
  { with: { from, to } }: StageOf<z.infer<typeof averageConfig>>,
  context: StageContext,
) => ({
  from: await modelNamed(from, context),
  to: await modelNamed(to, context),
})

async function modelNamed(name: string, { outputs }: StageContext): Promise<Pick<Model, 'folder' | 'hash'>> {
  const made = outputs.get(name)?.model
  if (made) return made
  const { hashModel, localOwnModel } = await modelFolders()
  const folder = await localOwnModel(name)
  return { folder, hash: await hashModel(folder) }
}
