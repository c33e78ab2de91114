import { memoize } from '../../base/memoize.js'
import type { OpenOptions } from '../../teacher/open-teacher.js'
import type { Teacher } from '../../teacher/teacher.js'
import { openModel } from './open-model.js'
import type { Model } from './stage-context.js'

/** A teacher that is opened when the first shard asks for it: a run that finds all done never loads the model. */
export interface LazyTeacher {
  open(): Promise<Teacher>
  /** Closes it where it was opened. */
  close(): Promise<void>
}

/** The teacher of a stage, under the name of its model. */
export function lazyTeacher(model: Model, options: OpenOptions): LazyTeacher {
  let teacher: Teacher | undefined
  const open = memoize(async () => {
    teacher = await openModel(model, { ...options, name: model.name })
    return teacher
  })
  return { open, close: async () => teacher?.close() }
}
