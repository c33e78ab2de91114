import { type FileHandle, open, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import pLimit from 'p-limit'
import { leftOverAfter } from '../base/files/sweep-aside.js'
import { attemptsOf, explainS3, type S3Location, s3Client, s3Url, statusOf } from './s3-client.js'
import type { StoredFile, Version } from './storage.js'

/** Larger objects are put in parts. */
const partBytes = 16 * 1024 * 1024
/** A store takes at most ten thousand parts of an object. */
const maxParts = 9_000
const partConcurrency = 4
const bodyTries = 4

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

/** What a store says of an object without its bytes. */
export interface Head {
  readonly size: number
  /** Milliseconds since it was written, by the store's clock. */
  readonly age: number
  /** What its bytes are known by. */
  readonly etag: string
  /** What was put beside it, names in lower case. */
  readonly metadata: Readonly<Record<string, string>>
}

/** What a store says of an object; undefined where there is none. */
export async function headOf(location: S3Location): Promise<Head | undefined> {
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
        return { size: head.ContentLength ?? 0, age, etag: head.ETag ?? '', metadata: head.Metadata ?? {} }
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

/** The bytes of an object or of a range of it; undefined where there is none. */
export const readObject = async (location: S3Location, range?: string) =>
  (await readVersionedObject(location, range))?.bytes

/**
 * The bytes of an object or of a range of it, and its ETag. The SDK tries a request again, not an answer that
 * broke off.
 */
export async function readVersionedObject(location: S3Location, range?: string): Promise<Read | undefined> {
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

/** How an object is put. */
export interface PutOptions {
  /** Kept beside it by the store. */
  readonly metadata?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** Of one request: the signal of many would have as many listeners as there are requests and tries. */
const signalOf = ({ signal }: PutOptions) => signal && AbortSignal.any([signal])

const told = ({ metadata }: PutOptions) => metadata && { Metadata: metadata }

/** Writes an object whole, and gives its ETag. */
export const put = (
  location: S3Location,
  bytes: Uint8Array | string,
  options: PutOptions = {},
): Promise<string | undefined> =>
  send(location, async ({ sdk, client }, where) => {
    const command = new sdk.PutObjectCommand({ ...where, ...bodyOf(bytes), ...told(options) })
    return (await client.send(command, { abortSignal: signalOf(options) })).ETag
  })

/**
 * Writes an object if its ETag is still `before`, or if there is none where that is undefined (If-Match,
 * If-None-Match); whether it is this one now.
 */
export async function putIf(
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

/** Writes a file as an object, in parts where it is large: it appears when all of them are there. Gives its ETag. */
export async function putFile(
  location: S3Location,
  path: string,
  options: PutOptions = {},
): Promise<string | undefined> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    return size <= partBytes
      ? await put(location, await readFile(path), options)
      : await putParts(location, file, size, options)
  } finally {
    await file.close()
  }
}

/** Parts of an object that fails are given up. */
async function putParts(
  location: S3Location,
  file: FileHandle,
  size: number,
  options: PutOptions,
): Promise<string | undefined> {
  const length = Math.max(partBytes, Math.ceil(size / maxParts))
  return send(location, async ({ sdk, client }, where) => {
    const { UploadId } = await client.send(
      new sdk.CreateMultipartUploadCommand({ ...where, ...told(options) }),
    )
    try {
      const limit = pLimit(partConcurrency)
      const Parts = await Promise.all(
        Array.from({ length: Math.ceil(size / length) }, (_, index) =>
          limit(async () => {
            const Body = new Uint8Array(Math.min(length, size - index * length))
            await file.read(Body, 0, Body.length, index * length)
            const PartNumber = index + 1
            const part = { ...where, UploadId, PartNumber, Body }
            const { ETag } = await client.send(new sdk.UploadPartCommand(part), {
              abortSignal: signalOf(options),
            })
            return { ETag, PartNumber }
          }),
        ),
      )
      const whole = { ...where, UploadId, MultipartUpload: { Parts } }
      return (await client.send(new sdk.CompleteMultipartUploadCommand(whole))).ETag
    } catch (error) {
      await client.send(new sdk.AbortMultipartUploadCommand({ ...where, UploadId })).catch(() => {})
      throw error
    }
  })
}

/** Removes an object; nothing happens where there is none. */
export const removeObject = (location: S3Location) =>
  send(location, ({ sdk, client }, where) => client.send(new sdk.DeleteObjectCommand(where)))

/** Pages of a bucket's objects whose keys begin so, and of the folders where a delimiter is given. */
export async function* pagesOf(location: S3Location, Prefix: string, delimiter?: string) {
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
export async function abortUploads(location: S3Location): Promise<void> {
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
