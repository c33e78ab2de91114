import { pipeline, type Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { nameList } from '../../base/name-list.js'
import { Reject } from './reject.js'

/** What undoes each encoding. */
const decoders: ReadonlyMap<string, () => Transform> = new Map([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
])
/** More layers than a server has reason for. */
const maxEncodings = 2

/**
 * The bytes of an answer, unpacked. Neither what comes nor what it unpacks to is ever held beyond `maxBytes`.
 *
 * @param cut takes the first `maxBytes` of a longer answer, and no bytes for an answer
 * @throws Reject `too_large`, `empty_body`, or `bad_encoding` where it is packed in a way that is not known
 * or is broken
 */
export async function readBody(
  body: Readable,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  place: string,
  maxBytes: number,
  cut = false,
): Promise<Uint8Array> {
  const tooLarge = () => new Reject('too_large', `${place} has more than ${maxBytes} bytes`)
  const encodings = String(headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== '' && encoding !== 'identity')
  const known = encodings.flatMap((encoding) => decoders.get(encoding) ?? [])
  if (known.length < encodings.length || encodings.length > maxEncodings) {
    discard(body)
    throw new Reject('bad_encoding', `${place} is packed as ${nameList(encodings)}`)
  }
  if (!cut && Number(headers['content-length']) > maxBytes) {
    discard(body)
    throw tooLarge()
  }
  const chunks: Uint8Array[] = []
  let length = 0
  const plain = encodings.length === 0 ? body : unpacked(body, encodings, known, place)
  for await (const chunk of plain as AsyncIterable<Uint8Array>) {
    length += chunk.length
    // Leaving the loop destroys the stream, so no more is read.
    if (length > maxBytes && !cut) throw tooLarge()
    chunks.push(chunk)
    if (length > maxBytes) break
  }
  if (length === 0 && !cut) throw new Reject('empty_body', `${place} answered no bytes`)
  const [first, ...rest] = chunks
  return first && rest.length === 0 && length <= maxBytes
    ? first
    : Buffer.concat(chunks, Math.min(length, maxBytes))
}

/** Lets go of an answer without reading it. */
function discard(body: Readable) {
  body.on('error', () => {})
  body.destroy()
}

async function* unpacked(
  body: Readable,
  encodings: readonly string[],
  decodersOf: readonly (() => Transform)[],
  place: string,
): AsyncGenerator<Uint8Array> {
  let failed: unknown
  body.on('error', (error) => {
    failed ??= error
  })
  // The last that was applied is the first to be undone.
  const steps = decodersOf.map((create) => create()).reverse()
  const last = pipeline([body, ...steps], () => {}) as unknown as Readable
  try {
    yield* last
  } catch (error) {
    // Where the connection failed, that is the cause of the broken packing.
    if (failed) throw failed
    // Those of zlib and Brotli have a number; a connection that was closed without an error has none.
    if (typeof (error as NodeJS.ErrnoException).errno === 'number')
      throw new Reject('bad_encoding', `${place}: ${nameList(encodings)}: ${(error as Error).message}`)
    throw error
  } finally {
    last.destroy()
    discard(body)
  }
}
