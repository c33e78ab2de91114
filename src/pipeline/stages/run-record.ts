import { canonicalJson } from '../../base/hash.js'
import type { Storage } from '../../storage/storage.js'

/** What a task that makes no shard leaves: a model trained, a set evaluated, a promotion decided. */
export interface RunRecord<T> {
  readonly stage: string
  readonly configHash: string
  readonly inputs: Readonly<Record<string, string>>
  readonly result: T
  readonly seconds: number
  readonly createdAt: string
}

/**
 * Does the work unless the record `name` was made of the same, and writes the record when it is done.
 *
 * @param storage undefined where no record is kept: the work is done
 */
export async function runOnce<T>(
  storage: Storage | undefined,
  name: string,
  task: Pick<RunRecord<T>, 'stage' | 'configHash' | 'inputs'>,
  work: () => Promise<T>,
): Promise<{ readonly record: RunRecord<T>; readonly skipped: boolean }> {
  const before = storage && (await readRunRecord<T>(storage, name))
  if (
    before &&
    before.configHash === task.configHash &&
    canonicalJson(before.inputs) === canonicalJson(task.inputs)
  ) {
    return { record: before, skipped: true }
  }
  const start = performance.now()
  const result = await work()
  const seconds = Math.round(performance.now() - start) / 1000
  const record = { ...task, result, seconds, createdAt: new Date().toISOString() }
  await storage?.write(name, `${JSON.stringify(record, null, 1)}\n`)
  return { record, skipped: false }
}

export async function readRunRecord<T>(storage: Storage, name: string): Promise<RunRecord<T> | undefined> {
  const bytes = await storage.read(name)
  if (!bytes) return undefined
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as RunRecord<T>
  } catch {
    // A record that cannot be read is none: its task runs again.
    return undefined
  }
}
