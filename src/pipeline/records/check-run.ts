import { rm } from 'node:fs/promises'
import { jsonProblem } from '../../base/parse-json.js'
import { checkUnfinished } from '../../catalog/check-unfinished.js'
import type { Finding } from '../../catalog/finding.js'
import { hashObject } from '../../storage/hash-object.js'
import { acquireLock, LockedError } from '../../storage/lock.js'
import { openObject } from '../../storage/open-storage.js'
import type { Storage } from '../../storage/storage.js'
import { modelLock } from './model-store.js'
import { parseRunRecord, type RunRecord } from './run-record.js'

export interface RunCheckOptions {
  /** Whether files are held against their hash too. */
  readonly deep: boolean
  readonly mend: boolean
  readonly signal?: AbortSignal
  readonly onFinding: (finding: Finding) => void
  readonly onProgress?: (done: number, total: number) => void
}

/** What a run has besides its datasets. */
export interface RunCheck {
  /** Records of models, evaluations, audits and rounds. */
  readonly records: number
  readonly models: number
}

/** Folders of a run in which records lie. */
const folders = ['models', 'evaluations', 'audits', 'rounds'] as const
const reports = ['report.json', 'rounds.json']

/**
 * Holds the records of a run's models, evaluations, audits and rounds against the files that they name, and says
 * what else lies beside them; its datasets have their own check.
 */
export async function checkRun(run: Storage, options: RunCheckOptions): Promise<RunCheck> {
  const { mend, onFinding } = options
  const names = new Set<string>()
  const unfinished = async (folder: string, where: 'inside' | 'below') => {
    for await (const file of run.listFiles(folder, where)) {
      const finding = await checkUnfinished(run, file, mend)
      if (finding) onFinding(finding)
      else names.add(file.name)
    }
  }
  await unfinished('.', 'inside')
  await unfinished('exports', 'inside')
  for (const folder of folders) await unfinished(folder, 'below')
  for (const name of reports) if (names.has(name)) await checkReport(run, name, onFinding)
  const records = [...names].filter(isRecord).sort()
  const named = new Set<string>()
  for (const [index, name] of records.entries()) {
    options.signal?.throwIfAborted()
    for (const file of await checkRecord(run, name, names, options)) named.add(file)
    options.onProgress?.(index + 1, records.length)
  }
  await checkOutcomes(run, names, named, options)
  const models = await checkModels(run, names, options)
  return { records: records.length, models }
}

const isRecord = (name: string) =>
  /^models\/[^/]+\/record\.json$/.test(name)
    ? !isUnfinished(name.split('/')[1] as string)
    : /^(evaluations|audits|rounds)\/[^/]+\.json$/.test(name) && !name.endsWith('.outcomes.json')

const isUnfinished = (model: string) => model.endsWith('.partial') || model.endsWith('.replaced')

async function checkReport(run: Storage, name: string, onFinding: (finding: Finding) => void) {
  const text = Buffer.from((await run.read(name)) ?? []).toString('utf8')
  try {
    const value = JSON.parse(text) as unknown
    if (typeof value !== 'object' || value === null)
      onFinding({ kind: 'wrong', name, what: 'an object was expected' })
  } catch (error) {
    onFinding({ kind: 'wrong', name, what: `it is not JSON: ${jsonProblem(text, error)}` })
  }
}

/** Checks a record and its files, whose names it gives. */
async function checkRecord(
  run: Storage,
  name: string,
  names: ReadonlySet<string>,
  { deep, mend, signal, onFinding }: RunCheckOptions,
): Promise<readonly string[]> {
  const stored = await run.readVersioned(name)
  if (!stored) return []
  const record = parse(stored.bytes)
  const findings: Finding[] = []
  if (typeof record === 'string') findings.push({ kind: 'wrong', name, what: record })
  const files = Object.entries((typeof record === 'object' && record.files) || {})
  for (const [file, hash] of files) {
    const finding = await checkFile(run, file, hash, names, deep, signal)
    if (finding) findings.push(finding)
  }
  // Where it was made anew meanwhile, its files are not those that were looked at.
  const isNow = findings.length > 0 && (await run.readVersioned(name))?.version === stored.version
  if (isNow) {
    const isGone = mend && (await removeRecord(run, name, stored.version))
    const mended = isGone ? { mended: 'record removed: the next run makes it anew' } : {}
    for (const finding of findings) onFinding({ ...finding, ...mended })
  }
  return files.map(([file]) => file)
}

