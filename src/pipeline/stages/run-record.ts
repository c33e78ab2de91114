import { canonicalJson, hashBytes } from '../../base/hash.js'
import type { Storage } from '../../storage/storage.js'

/** What a task that makes no shard leaves: a model trained, a set evaluated, a promotion decided. */
export interface RunRecord<T> {
  readonly stage: string
  readonly configHash: string
  readonly inputs: Readonly<Record<string, string>>
  /** SHA-256 of the files that it left beside its record, by their names in the run. */
  readonly files?: Readonly<Record<string, string>>
  readonly result: T
  readonly seconds: number
  readonly createdAt: string
}

/** Leaves a file of the run, whole; its hash goes into the record. */
export type Leave = (bytes: Uint8Array | string) => Promise<void>

/**
 * Does the work unless the record `name` was made of the same and its file is still there, and writes the
 * record when it is done.
 *
 * @param storage undefined where no record is kept: the work is done, and leaves nothing
 * @param file what the work must leave besides the record, if anything
 */
export async function runOnce<T>(
  storage: Storage | undefined,
  name: string,
  task: Pick<RunRecord<T>, 'stage' | 'configHash' | 'inputs'>,
  work: (leave: Leave) => Promise<T>,
  file?: string,
): Promise<{ readonly record: RunRecord<T>; readonly skipped: boolean }> {
  const before = storage && (await findRunRecord<T>(storage, name, task, file))
  if (before) return { record: before, skipped: true }
  const start = performance.now()
  const files: Record<string, string> = {}
  const result = await work(async (bytes) => {
    if (file === undefined) throw new Error(`${name} was not said to have a file beside it`)
    await storage?.write(file, bytes)
    files[file] = hashBytes(bytes)
  })
  if (file !== undefined && files[file] === undefined) throw new Error(`${name} was left without ${file}`)
  const seconds = Math.round(performance.now() - start) / 1000
  const left = file === undefined ? {} : { files }
  const record = { ...task, ...left, result, seconds, createdAt: new Date().toISOString() }
  await storage?.write(name, `${JSON.stringify(record, null, 1)}\n`)
  return { record, skipped: false }
}

/** The record of what was made of the same, and whose file is there; undefined where there is none. */
export async function findRunRecord<T>(
  storage: Storage,
  name: string,
  task: Pick<RunRecord<T>, 'configHash' | 'inputs'>,
  file?: string,
): Promise<RunRecord<T> | undefined> {
  const record = await readRunRecord<T>(storage, name)
  const isSame =
    record?.configHash === task.configHash && canonicalJson(record.inputs) === canonicalJson(task.inputs)
  if (!record || !isSame) return undefined
  return file === undefined || (await hasFile(storage, record, file)) ? record : undefined
}

async function hasFile(
  storage: Storage,
  { files }: Pick<RunRecord<unknown>, 'files'>,
  file: string,
): Promise<boolean> {
  const hash = files?.[file]
  const bytes = hash === undefined ? undefined : await storage.read(file)
  return bytes !== undefined && hashBytes(bytes) === hash
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
