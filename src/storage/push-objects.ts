import { createHash, randomUUID } from 'node:crypto'
import { mapLimited } from '../base/map-limited.js'
import { nameList } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { contentsOf, type PushContent, type PushParts, type PushSide, partsOf } from './push-content.js'
import { locationBelow, parseS3, type S3Location } from './s3-client.js'
import { headOf, put, putFile } from './s3-objects.js'
import { openS3Storage } from './s3-storage.js'
import type { Storage, StoredFile, Version } from './storage.js'

/** What a push says of itself, beside the objects that it has put. */
export const pushRecordName = '.groundmill-push.json'
/** Puts that are under way at once. */
const concurrency = 8
/** Between two looks at whether another push has begun, in milliseconds. */
const lookEvery = 2000
const hashName = 'groundmill-sha256'

/** As it lies in the bucket. */
interface PushRecord {
  /** What was pushed, such as `hf`: another kind of thing does not take its place. */
  readonly kind: string
  /** Which push wrote this. */
  readonly push: string
  /** Whether all of it has come. */
  readonly whole: boolean
  /** The objects that pushes have put here, sorted: of one that has not ended those that it may have put. */
  readonly files: readonly string[]
}

export interface PushObjectsOptions extends PushParts {
  /** What is pushed, in a word. */
  readonly kind: string
  /** Which of the objects that an earlier push has put, and are none of these, go. */
  readonly isOld: (path: string) => boolean
}

export interface PushedObjects {
  readonly url: string
  /** Objects that differ from those that were there, those that were the same, and those that went. */
  readonly changed: number
  readonly same: number
  readonly removed: number
}

/**
 * Puts files of a folder below a prefix of a bucket (`s3://BUCKET/PREFIX?endpoint=…`). What is there with the same bytes,
 * by its MD5 where that is its ETag, else by the SHA-256 that was put with it, is not sent again, so that a push that was
 * killed goes on. A bucket has no commits: who reads meanwhile may see some of it. The files at the top come last, then
 * what is old goes, and `.groundmill-push.json` says whether all has come.
 *
 * @throws UserError where objects of these names are there that no push has put, where another kind of thing was pushed
 *   there, or where somebody else pushes there at the same time
 */
export async function pushObjects(
  folder: string,
  url: string,
  options: PushObjectsOptions,
): Promise<PushedObjects> {
  try {
    return await push(folder, url, options)
  } catch (error) {
    // What was under way fails of it, and says less.
    options.signal.throwIfAborted()
    throw error
  }
}

async function push(folder: string, url: string, options: PushObjectsOptions): Promise<PushedObjects> {
  const { kind, files, isOld, signal, onProgress } = options
  const storage = openS3Storage(url)
  const { record, version } = await readPushRecord(storage, kind)
  const root = parseS3(url)
  const at = (path: string) => locationBelow(root, path)
  const known = new Set(record?.files)
  const there = new Map<string, StoredFile>()
  for await (const file of storage.listFiles('')) there.set(file.name, file)
  const side: PushSide = {
    paths: [...known].filter((path) => there.has(path)),
    async read(path) {
      const bytes = there.has(path) ? await storage.read(path) : undefined
      return bytes && Buffer.from(bytes).toString()
    },
  }
  const wanted: PushContent[] = []
  for await (const content of contentsOf(folder, options, side))
    if (!(await isThere(there.get(content.path), content, at(content.path), signal))) wanted.push(content)
  const foreign = wanted.flatMap(({ path }) => (there.has(path) && !known.has(path) ? [path] : []))
  if (foreign.length > 0)
    throw new UserError(
      `${url} has ${nameList(foreign, undefined, 3)}, which no push has put there: name another prefix, or take it away. Nothing was sent.`,
    )
  const isOurs = new Set(files)
  const others = [...known].filter((path) => !isOurs.has(path))
  const old = others.filter(isOld)
  const kept = others.filter((path) => !isOld(path))
  const changed = wanted.length
  const done = { url, changed, same: files.length - changed, removed: old.length }
  if (changed + old.length === 0 && record?.whole) return done
  await storage.sweep('')
  const id = randomUUID()
  const sorted = (names: readonly string[]) => [...new Set(names)].sort()
  const during = { kind, push: id, whole: false, files: sorted([...known, ...files]) }
  const begun = await claim(storage, during, version)
  if (begun === undefined) throw otherPush(url)
  await putAll(wanted, at, { storage, id, signal, onProgress })
  for (const path of old) {
    signal.throwIfAborted()
    await storage.remove(path)
  }
  const ended = { kind, push: id, whole: true, files: sorted([...kept, ...files]) }
  if ((await claim(storage, ended, begun)) === undefined) throw await overtaken(storage)
  return done
}

interface Sending extends Pick<PushObjectsOptions, 'signal' | 'onProgress'> {
  readonly storage: Storage
  /** Of the push, as it stands in the record. */
  readonly id: string
}

