import { basename, dirname } from 'node:path/posix'
import { z } from 'zod'
import { canonicalJson, hashBytes } from '../../base/hash.js'
import { jsonProblem } from '../../base/parse-json.js'
import { firstIssue, inWords } from '../../base/schema-words.js'
import { acquireLock, removeDeadLock } from '../../storage/lock.js'
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
  /**
   * Its place among the records beside it, a count on from those that were there (as `stageOrder`). Absent of models,
   * and where an older version wrote it.
   */
  readonly order?: number
  /** When it was made, by the clock of its machine: for people, and no order. */
  readonly createdAt: string
}

/** What work that leaves a record is given. */
export interface Leaving {
  /** Aborted where another process has taken the record's lock over: nothing must be written any more. */
  readonly lost: AbortSignal
  /** Writes a file of the run, whole; its hash goes into the record. */
  leave(name: string, bytes: Uint8Array | string): Promise<void>
  /** Has the record name files of the run that the work has put there itself, with their SHA-256. */
  note(files: Readonly<Record<string, string>>): void
}

export interface RunOnceOptions<T> {
  /** What the work must leave besides the record, if anything. */
  readonly file?: string
  /** Whether what a record speaks of is there; by default whether `file` is, where one is named. */
  readonly isThere?: (record: RunRecord<T>) => Promise<boolean>
  /** Whether what a record has for its result is one: what is damaged there is made again. */
  readonly isResult?: (result: unknown) => boolean
  /**
   * The task's inputs as they are by now, asked when the work is done: what another process has changed
   * meanwhile it may have read in both states.
   */
  readonly inputsNow?: () => Promise<Readonly<Record<string, string>>>
  /** Name of the lock; `record.lock` beside `record.json` by default. */
  readonly lock?: string
}

/**
 * Does the work unless the record `name` was made of the same and its file is still there, and writes the
 * record when it is done. It is done under a lock: of two processes that want the same at once, the second is
 * refused.
 *
 * @param storage undefined where no record is kept: the work is done, and leaves nothing
 * @throws LockedError where another process makes it, and an Error where that took the lock over
 */
export async function runOnce<T>(
  storage: Storage | undefined,
  name: string,
  task: Pick<RunRecord<T>, 'stage' | 'configHash' | 'inputs'>,
  work: (leaving: Leaving) => Promise<T>,
  options: RunOnceOptions<T> = {},
): Promise<{ readonly record: RunRecord<T>; readonly skipped: boolean }> {
  if (!storage) return { record: (await made(undefined, name, task, work, options)).record, skipped: false }
  const before = await findRunRecord<T>(storage, name, task, options)
  const lockName = options.lock ?? name.replace(/\.json$/, '.lock')
  if (before) {
    // Who was killed when all was made has left its locks.
    if (await removeDeadLock(storage, lockName)) await storage.sweep(dirname(name))
    return { record: before, skipped: true }
  }
  const lock = await acquireLock(storage, lockName, { what: `making "${task.stage}"`, wait: false })
  try {
    const old = await storage.readVersioned(name)
    // Another process may have made it before the lock was free.
    const found = await findRunRecord<T>(storage, name, task, options)
    if (found) return { record: found, skipped: true }
    const { record, text } = await made({ storage, lost: lock.signal }, name, task, work, options)
    if (options.inputsNow && canonicalJson(await options.inputsNow()) !== canonicalJson(task.inputs))
      throw new Error(`What "${task.stage}" is made of was changed by another process meanwhile: run again.`)
    lock.signal.throwIfAborted()
    const now = await storage.readVersioned(name)
    const isOld = now === undefined || now.version === old?.version
    if (!isOld || !(await storage.swap(name, text, now?.version)))
      throw new Error(`${storage.path(name)} was written by another process while "${task.stage}" was made.`)
    return { record, skipped: false }
  } finally {
    await lock.release()
  }
}

