import { type FileHandle, open } from 'node:fs/promises'
import { unreadable } from '../base/files/read-file.js'
import { shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { openObject } from '../storage/open-storage.js'
import { isS3 } from '../storage/s3-storage.js'
import { isCompressed, readBytes } from './read-bytes.js'

/** A file in a tar. */
export interface TarEntry {
  readonly name: string
  readonly size: number
  /** Byte where its headers begin. */
  readonly at: number
  /** Byte where its content begins. */
  readonly start: number
  /** Its content; null where it was not wanted. */
  readonly bytes: Uint8Array | null
}

const block = 512
const padded = (size: number) => Math.ceil(size / block) * block
/** Names and attributes are short; a longer header is damage. */
const longestHeader = 1 << 20

/**
 * The files of a tar (ustar, pax and GNU long names; compressed or not) from the headers of one of them on.
 * What is not wanted is passed over unread where the file is not compressed.
 *
 * @throws UserError where it is no tar or is cut short
 */
export async function* readTar(
  path: string,
  wanted: (name: string, size: number) => boolean,
  from = 0,
): AsyncGenerator<TarEntry> {
  const source = isCompressed(path) ? streamOf(path, from) : await fileOf(path, from)
  const bad = (what: string) => new UserError(`${path} is damaged or not a tar: ${what}.`)
  /** What fills the last block may be missing. */
  const need = async (size: number) => {
    const bytes = (await source.take(padded(size))).subarray(0, size)
    if (bytes.length === size) return bytes
    throw bad(`it is cut short, after ${source.at()} bytes`)
  }
  let hasEnded = false
  try {
    for (let at = source.at(), long: LongHeader = {}; ; ) {
      const here = source.at()
      const header = await source.take(block)
      if (header.length === 0) return
      // The end is two blocks of zeros; many writers leave them out. Behind it another tar may have been put.
      if (header.every((byte) => byte === 0)) {
        hasEnded = true
        at = source.at()
        continue
      }
      if (header.length < block || !hasChecksum(header)) {
        if (hasEnded) return
        const what =
          header.length < block
            ? `it is cut short, after ${source.at()} bytes`
            : `there is no header at byte ${here}`
        throw bad(isGzipped(header) ? `${what}: it is gzip, so name it .tar.gz` : what)
      }
      hasEnded = false
      const type = String.fromCharCode(header[156] ?? 0)
      const size = long.size ?? numberOf(header.subarray(124, 136))
      if (!Number.isSafeInteger(size) || size < 0) throw bad(`the size at byte ${here} is no number`)
      if ('xgLK'.includes(type)) {
        if (size > longestHeader) throw bad(`the header at byte ${here} has ${size} bytes`)
        const text = await need(size)
        if (type === 'x') long = { ...long, ...paxOf(text) }
        else if (type === 'L') long = { ...long, name: textOf(text) }
        continue
      }
      const name = long.name ?? shortName(header)
      const start = source.at()
      if (type === '0' || type === '\0' || type === '7') {
        const takes = wanted(name, size)
        const bytes = takes ? await need(size) : null
        if (!takes && (await source.skip(padded(size))) < size)
          throw bad(`it is cut short within ${shownValue(name)}`)
        yield { name, size, at, start, bytes }
      } else await source.skip(padded(size))
      long = {}
      at = source.at()
    }
  } finally {
    await source.close()
  }
}

const isGzipped = ([first, second]: Uint8Array) => first === 0x1f && second === 0x8b

/** What a header before the header says. */
interface LongHeader {
  readonly name?: string
  readonly size?: number
}

/** The sum of a header's bytes, its own field as spaces. */
function hasChecksum(header: Uint8Array): boolean {
  const sum = header.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 32 : byte), 0)
  return sum === numberOf(header.subarray(148, 156))
}

/** Octal digits, or GNU's base 256 where the first bit is set. */
function numberOf(field: Uint8Array): number {
  const [first = 0] = field
  if (first & 0x80) return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, first & 0x7f)
  const digits = textOf(field).trim()
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : Number.NaN
}

