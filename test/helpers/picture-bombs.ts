import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'

/** A segment of a JPEG: its mark, its length, its body. */
function segment(mark: number, body: Uint8Array | readonly number[]): Buffer {
  const head = Buffer.from([0xff, mark, 0, 0])
  head.writeUInt16BE(body.length + 2, 2)
  return Buffer.concat([head, Buffer.from(body)])
}

const short = (value: number) => [value >> 8, value & 0xff]
const joined = (...parts: readonly (Uint8Array | readonly Uint8Array[])[]) =>
  Buffer.concat(parts.flatMap((part) => (part instanceof Uint8Array ? [part] : part)))
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

/**
 * A progressive JPEG of one colour whose scans say of all blocks that nothing changes: a few bytes for each
 * scan, and a decoder goes over the whole picture.
 */
export function scansJpeg(width: number, height: number, scans: number): Buffer {
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8)
  // Each table has one code, 0: of no difference, and of a run of 2^14 blocks and as many as 14 bits say.
  const table = (kind: number, symbol: number) => segment(0xc4, [kind, 1, ...times(15, 0), symbol])
  const runs = '0'.repeat(15 * Math.ceil(blocks / 2 ** 14))
  const scan = (from: number, to: number, bits: number) =>
    joined(segment(0xda, [1, 1, 0, from, to, 0]), Buffer.alloc(Math.ceil(bits / 8)))
  return joined(
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, [0, ...times(64, 1)]),
    segment(0xc2, [8, ...short(height), ...short(width), 1, 1, 0x11, 0]),
    table(0x00, 0),
    table(0x10, 0xe0),
    scan(0, 0, blocks),
    times(scans - 1, scan(1, 63, runs.length)),
    Buffer.from([0xff, 0xd9]),
  )
}

const square = (side = 64) =>
  sharp({ create: { width: side, height: side, channels: 3, background: '#c33' } })

/** A JPEG of 64 x 64 with more segments behind its first mark. */
async function withSegments(segments: readonly Uint8Array[]): Promise<Buffer> {
  const jpeg = await square().jpeg().toBuffer()
  return joined(jpeg.subarray(0, 2), segments, jpeg.subarray(2))
}

/**
 * EXIF of a first list of so many entries, each of which points at that list again, and of the orientation 6,
 * which comes first.
 */
export function pointingExif(pointers: number): Buffer {
  const exif = Buffer.alloc(6 + 8 + 2 + 12 * (pointers + 1) + 4)
  exif.write('Exif\0\0II*\0', 'latin1')
  exif.writeUInt32LE(8, 10)
  exif.writeUInt16LE(pointers + 1, 14)
  const entry = (index: number, tag: number, type: number, value: number) => {
    const at = 16 + 12 * index
    exif.writeUInt16LE(tag, at)
    exif.writeUInt16LE(type, at + 2)
    exif.writeUInt32LE(1, at + 4)
    exif.writeUInt32LE(value, at + 8)
  }
  entry(0, 274, 3, 6)
  for (let index = 1; index <= pointers; index++) entry(index, index % 2 ? 0x8769 : 0x8825, 4, 8)
  return exif
}

export const pointingJpeg = (pointers: number): Promise<Buffer> =>
  withSegments([segment(0xe1, pointingExif(pointers))])

function chunk(type: string, data: Uint8Array | readonly number[]): Buffer {
  const bytes = joined(Buffer.alloc(4), Buffer.from(type, 'latin1'), Buffer.from(data), Buffer.alloc(4))
  bytes.writeUInt32BE(data.length, 0)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, -4)), bytes.length - 4)
  return bytes
}

/** A PNG of 64 x 64 with more chunks behind its header. */
async function withChunks(chunks: readonly Uint8Array[], data?: Uint8Array): Promise<Buffer> {
  const png = await square().png().toBuffer()
  const rest = data ? joined(chunk('IDAT', data), chunk('IEND', [])) : png.subarray(33)
  return joined(png.subarray(0, 33), chunks, rest)
}

/** Texts, each of so many bytes, packed a thousandfold. */
export const textPng = (texts: number, bytes: number): Promise<Buffer> =>
  withChunks(times(texts, chunk('zTXt', joined(Buffer.from('a\0\0'), deflateSync(Buffer.alloc(bytes))))))

function riff(name: string, data: Uint8Array): Buffer {
  const bytes = joined(Buffer.from(name, 'latin1'), Buffer.alloc(4), data, Buffer.alloc(data.length & 1))
  bytes.writeUInt32LE(data.length, 4)
  return bytes
}

