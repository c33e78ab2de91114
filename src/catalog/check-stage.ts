import { orderedMap } from '../base/ordered-map.js'
import { familyFolder, recordPath, shardObject } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import { besideOf, mendPointers, shardLock } from '../shards/commit-shard.js'
import type { ShardPlace } from '../shards/shard-place.js'
import { isDeadLock, parseOwner } from '../storage/lock.js'
import type { Storage, StoredFile } from '../storage/storage.js'
import { type CheckOptions, checkRecord } from './check-shard.js'
import { ageText, checkUnfinished } from './check-unfinished.js'
import { type Finding, foreign } from './finding.js'
import { mendUnreadable } from './mend-shard.js'
import { isNamedByAny, removeLeftOver, removeShard, shardRemoved, unlessLocked } from './remove-shard.js'

/** Records that are looked at at once; where their files are read, fewer. */
const recordsAtOnce = 16
const filesAtOnce = 2
/** A writer to a bucket puts its files before it takes the lock: what is younger may be about to be named. */
const aboutToBeNamed = 600_000

export interface DatasetCheckOptions extends CheckOptions {
  readonly onFinding: (finding: Finding) => void
  /** Records that were looked at, of all of a stage. */
  readonly onProgress?: (stage: string, done: number, total: number) => void
}

/** What a stage has in its folders. */
interface Listed {
  /** Of the files of shards, by their names. */
  readonly files: Map<string, StoredFile>
  readonly records: { readonly family: Family; readonly shard: string }[]
}

/** Shards of a family, and the family whose record is theirs. */
type Mains = Map<Family, Map<string, Family>>

/**
 * Checks all that one stage has made.
 *
 * @param known shards of the dataset; undefined where nobody knows
 */
export async function checkStage(
  storage: Storage,
  stage: string,
  families: readonly Family[],
  known: ReadonlySet<string> | undefined,
  options: DatasetCheckOptions,
): Promise<{ readonly records: number; readonly bytes: number }> {
  const { files, records } = await listStage(storage, stage, families, known, options)
  const [expected, found]: [Mains, Mains] = [new Map(), new Map()]
  const unreadable: { family: Family; shard: string; what: string; version: string; isOfNewer: boolean }[] =
    []
  let [made, bytes, done] = [0, 0, 0]
  const check = async ({ family, shard }: { readonly family: Family; readonly shard: string }) => {
    options.signal?.throwIfAborted()
    const isKnown = known?.has(shard) ?? true
    const sizeOf = (path: string) => files.get(path)?.size
    return {
      family,
      shard,
      ...(await checkRecord({ storage, family, stage, shard }, sizeOf, isKnown, options)),
    }
  }
  for await (const one of orderedMap(records, options.deep ? filesAtOnce : recordsAtOnce, check)) {
    for (const finding of one.findings) options.onFinding(finding)
    if (one.unreadable) unreadable.push({ ...one, ...one.unreadable })
    if (one.pointer) setMain(found, one.family, one.shard, one.pointer.main)
    if (one.record) {
      made++
      bytes += one.bytes
      for (const { path } of Object.values(one.record.files)) files.delete(path)
      for (const beside of besideOf(one.record)) setMain(expected, beside, one.shard, one.family)
    }
    options.onProgress?.(stage, ++done, records.length)
  }
  const place = (shard: string) => ({ storage, stage, shard })
  for (const { family, shard, what, version, isOfNewer } of unreadable) {
    const name = recordPath(family, stage, shard)
    const finding: Finding = { kind: 'wrong', name, what }
    // What should point to another family's record is written anew below.
    const isPointer = expected.get(family)?.has(shard) ?? false
    const mayMend = options.mend && !isOfNewer && !isPointer
    if (mayMend && family === 'images') {
      const work = { ...place(shard), ...(options.signal && { signal: options.signal }) }
      const { record, mended } = await mendUnreadable(work, version)
      if (record) {
        made++
        for (const { path, bytes: size } of Object.values(record.files)) {
          files.delete(path)
          bytes += size
        }
      }
      options.onFinding({ ...finding, ...(mended !== undefined && { mended }) })
      continue
    }
    const isGone = mayMend && (await unlessLocked(() => removeShard(place(shard), family, version), false))
    if (!isPointer)
      options.onFinding({
        ...finding,
        ...(isGone && { mended: shardRemoved }),
      })
  }
  await checkPointers(storage, stage, { expected, found }, options)
  await checkLeftOver(storage, stage, families, files, options)
  return { records: made, bytes }
}

