import type { Engine, SubmitOptions } from '../../src/pipeline/engines/engine.js'
import type { Resource } from '../../src/pipeline/stages/resource.js'
import type { Task, TaskResult } from '../../src/pipeline/tasks/task.js'

/** A task as an engine was given it. */
export interface Submitted {
  /** `stage/shard`, or the stage alone. */
  readonly name: string
  readonly task: Task
  readonly resource: Resource
  readonly options: SubmitOptions
}

/** An engine that makes nothing: it notes down what it is given, and a test answers. */
export interface HandEngine extends Engine {
  readonly submitted: Submitted[]
  /** Names of what was submitted, in its order. */
  readonly names: readonly string[]
}

export const resultWith = (changes: Partial<TaskResult> = {}): TaskResult => ({
  ...{ skipped: false, in: 1, out: 1, rejected: {}, relabelled: {}, counts: {}, failed: [], warnings: [] },
  ...changes,
})

/** @param answer what becomes of a task, made by default; an error is why it was not done */
export function handEngine(
  window: number,
  answer: (submitted: Submitted) => Promise<Partial<TaskResult> | undefined> = async () => ({}),
): HandEngine {
  const submitted: Submitted[] = []
  return {
    window,
    // Models that its tasks name need not be there.
    isElsewhere: true,
    submitted,
    get names() {
      return submitted.map(({ name }) => name)
    },
    async submit(task, resource, options) {
      const { stage, shard } = task
      const name = shard === undefined ? stage : `${stage}/${shard}`
      const given = { name, task, resource, options }
      submitted.push(given)
      return resultWith(await answer(given))
    },
    close: async () => {},
  }
}
