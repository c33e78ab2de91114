import { explainError } from '../base/explain-error.js'
import { UserError } from '../base/user-error.js'
import { recordPath } from '../rows/family-path.js'
import {
  type CommitRecord,
  isOf,
  isPointer,
  ofAnother,
  parseStored,
  parseUnsummed,
  type RecordPointer,
  recordVersion,
} from '../shards/commit.js'
import type { VersionedRecord } from '../shards/commit-shard.js'
import { isOlder, moveShard } from '../shards/move-shard.js'
import type { ShardFile } from '../shards/write-shard.js'
import { hashObject } from '../storage/hash-object.js'
import { openObject } from '../storage/open-storage.js'
import { checkOwnFile } from '../storage/own-file.js'
import type { Storage, Version } from '../storage/storage.js'
import type { Finding } from './finding.js'
import { keepPictures, mendFiles, picturesKept, type RecordPlace, removed } from './mend-shard.js'
import { unlessLocked } from './remove-shard.js'

export interface CheckOptions {
  /** Whether files are held against their hash too, and not against their size alone. */
  readonly deep: boolean
  /** Whether what is wrong or left over is mended. */
  readonly mend: boolean
  readonly signal?: AbortSignal
}

/** What a record came to. */
export interface CheckedRecord {
  readonly findings: readonly Finding[]
  /** The record, where it is one of a main family that stands; what it names is not left over. */
  readonly record?: CommitRecord
  /** What stands for a record in a family beside. */
  readonly pointer?: RecordPointer
  /** Why it is no record, and whether a newer version wrote it: then it is right. */
  readonly unreadable?: { readonly what: string; readonly version: Version; readonly isOfNewer: boolean }
  /** Bytes of its files. */
  readonly bytes: number
}

const none: CheckedRecord = { findings: [], bytes: 0 }

/**
 * Holds a record of a shard against its files.
 *
 * @param listed bytes of a file as it was listed; undefined where it was not, or has to be asked for
 * @param isKnown whether the dataset has such a shard
 */
export async function checkRecord(
  place: RecordPlace,
  listed: (path: string) => number | undefined,
  isKnown: boolean,
  options: CheckOptions,
): Promise<CheckedRecord> {
  const { storage, family, stage, shard } = place
  const name = recordPath(family, stage, shard)
  const stored = await storage.readVersioned(name)
  if (!stored) return none
  const content = parseContent(storage, name, stored.bytes)
  if (typeof content === 'string') {
    const damaged = options.mend && isKnown && family === 'images' && unsummed(storage, name, stored.bytes)
    if (damaged && damaged.stage === stage && (await keepPictures(place, { ...stored, record: damaged }))) {
      // Its files are looked at by their hashes: what the record says of them may be what is damaged.
      const now = await checkRecord(place, () => undefined, true, { ...options, deep: true })
      return {
        ...now,
        findings: [{ kind: 'wrong', name, what: content, mended: picturesKept }, ...now.findings],
      }
    }
    const unreadable = { what: content, version: stored.version, isOfNewer: isOfNewer(stored.bytes) }
    return { findings: [], unreadable, bytes: 0 }
  }
  if (isPointer(content) && !isOf(content, name)) {
    const unreadable = { what: ofAnother(content), version: stored.version, isOfNewer: false }
    return { findings: [], unreadable, bytes: 0 }
  }
  if (isPointer(content)) return { findings: [], pointer: content, bytes: 0 }
  const record: CommitRecord = content
  if (!isOf(record, name) || record.stage !== stage) {
    const finding: Finding = { kind: 'wrong', name, what: ofAnother(record) }
    // Images of two stages in one folder: which are right nobody can tell here.
    const isMended = options.mend && !isOf(record, name)
    return { findings: [isMended ? await removed(place, stored.version, finding) : finding], bytes: 0 }
  }
  if (!isKnown) {
    const what = `dataset.json has no shard ${shard}`
    const out = family === 'images' ? record.out : await picturesOf(storage, shard)
    if (out > 0) {
      // Crawled, and gone when somebody says so, not because a list of shards does not have it.
      const advice = 'run its ingest stage again, which lists the shard, or with --drop takes it away'
      const kept = `${what}, which has ${out} picture${out === 1 ? '' : 's'}: ${advice}`
      return { findings: [{ kind: 'left over', name, what: kept }], record, bytes: 0 }
    }
    const finding: Finding = { kind: 'left over', name, what }
    if (!options.mend) return { findings: [finding], record, bytes: 0 }
    return { findings: [await removed(place, stored.version, finding)], bytes: 0 }
  }
  return checkFiles(place, { record, version: stored.version }, listed, options)
}

