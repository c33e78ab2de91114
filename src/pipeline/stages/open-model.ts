import { stat } from 'node:fs/promises'
import { isHub } from '../../hub/hub-address.js'
import type { OpenOptions } from '../../teacher/open-teacher.js'
import type { Teacher } from '../../teacher/teacher.js'
import { type Model, needed, type StageContext, type StageOf } from './stage-context.js'
import type { Look } from './stage-kind.js'

const teachers = () => import('../../teacher/open-teacher.js')

/**
 * Looks at the model that a stage will open: its folder, its device. One that a stage makes is promised.
 *
 * @throws UserError where it names none and needs no stage that makes one
 */
export function looksAtModel(
  stage: StageOf<OpenOptions & { readonly model?: string }>,
  context: StageContext,
): readonly Look[] {
  const { model } = stage.with
  if (!model) needed(stage, context, ['model'], 'a model')
  const isPromised = !model || context.outputs.get(model)?.model !== undefined
  return [
    ...(isPromised
      ? []
      : [
          {
            key: 'model',
            atWork: true,
            look: async () => (await teachers()).checkTeacherFolder(model, stage.with),
          },
        ]),
    { key: 'device', atWork: true, look: async () => (await teachers()).requireDevices(stage.with) },
  ]
}

/**
 * Opens a stage's model, and makes sure that it is the one whose hash the stage's records name.
 *
 * @throws Error where another process has put another model in its place meanwhile
 */
export async function openModel({ folder, name, hash }: Model, options: OpenOptions): Promise<Teacher> {
  const { openTeacher } = await teachers()
  // A commit of the Hub is never another one.
  const inode = async () => (isHub(folder) ? undefined : (await stat(folder)).ino)
  const before = await inode()
  const teacher = await openTeacher(folder, { name, ...options })
  // A model is put in place as a whole folder.
  const after = await inode().catch(() => 0)
  if (teacher.hash === hash && after === before) return teacher
  await teacher.close()
  throw new Error(`${folder} holds another model than when this stage began: run the stage again.`)
}