/** Puts contents, and looks whether they are what lies there then. */
async function putAll(
  contents: readonly PushContent[],
  at: (path: string) => S3Location,
  { storage, id, signal, onProgress }: Sending,
): Promise<void> {
  const total = contents.reduce((sum, { size }) => sum + size, 0)
  let sent = 0
  onProgress?.(0, total)
  const isStillOurs = ownership(storage, id)
  const sentAs = new Map<string, Sent>()
  const putOne = async (content: PushContent) => {
    signal.throwIfAborted()
    await isStillOurs()
    sentAs.set(content.path, await send(content, at(content.path), signal))
    sent += content.size
    onProgress?.(sent, total)
  }
  // What tells of the others comes after them.
  const isInFolder = ({ path }: PushContent) => path.includes('/')
  await mapLimited(contents.filter(isInFolder), putOne, concurrency)
  await mapLimited(
    contents.filter((content) => !isInFolder(content)),
    putOne,
    concurrency,
  )
  // What another had under way when it was overtaken may have come since.
  for await (const { name, etag } of storage.listFiles('')) {
    const own = sentAs.get(name)
    if (own === undefined || own.etag === etag) continue
    const sha256 = (await headOf(at(name)))?.metadata[hashName]
    if (sha256 !== undefined && sha256 !== own.sha256) throw await overtaken(storage)
  }
}

/**
 * What pushes have put below a prefix, if any have.
 *
 * @throws UserError where another kind of thing lies there, or the bucket cannot be read
 */
export async function readPushRecord(
  storage: Storage,
  kind: string,
): Promise<{ readonly record?: PushRecord; readonly version?: Version }> {
  const found = await storage.readVersioned(pushRecordName)
  if (!found) return {}
  const where = storage.path(pushRecordName)
  const record = recordIn(found.bytes)
  if (!record)
    throw new UserError(`${where} is not what a push has written: take it away, or name another prefix.`)
  if (record.kind !== kind)
    throw new UserError(
      `${storage.url} has a push of ${record.kind}, whose place one of ${kind} does not take: name another prefix.`,
    )
  return { record, version: found.version }
}

function recordIn(bytes: Uint8Array): PushRecord | undefined {
  try {
    const record = JSON.parse(Buffer.from(bytes).toString()) as Partial<PushRecord> | null
    const isRecord = typeof record?.kind === 'string' && Array.isArray(record.files)
    return isRecord && record.files?.every((path) => typeof path === 'string')
      ? (record as PushRecord)
      : undefined
  } catch {
    return undefined
  }
}

/** Writes the record if it is still the one that was read; what the next one takes for having read it, if it was. */
async function claim(
  storage: Storage,
  record: PushRecord,
  before: Version | undefined,
): Promise<Version | undefined> {
  if (!(await storage.swap(pushRecordName, textOf(record), before))) return undefined
  const now = await storage.readVersioned(pushRecordName)
  return now && recordIn(now.bytes)?.push === record.push ? now.version : undefined
}

const textOf = (record: PushRecord) => `${JSON.stringify(record, null, 2)}\n`

/** Throws where another push has begun since; asked again and again, it looks every few seconds. */
function ownership(storage: Storage, id: string): () => Promise<void> {
  let seen = Date.now()
  return async () => {
    if (Date.now() - seen < lookEvery) return
    seen = Date.now()
    const bytes = await storage.read(pushRecordName)
    if (bytes && recordIn(bytes)?.push !== id) throw await overtaken(storage)
  }
}

const otherPush = (url: string) =>
  new UserError(
    `${url}: somebody else pushes there at the same time. Wait until that has ended, then run the same command again: what has come is not sent again.`,
  )

/** Another push has begun since, and may have ended: what lies there may be of both, which its record says. */
async function overtaken(storage: Storage): Promise<UserError> {
  const found = await storage.readVersioned(pushRecordName)
  const record = found && recordIn(found.bytes)
  if (record?.whole) await storage.swap(pushRecordName, textOf({ ...record, whole: false }), found?.version)
  return otherPush(storage.url)
}

/** Hashes of a content, in hexadecimal digits. */
async function hashesOf(content: PushContent, signal: AbortSignal) {
  const [sha256, md5] = [createHash('sha256'), createHash('md5')]
  for await (const part of partsOf(content, signal)) {
    sha256.update(part)
    md5.update(part)
  }
  return { sha256: sha256.digest('hex'), md5: md5.digest('hex') }
}

/** Whether an object has the same bytes. */
async function isThere(
  there: StoredFile | undefined,
  content: PushContent,
  location: S3Location,
  signal: AbortSignal,
): Promise<boolean> {
  if (there?.size !== content.size) return false
  const { sha256, md5 } = await hashesOf(content, signal)
  if (there.etag?.replaceAll('"', '') === md5) return true
  const head = await headOf(location)
  return head?.metadata[hashName] === sha256
}

/** What was put, by its hash and by what the store calls it. */
interface Sent {
  readonly sha256: string
  readonly etag: string | undefined
}

async function send(content: PushContent, location: S3Location, signal: AbortSignal): Promise<Sent> {
  const { sha256 } = await hashesOf(content, signal)
  const options = { metadata: { [hashName]: sha256 }, signal }
  const etag = await (content.text === undefined
    ? putFile(location, content.file, options)
    : put(location, content.text, options))
  return { sha256, etag }
}