/** Text up to the first zero. */
function textOf(field: Uint8Array): string {
  const end = field.indexOf(0)
  return Buffer.from(end === -1 ? field : field.subarray(0, end)).toString('utf8')
}

function shortName(header: Uint8Array): string {
  const name = textOf(header.subarray(0, 100))
  const isPosix = textOf(header.subarray(257, 263)) === 'ustar'
  const prefix = isPosix ? textOf(header.subarray(345, 500)) : ''
  return prefix ? `${prefix}/${name}` : name
}

/** Records of "length key=value\n". */
function paxOf(bytes: Uint8Array): LongHeader {
  let long: LongHeader = {}
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at)
    const length = space === -1 ? 0 : Number(textOf(bytes.subarray(at, space)))
    if (!(length > 0)) break
    const record = Buffer.from(bytes.subarray(space + 1, at + length - 1)).toString('utf8')
    const equals = record.indexOf('=')
    const [key, value] = [record.slice(0, equals), record.slice(equals + 1)]
    if (key === 'path') long = { ...long, name: value }
    if (key === 'size') long = { ...long, size: Number(value) }
    at += length
  }
  return long
}

/** Bytes one after another, with a way past those that are not wanted. */
interface TarSource {
  at(): number
  /** At most that many, fewer at the end. */
  take(size: number): Promise<Uint8Array>
  /** How many there were to pass over. */
  skip(size: number): Promise<number>
  close(): Promise<void>
}

/** What is read of an object at once: headers and captions are short and lie close together. */
const aheadBytes = 1 << 20

/** A tar in a bucket. Pictures that are passed over are not read. */
async function objectOf(path: string, from: number): Promise<TarSource> {
  const object = await openObject(path)
  const { size: end } = object
  let at = from
  let ahead = { at: from, bytes: Buffer.alloc(0) }
  return {
    at: () => at,
    async take(size) {
      const to = Math.min(end, at + size)
      if (at < ahead.at || to > ahead.at + ahead.bytes.length) {
        const bytes = Buffer.from(await object.read(at, Math.min(end, Math.max(to, at + aheadBytes))))
        ahead = { at, bytes }
      }
      const start = at - ahead.at
      at = Math.max(at, to)
      return new Uint8Array(ahead.bytes.subarray(start, Math.max(start, to - ahead.at)))
    },
    async skip(size) {
      const passed = Math.max(0, Math.min(size, end - at))
      at += passed
      return passed
    },
    close: () => object.close(),
  }
}

async function fileOf(path: string, from: number): Promise<TarSource> {
  if (isS3(path)) return objectOf(path, from)
  const handle: FileHandle = await open(path, 'r').catch(unreadable(path))
  const { size: end } = await handle.stat()
  let at = from
  return {
    at: () => at,
    async take(size) {
      const bytes = await readAt(handle, at, Math.max(0, Math.min(size, end - at)))
      at += bytes.length
      return bytes
    },
    async skip(size) {
      const passed = Math.max(0, Math.min(size, end - at))
      at += passed
      return passed
    },
    close: () => handle.close(),
  }
}

/** A part of a file. */
export async function readAt(handle: FileHandle, at: number, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size)
  let done = 0
  while (done < size) {
    const { bytesRead } = await handle.read(bytes, done, size - done, at + done)
    if (bytesRead === 0) return bytes.subarray(0, done)
    done += bytesRead
  }
  return bytes
}

function streamOf(path: string, from: number): TarSource {
  const chunks = readBytes(path, from)
  let rest: Buffer = Buffer.alloc(0)
  let at = from
  const advance = async (size: number, keep: (part: Buffer) => void) => {
    let left = size
    while (left > 0) {
      if (rest.length === 0) {
        const { value, done } = await chunks.next()
        if (done) break
        rest = value
      }
      const part = rest.subarray(0, left)
      keep(part)
      rest = rest.subarray(part.length)
      left -= part.length
    }
    at += size - left
    return size - left
  }
  return {
    at: () => at,
    async take(size) {
      const parts: Buffer[] = []
      await advance(size, (part) => parts.push(part))
      return Buffer.concat(parts)
    },
    skip: (size) => advance(size, () => {}),
    async close() {
      await chunks.return(undefined)
    },
  }
}
