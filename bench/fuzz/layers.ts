/**
 * What lies within a file: the text of a gzip, the members of an archive, the lines of a list. A change of the packed
 * bytes themselves mostly ends at a checksum, and nothing behind it is tried.
 */
import { crc32 as crc, deflateSync, gunzipSync, gzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import { decompress } from 'fzstd'

/** The parts of a file, and how the whole is made of others. */
export interface Layer {
  readonly parts: readonly Uint8Array[]
  join(parts: readonly Uint8Array[]): Uint8Array
}

/** More of a file than these, spread over it, are not edited one by one. */
const mostParts = 32

/** Parts of a sample; undefined where it is a whole of its own. */
export function layerOf(sample: Uint8Array): Layer | undefined {
  const bytes = Buffer.from(sample)
  for (const read of [gzip, zstd, zip, tar, png, safetensors, lines]) {
    const layer = read(bytes)
    if (layer) return layer
  }
  return undefined
}

/** Places of the parts that are edited: all where they are few. */
export function editedParts({ parts }: Layer): number[] {
  if (parts.length <= mostParts) return [...parts.keys()]
  return Array.from({ length: mostParts }, (_, at) => Math.floor((at * parts.length) / mostParts))
}

const beginsWith = (bytes: Buffer, ...first: readonly number[]) =>
  bytes.length > first.length && first.every((byte, at) => bytes[at] === byte)

function gzip(bytes: Buffer): Layer | undefined {
  if (!beginsWith(bytes, 0x1f, 0x8b)) return undefined
  return { parts: [gunzipSync(bytes)], join: ([part]) => gzipSync(part as Uint8Array, { level: 1 }) }
}

const blockBytes = 128 * 1024

/** A zstd frame of blocks as they are, without a checksum (RFC 8878, 3.1.1). */
export function rawZstd(content: Uint8Array): Uint8Array {
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0])
  head.writeUInt32LE(content.length, 5)
  const blocks: Uint8Array[] = [head]
  for (let at = 0; at === 0 || at < content.length; at += blockBytes) {
    const block = content.subarray(at, at + blockBytes)
    const isLast = at + blockBytes >= content.length
    const header = Buffer.alloc(3)
    header.writeUIntLE(Number(isLast) | (block.length << 3), 0, 3)
    blocks.push(header, block)
  }
  return Buffer.concat(blocks)
}

function zstd(bytes: Buffer): Layer | undefined {
  if (!beginsWith(bytes, 0x28, 0xb5, 0x2f, 0xfd)) return undefined
  return { parts: [decompress(bytes)], join: ([part]) => rawZstd(part as Uint8Array) }
}

/** The contents of a zip's entries, which are packed again without compression, as torch writes them. */
function zip(bytes: Buffer): Layer | undefined {
  if (!beginsWith(bytes, 0x50, 0x4b, 3, 4)) return undefined
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]))
  if (end === -1) return undefined
  const entries: { readonly name: Buffer; readonly content: Uint8Array }[] = []
  let at = bytes.readUInt32LE(end + 16)
  for (let count = bytes.readUInt16LE(end + 10); count > 0; count--) {
    const [size, nameLength] = [bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28)]
    const start = bytes.readUInt32LE(at + 42)
    const from = start + 30 + bytes.readUInt16LE(start + 26) + bytes.readUInt16LE(start + 28)
    const packed = bytes.subarray(from, from + size)
    const content = bytes.readUInt16LE(at + 10) === 8 ? inflateRawSync(packed) : packed
    entries.push({ name: bytes.subarray(at + 46, at + 46 + nameLength), content })
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
  }
  const names = entries.map(({ name }) => name)
  return { parts: entries.map(({ content }) => content), join: (parts) => storedZip(names, parts) }
}

function storedZip(names: readonly Buffer[], contents: readonly Uint8Array[]): Uint8Array {
  const files: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let offset = 0
  for (const [index, name] of names.entries()) {
    const content = contents[index] as Uint8Array
    const facts = Buffer.alloc(26)
    facts.writeUInt16LE(20, 0)
    facts.writeUInt32LE(crc(content), 10)
    facts.writeUInt32LE(content.length, 14)
    facts.writeUInt32LE(content.length, 18)
    facts.writeUInt16LE(name.length, 22)
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    const local = [Buffer.from([0x50, 0x4b, 3, 4]), facts, name, content]
    directory.push(Buffer.from([0x50, 0x4b, 1, 2, 20, 0]), facts, place, name)
    files.push(...local)
    offset += 30 + name.length + content.length
  }
  const listed = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(names.length, 8)
  end.writeUInt16LE(names.length, 10)
  end.writeUInt32LE(listed.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...files, listed, end])
}

