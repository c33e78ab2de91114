import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Task, TaskResult } from '../../src/pipeline/tasks/task.js'

/** Hashes of the pipelines of a fake run. */
export const pipelines = ['a'.repeat(64), 'b'.repeat(64)] as const

/** A task for each name, `stage/shard`. */
export const tasksOf = (run: string, names: readonly string[], pipeline = pipelines[0]): Task[] =>
  names.map((name) => {
    const [stage = '', shard = ''] = name.split('/')
    return { v: 2, run, pipeline, session: 'first', stage, shard }
  })

/** What a fake task has given: one row of one. */
export const fakeResult = (more: Partial<TaskResult> = {}): TaskResult => ({
  ...{ skipped: false, in: 1, out: 1, rejected: {}, relabelled: {}, counts: {}, failed: [], warnings: [] },
  ...more,
})

const fileOf = ({ run, stage, shard }: Task) => join(run, stage, `${shard}.json`)

/** What a task has given by its file. */
export async function findFileResult(task: Task): Promise<TaskResult | undefined> {
  return existsSync(fileOf(task)) ? fakeResult({ skipped: true }) : undefined
}

/** The pipeline that a task's file was made by. */
export const madeBy = (task: Task): string => JSON.parse(readFileSync(fileOf(task), 'utf8'))
