import { type FileHandle, open, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pLimit from 'p-limit'
import { makeFolder } from '../base/files/make-folder.js'
import { leftOverAfter, sweepAside } from '../base/files/sweep-aside.js'
import { absent } from '../base/files/sync-folder.js'
import { asidePath } from '../base/files/write-file-atomic.js'
import { writeChunks } from '../base/files/write-pieces.js'
import { UserError } from '../base/user-error.js'
import { attemptsOf, explainS3, parseS3, type S3Location, s3Client, s3Url, statusOf } from './s3-client.js'
import type { OpenObject, Storage, StoredFile, Version } from './storage.js'

/** Of this machine: an object cannot be looked at before it is there. */
const asideFolder = join(tmpdir(), 'groundmill')
/** Larger objects are put in parts. */
const partBytes = 16 * 1024 * 1024
/** A store takes at most ten thousand parts of an object. */
const maxParts = 9_000
const partConcurrency = 4
const bodyTries = 4

export const isS3 = (location: string) => /^s3:\/\//i.test(location)

/**
 * Objects of a bucket below a prefix. What is written in chunks is kept in a file of this machine until it is
 * whole and checked: an object cannot be looked at before it is there, and its parts can be sent again.
 */
export function openS3Storage(url: string): Storage {
  const root = parseS3(url)
  const at = (name: string): S3Location => ({
    ...root,
    key: [root.key, name.replace(/^\.?\/+/, '')].filter((part) => part !== '' && part !== '.').join('/'),
  })
  const path = (name: string) => s3Url(at(name))
  const listKeys = async (prefix: string) => {
    const names: string[] = []
    for await (const { files } of pagesOf(root, prefix)) names.push(...files.map(({ name }) => name))
    const skip = root.key === '' ? 0 : root.key.length + 1
    return names.map((key) => key.slice(skip)).sort()
  }
  return {
    url,
    path,
    isLocal: false,
    exists: async (name) => (await headOf(at(name))) !== undefined,
    read: (name) => readObject(at(name)),
    async write(name, bytes) {
      await put(at(name), bytes)
    },
    create: (name, bytes) => putIf(at(name), bytes, undefined),
    readVersioned: (name) => readVersionedObject(at(name)),
    swap: (name, bytes, before) => putIf(at(name), bytes, before),
    age: async (name) => (await headOf(at(name)))?.age,
    async writeStream(name, chunks) {
      const aside = await writeAside(chunks)
      try {
        await putFile(at(name), aside)
      } finally {
        await rm(aside, { force: true })
      }
    },
    async writeAside(_name, chunks, onFailure) {
      const aside = await writeAside(chunks, onFailure)
      return {
        path: aside,
        place: (name) => putFile(at(name), aside),
        discard: () => rm(aside, { force: true }),
      }
    },
    async list(prefix) {
      const { key } = at(prefix)
      return listKeys(key === '' ? '' : `${key}/`)
    },
    listBeginning: (start) => listKeys(at(start).key),
    async *listFiles(prefix, where = 'below') {
      const { key } = at(prefix)
      const skip = root.key === '' ? 0 : root.key.length + 1
      const delimiter = where === 'inside' ? '/' : undefined
      for await (const { files } of pagesOf(root, key === '' ? '' : `${key}/`, delimiter))
        for (const file of files) yield { ...file, name: file.name.slice(skip) }
    },
    async folders() {
      const names: string[] = []
      const prefix = root.key === '' ? '' : `${root.key}/`
      for await (const { folders } of pagesOf(root, prefix, '/')) names.push(...folders)
      return names.map((key) => key.split('/').at(-2) as string).sort()
    },
    async remove(name) {
      await send(at(name), ({ sdk, client }, where) => client.send(new sdk.DeleteObjectCommand(where)))
    },
    async sweep(folder) {
      for (const file of (await readdir(asideFolder).catch(absent)) ?? [])
        await sweepAside(join(asideFolder, file))
      await abortUploads(at(folder))
    },
  }
}

/** Writes a file of this machine, and gives its path. */
async function writeAside(chunks: AsyncIterable<Uint8Array>, onFailure?: () => void): Promise<string> {
  await makeFolder(asideFolder)
  const path = asidePath(join(asideFolder, 'object'))
  try {
    const file = await open(path, 'w')
    try {
      await writeChunks(file, chunks, onFailure)
    } finally {
      await file.close()
    }
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
  return path
}

/** The size and the ETag of an object; undefined where there is none. */
export const findS3Object = (url: string): Promise<Pick<Head, 'size' | 'etag'> | undefined> =>
  headOf(parseS3(url))

/** An object whose parts are read as they are asked for. Throws a UserError where there is none. */
export async function openS3Object(url: string): Promise<OpenObject> {
  const location = parseS3(url)
  const head = await headOf(location)
  if (!head) throw new UserError(`Cannot read ${url}: there is no such object.`)
  return {
    size: head.size,
    async read(start, end) {
      if (start === end) return new ArrayBuffer(0)
      const bytes = await readObject(location, `bytes=${start}-${end - 1}`)
      if (bytes?.length !== end - start) throw new Error(`it ends at byte ${start + (bytes?.length ?? 0)}`)
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
    },
    close: async () => {},
  }
}

interface Where {
  readonly Bucket: string
  readonly Key: string
}

/** Sends a command; a refusal is told in words. */
async function send<T>(
  location: S3Location,
  command: (client: Awaited<ReturnType<typeof s3Client>>, where: Where) => Promise<T>,
  expected: (error: unknown) => boolean = () => false,
): Promise<T> {
  const client = await s3Client(location)
  try {
    return await command(client, { Bucket: location.bucket, Key: location.key })
  } catch (error) {
    if (expected(error)) throw error
    throw explainS3(error, s3Url(location))
  }
}

const isMissing = (error: unknown) => {
  const { name } = error as Error
  // Asked for the head alone, a store says nothing but 404.
  return name === 'NoSuchKey' || name === 'NotFound'
}

interface Head {
  readonly size: number
  /** Milliseconds since it was written, by the store's clock. */
  readonly age: number
  /** What its bytes are known by. */
  readonly etag: string
}

async function headOf(location: S3Location): Promise<Head | undefined> {
  try {
    return await send(
      location,
      async ({ sdk, client }, where) => {
        const command = new sdk.HeadObjectCommand(where)
        let now = Date.now()
        command.middlewareStack.add(
          (next) => async (args) => {
            const answer = await next(args)
            const { headers } = answer.response as { readonly headers: Record<string, string> }
            now = Date.parse(headers.date ?? '') || now
            return answer
          },
          { step: 'deserialize', priority: 'low' },
        )
        const head = await client.send(command)
        const age = now - (head.LastModified?.getTime() ?? now)
        return { size: head.ContentLength ?? 0, age, etag: head.ETag ?? '' }
      },
      isMissing,
    )
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

interface Read {
  readonly bytes: Uint8Array
  readonly version: Version
}

const readObject = async (location: S3Location, range?: string) =>
  (await readVersionedObject(location, range))?.bytes

/**
 * The bytes of an object or of a range of it, and its ETag. The SDK tries a request again, not an answer that
 * broke off.
 */
async function readVersionedObject(location: S3Location, range?: string): Promise<Read | undefined> {
  for (let attempt = 1; ; attempt++) {
    let answered = false
    try {
      return await send(
        location,
        async ({ sdk, client }, where) => {
          const { Body, ETag } = await client.send(new sdk.GetObjectCommand({ ...where, Range: range }))
          answered = true
          const bytes = await Body?.transformToByteArray()
          return bytes && { bytes, version: ETag ?? '' }
        },
        isMissing,
      )
    } catch (error) {
      if (isMissing(error)) return undefined
      if (!answered || attempt === bodyTries) throw error
      await delay(100 * 2 ** attempt)
    }
  }
}

/** What a put carries. The SDK takes a text without letters for a stream. */
function bodyOf(bytes: Uint8Array | string) {
  const Body = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
  return { Body, ContentLength: Body.length }
}

const put = (location: S3Location, bytes: Uint8Array | string) =>
  send(location, ({ sdk, client }, where) =>
    client.send(new sdk.PutObjectCommand({ ...where, ...bodyOf(bytes) })),
  )

/**
 * Writes an object if its ETag is still `before`, or if there is none where that is undefined (If-Match,
 * If-None-Match); whether it is this one now.
 */
async function putIf(
  location: S3Location,
  bytes: Uint8Array | string,
  before: Version | undefined,
): Promise<boolean> {
  const isAnswer = (error: unknown) => [404, 409, 412, 501].includes(statusOf(error) ?? 0)
  const condition = before === undefined ? { IfNoneMatch: '*' } : { IfMatch: before }
  for (let attempt = 1; ; attempt++) {
    try {
      await send(
        location,
        ({ sdk, client }, where) =>
          client.send(new sdk.PutObjectCommand({ ...where, ...bodyOf(bytes), ...condition })),
        (error) => isAnswer(error) && (error as Error).name !== 'NoSuchBucket',
      )
      return true
    } catch (error) {
      if (!isAnswer(error)) throw error
      const now = await readVersionedObject(location)
      // A put that was answered on a lost connection is found to be there when the SDK sends it again; the same
      // bytes else are another's.
      if (now && attemptsOf(error) > 1 && Buffer.from(now.bytes).equals(Buffer.from(bytes))) return true
      if (now?.version !== before) return false
      if (statusOf(error) === 501) {
        warnOfPuts(location)
        await put(location, bytes)
        return true
      }
      // Of puts at once a store may refuse all (409), and who was in the way be gone again.
      if (attempt === bodyTries) return false
      await delay(50 * 2 ** attempt * Math.random())
    }
  }
}

const warnedOf = new Set<string>()

function warnOfPuts({ bucket, query }: S3Location) {
  if (warnedOf.has(bucket + query)) return
  warnedOf.add(bucket + query)
  process.emitWarning(
    `s3://${bucket}${query} has no conditional puts (If-Match, If-None-Match): let one groundmill at a time write there.`,
    'GroundmillWarning',
  )
}

async function putFile(location: S3Location, path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size <= partBytes) await put(location, await readFile(path))
    else await putParts(location, file, size)
  } finally {
    await file.close()
  }
}

/** The object appears when all its parts are there; parts of a failed one are given up. */
async function putParts(location: S3Location, file: FileHandle, size: number): Promise<void> {
  const length = Math.max(partBytes, Math.ceil(size / maxParts))
  await send(location, async ({ sdk, client }, where) => {
    const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(where))
    try {
      const limit = pLimit(partConcurrency)
      const Parts = await Promise.all(
        Array.from({ length: Math.ceil(size / length) }, (_, index) =>
          limit(async () => {
            const Body = new Uint8Array(Math.min(length, size - index * length))
            await file.read(Body, 0, Body.length, index * length)
            const PartNumber = index + 1
            const part = { ...where, UploadId, PartNumber, Body }
            const { ETag } = await client.send(new sdk.UploadPartCommand(part))
            return { ETag, PartNumber }
          }),
        ),
      )
      await client.send(
        new sdk.CompleteMultipartUploadCommand({ ...where, UploadId, MultipartUpload: { Parts } }),
      )
    } catch (error) {
      await client.send(new sdk.AbortMultipartUploadCommand({ ...where, UploadId })).catch(() => {})
      throw error
    }
  })
}

/** Pages of a bucket's objects whose keys begin so, and of the folders where a delimiter is given. */
async function* pagesOf(location: S3Location, Prefix: string, delimiter?: string) {
  let token: string | undefined
  do {
    const page = await send(location, ({ sdk, client }, { Bucket }) =>
      client.send(
        new sdk.ListObjectsV2Command({
          Bucket,
          Prefix,
          ...(delimiter && { Delimiter: delimiter }),
          ...(token && { ContinuationToken: token }),
        }),
      ),
    )
    yield {
      files: (page.Contents ?? []).map(
        ({ Key, Size, LastModified, ETag }): StoredFile => ({
          name: Key as string,
          size: Size ?? 0,
          modified: LastModified?.getTime() ?? 0,
          ...(ETag !== undefined && { etag: ETag }),
        }),
      ),
      folders: (page.CommonPrefixes ?? []).map((folder) => folder.Prefix as string),
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined
  } while (token)
}

/**
 * Gives up the parts that a killed program has sent of an object: they are paid for, and nobody sees them. What
 * began within a day may still be sent by another program.
 */
async function abortUploads(location: S3Location): Promise<void> {
  // Not every store lists them, and not every key may: then they are left to the bucket's own rules.
  const isNotOffered = (error: unknown) => [403, 405, 501].includes(statusOf(error) ?? 0)
  try {
    await send(
      location,
      async ({ sdk, client }, { Bucket, Key: prefix }) => {
        const { Uploads = [] } = await client.send(
          new sdk.ListMultipartUploadsCommand({ Bucket, Prefix: `${prefix}/` }),
        )
        for (const { Key, UploadId, Initiated } of Uploads) {
          const isOld = Date.now() - (Initiated?.getTime() ?? Date.now()) > leftOverAfter
          if (isOld) await client.send(new sdk.AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
        }
      },
      isNotOffered,
    )
  } catch (error) {
    if (!isNotOffered(error)) throw error
  }
}