/** The header of a WebP with flags, for sides that it claims. */
function vp8x(flags: number, width: number, height: number): Buffer {
  const body = Buffer.from([flags, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  body.writeUIntLE(width - 1, 4, 3)
  body.writeUIntLE(height - 1, 7, 3)
  return riff('VP8X', body)
}

const webpOf = (...chunks: readonly (Uint8Array | readonly Uint8Array[])[]) =>
  riff('RIFF', joined(Buffer.from('WEBP', 'latin1'), ...chunks))

/** A WebP of 64 x 64 that moves, of so many frames. */
export async function framesWebp(frames: number): Promise<Buffer> {
  const still = await square().webp().toBuffer()
  const place = Buffer.from([0, 0, 0, 0, 0, 0, 63, 0, 0, 63, 0, 0, 10, 0, 0, 0])
  const frame = riff('ANMF', joined(place, still.subarray(12)))
  return webpOf(vp8x(0x02, 64, 64), riff('ANIM', Buffer.alloc(6)), times(frames, frame))
}

/** A GIF whose frames are of one pixel, the first on a picture of these sides. */
function framesGif(width: number, height: number, frames: number): Buffer {
  const screen = Buffer.from([0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255])
  screen.writeUInt16LE(width, 0)
  screen.writeUInt16LE(height, 2)
  const frame = Buffer.from([0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 0x01, 0])
  return joined(Buffer.from('GIF89a'), screen, times(frames, frame), Buffer.from([0x3b]))
}

/** A TIFF of grey pages of 64 x 64 that share their pixels. */
export function pagesTiff(pages: number, isCircle = false): Buffer {
  const pageBytes = 2 + 12 * 9 + 4
  const pixels = 8 + pageBytes * pages
  const bytes = Buffer.alloc(pixels + 64 * 64, 127)
  bytes.write('II*\0', 'latin1')
  bytes.writeUInt32LE(8, 4)
  const tags = [
    [256, 64],
    [257, 64],
    [258, 8],
    [259, 1],
    [262, 1],
    [273, pixels],
    [277, 1],
    [278, 64],
    [279, 64 * 64],
  ] as const
  for (let page = 0; page < pages; page++) {
    const at = 8 + pageBytes * page
    bytes.writeUInt16LE(tags.length, at)
    tags.forEach(([tag, value], index) => {
      bytes.writeUInt16LE(tag, at + 2 + 12 * index)
      bytes.writeUInt16LE(4, at + 4 + 12 * index)
      bytes.writeUInt32LE(1, at + 6 + 12 * index)
      bytes.writeUInt32LE(value, at + 10 + 12 * index)
    })
    const next = page < pages - 1 ? at + pageBytes : isCircle ? 8 : 0
    bytes.writeUInt32LE(next, at + pageBytes - 4)
  }
  return bytes
}

/** A TIFF of so many tags, each of which says that its values fill the file. */
export function fullTagsTiff(tags: number, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  bytes.write('II*\0', 'latin1')
  bytes.writeUInt32LE(8, 4)
  bytes.writeUInt16LE(tags, 8)
  for (let tag = 0; tag < tags; tag++) {
    bytes.writeUInt16LE(tag, 10 + 12 * tag)
    bytes.writeUInt16LE(3, 12 + 12 * tag)
    bytes.writeUInt32LE(Math.floor(size / 2), 14 + 12 * tag)
  }
  return bytes
}

/** An AVIF of one colour, of these sides, whose header claims 64 x 64. */
export async function hidingAvif(side: number): Promise<Buffer> {
  const bytes = await square(side).avif({ effort: 0 }).toBuffer()
  const at = bytes.indexOf('ispe', 0, 'latin1')
  bytes.writeUInt32BE(64, at + 8)
  bytes.writeUInt32BE(64, at + 12)
  return bytes
}

/** Pictures that are made to take a machine, in small, by what they are. */
export async function pictureBombs(): Promise<Readonly<Record<string, Uint8Array>>> {
  const profile = (part: number, parts: number) =>
    segment(
      0xe2,
      joined(Buffer.from('ICC_PROFILE\0', 'latin1'), Buffer.from([part, parts]), Buffer.alloc(65_000)),
    )
  const packed = (bytes: number) => deflateSync(Buffer.alloc(bytes))
  const entities = times(9, 0).map((_, level) => `<!ENTITY e${level + 1} "${`&e${level};`.repeat(10)}">`)
  const still = await square().webp().toBuffer()
  return {
    'JPEG of 4,000 empty scans': scansJpeg(900, 600, 4000),
    'JPEG of 101 scans': scansJpeg(90, 60, 101),
    'JPEG of 100 scans': scansJpeg(90, 60, 100),
    'JPEG of 65,500 x 65,500 without data': scansJpeg(16, 16, 1).fill(
      Buffer.from([...short(65_500), ...short(65_500)]),
      76,
      80,
    ),
    'JPEG whose EXIF points at itself, turned by orientation 6': await pointingJpeg(1),
    'JPEG whose EXIF points at itself 5,000 times': await pointingJpeg(5000),
    'JPEG with 20,000 comments': await withSegments(times(20_000, segment(0xfe, [33]))),
    'JPEG with a profile of 455 kB': await withSegments(
      [1, 2, 3, 4, 5, 6, 7].map((part) => profile(part, 7)),
    ),
    'PNG with texts of 100 MB in 100 kB': await textPng(2, 50_000_000),
    'PNG with a profile of 50 MB in 50 kB': await withChunks([
      chunk('iCCP', joined(Buffer.from('a\0\0'), packed(50_000_000))),
    ]),
    'PNG of 64 x 64 with data of 50 MB': await withChunks([], packed(50_000_000)),
    'PNG of 30,000 empty chunks': await withChunks(times(30_000, chunk('abCd', []))),
    'PNG of 30,000 empty chunks of data': await withChunks(times(30_000, chunk('IDAT', []))),
    'interlaced PNG': await square().png({ progressive: true }).toBuffer(),
    'GIF of 65,535 x 65,535 in 35 bytes': framesGif(65_535, 65_535, 1),
    'moving GIF of 30,000 frames': framesGif(64, 64, 30_000),
    'WebP of 16,000 x 16,000 around one of 64 x 64': webpOf(vp8x(0, 16_000, 16_000), still.subarray(12)),
    'moving WebP of 4,000 frames': await framesWebp(4000),
    'TIFF of 3,000 pages': pagesTiff(3000),
    'TIFF whose pages go in a circle': pagesTiff(3, true),
    'TIFF of 30,000 tags that each fill the file': fullTagsTiff(30_000, 400_000),
    'AVIF of 3,000 x 3,000 that claims 64 x 64': await hidingAvif(3000),
    'SVG of entities in entities': Buffer.from(
      `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY e0 "ha">${entities.join('')}]><svg>&e9;</svg>`,
    ),
  }
}