async function checkFile(
  run: Storage,
  name: string,
  hash: string,
  names: ReadonlySet<string>,
  deep: boolean,
  signal: AbortSignal | undefined,
): Promise<Finding | undefined> {
  if (!names.has(name) && !(await run.exists(name)))
    return { kind: 'missing', name, what: 'its record names it' }
  if (!deep) return undefined
  const object = await openObject(run.path(name))
  try {
    const now = await hashObject(object, signal)
    if (now === hash) return undefined
    return { kind: 'wrong', name, what: `its SHA-256 is ${now}, its record says ${hash}` }
  } finally {
    await object.close()
  }
}

/** Removes a record under the lock under which it is made. */
async function removeRecord(run: Storage, name: string, version: string): Promise<boolean> {
  const [, model] = /^(models\/[^/]+)\/record\.json$/.exec(name) ?? []
  const lock = model === undefined ? name.replace(/\.json$/, '.lock') : modelLock(model)
  const isGone = await underLock(run, lock, async () => {
    if ((await run.readVersioned(name))?.version !== version) return false
    await run.remove(name)
    return true
  })
  return isGone ?? false
}

/** Works under a lock; undefined where another process has it. */
async function underLock<T>(run: Storage, name: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    const lock = await acquireLock(run, name, { what: 'checking', wait: false })
    return await work().finally(lock.release)
  } catch (error) {
    if (error instanceof LockedError) return undefined
    throw error
  }
}

/** Answers of evaluations that no record names. */
async function checkOutcomes(
  run: Storage,
  names: ReadonlySet<string>,
  named: ReadonlySet<string>,
  { mend, onFinding }: RunCheckOptions,
) {
  for (const name of [...names].filter((one) => /^evaluations\/.*\.outcomes\.json$/.test(one)).sort()) {
    if (named.has(name)) continue
    const record = name.replace(/\.outcomes\.json$/, '.json')
    const remove = async () => {
      const now = parse(await run.read(record))
      if (typeof now === 'object' && now.files?.[name] !== undefined) return false
      await run.remove(name)
      return true
    }
    const isGone = mend && (await underLock(run, record.replace(/json$/, 'lock'), remove))
    onFinding({
      kind: 'left over',
      name,
      what: 'no record names it',
      ...(isGone && { mended: 'removed' }),
    })
  }
}

/** Says of models' folders what they are where they are no finished models; how many are. */
async function checkModels(
  run: Storage,
  names: ReadonlySet<string>,
  { mend, onFinding }: RunCheckOptions,
): Promise<number> {
  const models = new Set<string>()
  for (const name of names) {
    const [, model] = /^models\/([^/]+)\//.exec(name) ?? []
    if (model !== undefined) models.add(model)
  }
  let made = 0
  for (const model of [...models].sort()) {
    const name = `models/${model}/`
    if (model.endsWith('.partial')) {
      onFinding({
        kind: 'busy',
        name,
        what: 'a training that goes on, or was stopped and goes on when it is run again',
      })
    } else if (model.endsWith('.replaced')) {
      const isGone = mend && (await removeReplaced(run, model))
      const what = 'an earlier model, which a newer one has replaced'
      onFinding({ kind: 'left over', name, what, ...(isGone && { mended: 'removed' }) })
    } else if (names.has(`${name}record.json`)) made++
    else onFinding({ kind: 'foreign', name, what: 'no record says that a stage has made it' })
  }
  return made
}

/** Removes what a program that was killed has left between two renames, where the newer model is there. */
async function removeReplaced(run: Storage, model: string): Promise<boolean> {
  const now = `models/${model.slice(0, -'.replaced'.length)}`
  const isGone = await underLock(run, modelLock(now), async () => {
    if (!run.isLocal || !(await run.exists(now))) return false
    await rm(run.path(`models/${model}`), { recursive: true, force: true })
    return true
  })
  return isGone ?? false
}

/** What a record says, or why it is none. */
const parse = (bytes: Uint8Array | undefined): RunRecord<unknown> | string =>
  bytes ? parseRunRecord<unknown>(bytes) : 'it is not there any more'