const tarBlock = 512

/** Headers and contents of a tar's members in turn. A header gets its checksum, and that of a content its size. */
function tar(bytes: Buffer): Layer | undefined {
  if (bytes.length < tarBlock || bytes.toString('latin1', 257, 262) !== 'ustar') return undefined
  const parts: Uint8Array[] = []
  let at = 0
  while (at + tarBlock <= bytes.length && bytes[at] !== 0) {
    const size = Number.parseInt(bytes.toString('latin1', at + 124, at + 135), 8)
    parts.push(bytes.subarray(at, at + tarBlock), bytes.subarray(at + tarBlock, at + tarBlock + size))
    at += tarBlock + Math.ceil(size / tarBlock) * tarBlock
  }
  const rest = bytes.subarray(at)
  const join = (changed: readonly Uint8Array[]) => {
    const pieces: Uint8Array[] = []
    for (let member = 0; member + 1 < changed.length; member += 2) {
      const header = Buffer.alloc(tarBlock)
      header.set((changed[member] as Uint8Array).subarray(0, tarBlock))
      const content = changed[member + 1] as Uint8Array
      if (content !== parts[member + 1])
        header.write(`${content.length.toString(8).padStart(11, '0')} `, 124, 'latin1')
      header.write('        ', 148, 'latin1')
      const sum = header.reduce((total, byte) => total + byte, 0)
      header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
      pieces.push(header, content, Buffer.alloc((tarBlock - (content.length % tarBlock)) % tarBlock))
    }
    return Buffer.concat([...pieces, rest])
  }
  return { parts, join }
}

/** The data of a PNG's chunks, that of the picture unpacked. */
function png(bytes: Buffer): Layer | undefined {
  if (!beginsWith(bytes, 0x89, 0x50, 0x4e, 0x47)) return undefined
  const chunks: { readonly type: string; data: Uint8Array }[] = []
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    const type = bytes.toString('latin1', at + 4, at + 8)
    const data = bytes.subarray(at + 8, at + 8 + length)
    const last = chunks.at(-1)
    if (type === 'IDAT' && last?.type === type) last.data = Buffer.concat([last.data, data])
    else chunks.push({ type, data })
    at += 12 + length
  }
  try {
    for (const chunk of chunks) if (chunk.type === 'IDAT') chunk.data = inflateSync(chunk.data)
  } catch {
    return undefined
  }
  const join = (parts: readonly Uint8Array[]) => {
    const pieces: Uint8Array[] = [bytes.subarray(0, 8)]
    for (const [index, { type }] of chunks.entries()) {
      const part = parts[index] as Uint8Array
      const data = type === 'IDAT' ? deflateSync(part, { level: 1 }) : part
      const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
      const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
      length.writeUInt32BE(data.length)
      sum.writeUInt32BE(crc(named))
      pieces.push(length, named, sum)
    }
    return Buffer.concat(pieces)
  }
  return { parts: chunks.map(({ data }) => data), join }
}

/** The header of safetensors, whose length stands before it. */
function safetensors(bytes: Buffer): Layer | undefined {
  if (bytes.length < 10 || bytes[8] !== 0x7b || bytes.readBigUInt64LE(0) > bytes.length - 8) return undefined
  const end = 8 + Number(bytes.readBigUInt64LE(0))
  return {
    parts: [bytes.subarray(8, end)],
    join: ([part]) => {
      const length = Buffer.alloc(8)
      length.writeBigUInt64LE(BigInt((part as Uint8Array).length))
      return Buffer.concat([length, part as Uint8Array, bytes.subarray(end)])
    },
  }
}

/** The lines of a list of JSON objects. */
function lines(bytes: Buffer): Layer | undefined {
  const text = bytes.toString('utf8')
  const parts = text.split('\n')
  if (parts.length < 3 || !parts.slice(0, 2).every(isJsonObject)) return undefined
  return {
    parts: parts.map((line) => Buffer.from(line)),
    join: (changed) => Buffer.concat(changed.flatMap((line, at) => (at === 0 ? [line] : [newline, line]))),
  }
}

const newline = Buffer.from('\n')

function isJsonObject(text: string): boolean {
  try {
    return text.startsWith('{') && typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}