/** Does the work, and gives its record. */
async function made<T>(
  place: { readonly storage: Storage; readonly lost: AbortSignal } | undefined,
  name: string,
  task: Pick<RunRecord<T>, 'stage' | 'configHash' | 'inputs'>,
  work: (leaving: Leaving) => Promise<T>,
  { file }: RunOnceOptions<T>,
): Promise<{ readonly record: RunRecord<T>; readonly text: string }> {
  const start = performance.now()
  const files: Record<string, string> = {}
  const lost = place?.lost ?? new AbortController().signal
  const result = await work({
    lost,
    async leave(left, bytes) {
      lost.throwIfAborted()
      await place?.storage.write(left, bytes)
      files[left] = hashBytes(bytes)
    },
    note: (others) => void Object.assign(files, others),
  })
  if (file !== undefined && files[file] === undefined) throw new Error(`${name} was left without ${file}`)
  const seconds = Math.round(performance.now() - start) / 1000
  const left = Object.keys(files).length === 0 ? {} : { files }
  const order = place &&
    basename(name) !== 'record.json' && { order: await orderOf(place.storage, name, task) }
  const record = { ...task, ...left, result, seconds, ...order, createdAt: new Date().toISOString() }
  return { record, text: `${JSON.stringify(record, null, 1)}\n` }
}

/** The place of a record among those in its folder: its own where it was made of the same configuration. */
async function orderOf(
  storage: Storage,
  name: string,
  { configHash }: Pick<RunRecord<unknown>, 'configHash'>,
): Promise<number> {
  let last = 0
  for (const other of await storage.list(dirname(name))) {
    if (!other.endsWith('.json') || other.endsWith('.outcomes.json')) continue
    const record = await readRunRecord(storage, other)
    const order = record?.order ?? 0
    if (other !== name) last = Math.max(last, order)
    else if (record?.configHash === configHash && order > 0) return order
  }
  return last + 1
}

/** The record of what was made of the same, and whose file is there; undefined where there is none. */
export async function findRunRecord<T>(
  storage: Storage,
  name: string,
  task: Pick<RunRecord<T>, 'configHash' | 'inputs'>,
  { file, isThere, isResult }: Pick<RunOnceOptions<T>, 'file' | 'isThere' | 'isResult'> = {},
): Promise<RunRecord<T> | undefined> {
  const record = await readRunRecord<T>(storage, name)
  const isSame =
    record?.configHash === task.configHash && canonicalJson(record.inputs) === canonicalJson(task.inputs)
  if (!record || !isSame || isResult?.(record.result) === false) return undefined
  const isWhole = isThere
    ? await isThere(record)
    : file === undefined || (await hasFile(storage, record, file))
  return isWhole ? record : undefined
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
  const record = bytes && parseRunRecord<T>(bytes)
  // A record that cannot be read is none: its task runs again.
  return typeof record === 'object' ? record : undefined
}

/** Whether names are of files below the run's folder: keys of a bucket may have dots that lead elsewhere. */
const areInside = (files: Readonly<Record<string, string>>): boolean =>
  Object.keys(files).every(
    (name) => !/[\\\0]/.test(name) && name.split('/').every((part) => !['', '.', '..'].includes(part)),
  )

const recordSchema = z.object({
  stage: z.string(),
  configHash: z.string(),
  inputs: z.record(z.string(), z.string()),
  files: z.record(z.string(), z.string()).refine(areInside, 'expected names of files in the run').optional(),
  result: z.record(z.string(), z.unknown()),
  seconds: z.number(),
  order: z.number().int().nonnegative().optional(),
  createdAt: z.string(),
})

/** The record that bytes are, or in words why they are none. What `result` holds is for its readers to check. */
export function parseRunRecord<T>(bytes: Uint8Array): RunRecord<T> | string {
  const text = Buffer.from(bytes).toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return `it is not JSON: ${jsonProblem(text, error)}`
  }
  const { error } = recordSchema.safeParse(value, inWords)
  return error ? `it is no record: ${firstIssue(error)}` : (value as RunRecord<T>)
}
