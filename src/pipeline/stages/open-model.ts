import { stat } from 'node:fs/promises'
import { type OpenOptions, openTeacher } from '../../teacher/open-teacher.js'
import type { Teacher } from '../../teacher/teacher.js'
import type { Model } from './stage-context.js'

/**
 * Opens a stage's model, and makes sure that it is the one whose hash the stage's records name.
 *
 * @throws Error where another process has put another model in its place meanwhile
 */
export async function openModel({ folder, hash }: Model, options: OpenOptions): Promise<Teacher> {
  const before = await stat(folder)
  const teacher = await openTeacher(folder, options)
  // A model is put in place as a whole folder.
  const after = await stat(folder).catch(() => undefined)
  if (teacher.hash === hash && after?.ino === before.ino) return teacher
  await teacher.close()
  throw new Error(`${folder} holds another model than when this stage began: run the stage again.`)
}