async function checkFiles(
  place: RecordPlace,
  made: VersionedRecord,
  listed: (path: string) => number | undefined,
  options: CheckOptions,
): Promise<CheckedRecord> {
  const { storage, family, stage, shard } = place
  const { record } = made
  const name = recordPath(family, stage, shard)
  const findings: Finding[] = []
  let bytes = 0
  for (const file of Object.values(record.files)) {
    const finding = await checkFile(storage, file, listed(file.path), options)
    bytes += file.bytes
    if (!finding) continue
    // Where it was replaced after it was listed, the new one is looked at.
    const now = await storage.readVersioned(name)
    if (now?.version !== made.version) return checkRecord(place, () => undefined, true, options)
    findings.push(finding)
  }
  if (findings.length > 0) {
    if (!options.mend) return { findings, record, bytes }
    return { bytes: 0, ...(await mendFiles(place, made, findings, options.signal)) }
  }
  if (!isOlder(record)) return { findings, record, bytes }
  const what = 'its files are named as older versions named them'
  if (!options.mend) return { findings: [{ kind: 'older', name, what }], record, bytes }
  try {
    const isMoved = await unlessLocked(() => moveShard(storage, made, options.signal), false)
    const now = await storage.readVersioned(name)
    const finding: Finding = {
      kind: 'older',
      name,
      what,
      ...(isMoved && { mended: 'named by their contents' }),
    }
    const moved = now && (parseStored(now.bytes, storage.path(name)) as CommitRecord)
    return { findings: [finding], ...(moved && { record: moved }), bytes }
  } catch (error) {
    options.signal?.throwIfAborted()
    return { findings: [{ kind: 'wrong', name, what: explainError(error).message }], record, bytes }
  }
}

/** How many pictures a shard has; none where its record cannot be read. */
async function picturesOf(storage: Storage, shard: string): Promise<number> {
  const name = recordPath('images', null, shard)
  const stored = await storage.read(name)
  const images = stored ? parseContent(storage, name, stored) : ''
  return typeof images === 'string' || isPointer(images) ? 0 : (images as CommitRecord).out
}

/** A record of which no more is wrong than its checksum. */
function unsummed(storage: Storage, name: string, bytes: Uint8Array): CommitRecord | undefined {
  try {
    const stored = parseUnsummed(bytes, storage.path(name))
    return isPointer(stored) || !isOf(stored, name) ? undefined : stored
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}

/** What is to be said of a file that a record names. */
async function checkFile(
  storage: Storage,
  { path, bytes, sha256 }: ShardFile,
  listed: number | undefined,
  { deep, signal }: CheckOptions,
): Promise<Finding | undefined> {
  if (listed === bytes && !deep) return undefined
  const stray = await checkOwnFile(storage, path).catch(explainError)
  if (stray) return { kind: 'wrong', name: path, what: stray.message }
  const object = await openObject(storage.path(path)).catch((error: unknown) => {
    if (error instanceof UserError) return undefined
    throw error
  })
  if (!object) return { kind: 'missing', name: path, what: `its record names it, with ${bytes} bytes` }
  try {
    const { size } = object
    if (size !== bytes)
      return { kind: 'wrong', name: path, what: `it has ${size} bytes, its record says ${bytes}` }
    const hash = deep ? await hashObject(object, signal) : sha256
    if (hash === sha256) return undefined
    return { kind: 'wrong', name: path, what: `its SHA-256 is ${hash}, its record says ${sha256}` }
  } finally {
    await object.close()
  }
}

/** What an object says, or why it is no record. */
function parseContent(
  storage: Storage,
  name: string,
  bytes: Uint8Array,
): CommitRecord | RecordPointer | string {
  try {
    return parseStored(bytes, storage.path(name))
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return error.message.replace(`${storage.path(name)} `, '')
  }
}

/** Whether a newer version wrote it: then it is right, and nothing of it is to be removed. */
function isOfNewer(bytes: Uint8Array): boolean {
  try {
    const version = (JSON.parse(Buffer.from(bytes).toString('utf8')) as { version?: unknown } | null)?.version
    return typeof version === 'number' && version > recordVersion
  } catch {
    return false
  }
}