/** Lists a stage's folders; what is no record and no file of a shard is told of. */
async function listStage(
  storage: Storage,
  stage: string,
  families: readonly Family[],
  known: ReadonlySet<string> | undefined,
  { mend, onFinding }: DatasetCheckOptions,
): Promise<Listed> {
  const files = new Map<string, StoredFile>()
  const records: Listed['records'] = []
  for (const family of families) {
    const folder = familyFolder(family, stage)
    for await (const file of storage.listFiles(folder)) {
      const isInside = !file.name.slice(folder.length + 1).includes('/')
      const { shard, kind } = (isInside && isOfShard(file.name, known) && shardObject(file.name)) || {}
      if (shard === undefined)
        onFinding((await checkUnfinished(storage, file, mend, known)) ?? foreign(file.name))
      else if (kind === 'file') files.set(file.name, file)
      else records.push({ family, shard })
    }
  }
  const order = (family: Family) => families.indexOf(family)
  records.sort((a, b) => order(a.family) - order(b.family) || (a.shard < b.shard ? -1 : 1))
  return { files, records }
}

/** Whether a name is one that tasks give. What somebody else has called otherwise is nobody's to remove. */
function isOfShard(name: string, known: ReadonlySet<string> | undefined): boolean {
  const [, file = ''] = /([^/]+)\.(?:json|parquet)$/.exec(name) ?? []
  return /^\d{5,}(-[0-9a-f]{16})?$/.test(file) || (known?.has(file.replace(/-[0-9a-f]{16}$/, '')) ?? false)
}

function setMain(mains: Mains, family: Family, shard: string, main: Family) {
  const shards = mains.get(family) ?? new Map<string, Family>()
  mains.set(family, shards)
  shards.set(shard, main)
}

/** Holds what points to records against the records. */
async function checkPointers(
  storage: Storage,
  stage: string,
  { expected, found }: { readonly expected: Mains; readonly found: Mains },
  { mend, onFinding }: DatasetCheckOptions,
) {
  for (const [family, shards] of expected)
    for (const [shard, main] of shards) {
      if (found.get(family)?.get(shard) === main) continue
      const what = `shard ${shard} of ${family} is not found without it: it says that its record is in ${main}`
      const isMended =
        mend && (await unlessLocked(() => mendPointers({ storage, stage, shard }, main), false))
      const name = recordPath(family, stage, shard)
      onFinding({ kind: 'missing', name, what, ...(isMended && { mended: 'written anew' }) })
    }
  for (const [family, shards] of found)
    for (const [shard, main] of shards) {
      const name = recordPath(family, stage, shard)
      const place = { storage, stage, shard }
      if (expected.get(family)?.has(shard) || (await isNamedByAny(place, name))) continue
      // It went with the record, which was broken.
      if (!(await storage.exists(name))) continue
      const what = `it points to a record of ${main} that is not there, or does not name it`
      const gone = mend ? await unlessLocked(() => removeLeftOver(place, [main], [name]), []) : []
      onFinding({ kind: 'left over', name, what, ...(gone.length > 0 && { mended: 'removed' }) })
    }
}

/** Tells of files that no record names. */
async function checkLeftOver(
  storage: Storage,
  stage: string,
  families: readonly Family[],
  files: ReadonlyMap<string, StoredFile>,
  { mend, onFinding }: DatasetCheckOptions,
) {
  for (const [name, { size, modified }] of files) {
    const place = { storage, stage, shard: shardObject(name)?.shard ?? '' }
    // It may be gone, or named, since it was listed.
    if (!(await storage.exists(name)) || (await isNamedByAny(place, name))) continue
    const age = Date.now() - modified
    const what = `no record names it (${size} bytes, ${ageText(age)} old)`
    if (!storage.isLocal && age < aboutToBeNamed) {
      onFinding({ kind: 'busy', name, what: `${what}: a writer may be about to` })
      continue
    }
    // A stage has one main family; which it is nobody can tell where no record is left.
    const mains = families.filter((family) => family !== 'rejects')
    if (!mend && (await isBeingCommitted(place, mains))) {
      onFinding({ kind: 'busy', name, what: `${what}: a writer is about to` })
      continue
    }
    const gone = mend ? await unlessLocked(() => removeLeftOver(place, mains, [name]), []) : []
    onFinding({ kind: 'left over', name, what, ...(gone.length > 0 && { mended: 'removed' }) })
  }
}

/** Whether a process that lives has the lock of a shard. */
async function isBeingCommitted(
  { storage, stage, shard }: ShardPlace,
  mains: readonly Family[],
): Promise<boolean> {
  for (const main of mains) {
    const name = shardLock(main, stage, shard)
    const bytes = await storage.read(name)
    if (bytes && !(await isDeadLock(storage, name, parseOwner(bytes)))) return true
  }
  return false
}
