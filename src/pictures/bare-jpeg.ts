import type { Metadata } from 'sharp'
import type { Bare } from './bare.js'
import { orientationExif } from './orientation-exif.js'

/** Marks of segments (ITU-T T.81, table B.1). */
const marks = { app0: 0xe0, app1: 0xe1, app14: 0xee, app15: 0xef, comment: 0xfe, scan: 0xda, end: 0xd9 }

const isStandalone = (mark: number) => mark === 0x01 || (mark >= 0xd0 && mark <= 0xd8)
const isFrame = (mark: number) =>
  mark >= 0xc0 && mark <= 0xcf && mark !== 0xc4 && mark !== 0xc8 && mark !== 0xcc
const progressiveFrames: ReadonlySet<number> = new Set([0xc2, 0xca])
/** Frames of Huffman's code: baseline, extended and progressive. */
const plainFrames: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2])

/** What the gain map of an UltraHDR picture is told by; it is a JPEG in the JPEG, decoded with it. */
const gainMaps = ['hdrgm', 'urn:iso:std:iso:ts:21496'] as const

/**
 * A JPEG without its application segments and comments, but for those that say how its colours are coded (JFIF,
 * Adobe) and how it is turned. Its scans are counted where a decoder reads more than the first: where it is
 * progressive, or its components come in several.
 */
export function bareJpeg(bytes: Buffer): Bare {
  const kept: Uint8Array[] = []
  let from = 0
  let at = 2
  let components = 0
  let isProgressive = false
  let hasGainMap = false
  let [frames, metadata]: [number, Metadata | undefined] = [0, undefined]
  let isPlain = true
  for (;;) {
    at = nextMark(bytes, at)
    const mark = bytes[at + 1]
    // Without a scan there is nothing to decode, which the decoder tells.
    if (mark === undefined || mark === marks.end) return { bytes, scans: 0, isOdd: false }
    if (isStandalone(mark)) {
      at += 2
      continue
    }
    const end = at + 2 + (at + 4 <= bytes.length ? bytes.readUInt16BE(at + 2) : 0)
    if (end < at + 4 || end > bytes.length) return { bytes, scans: 0, isOdd: false }
    if (mark === marks.scan) break
    if (isFrame(mark)) {
      components = bytes[at + 9] ?? 0
      isProgressive = progressiveFrames.has(mark)
      frames++
      metadata = plainFrames.has(mark) ? frameMetadata(bytes.subarray(at + 4, end), isProgressive) : undefined
    }
    if (mark === marks.app14) isPlain = false
    if (isDropped(mark)) {
      const body = bytes.subarray(at + 4, end)
      if (gainMaps.some((name) => body.includes(name))) hasGainMap = true
      kept.push(bytes.subarray(from, at))
      const exif = mark === marks.app1 ? orientationExif(body) : undefined
      if (exif) isPlain = false
      if (exif) kept.push(Buffer.from([0xff, marks.app1, 0, exif.length + 2]), exif)
      from = end
    }
    at = end
  }
  const isInParts = isProgressive || (bytes[at + 4] ?? 0) < components
  const scans = isInParts ? countScans(bytes, at) : 1
  if (hasGainMap) return { bytes, scans, isOdd: true }
  const bare = from === 0 ? bytes : Buffer.concat([...kept, bytes.subarray(from)])
  return { bytes: bare, scans, isOdd: false, ...(isPlain && frames === 1 && metadata && { metadata }) }
}

/**
 * What libvips says of a picture with such a frame (ITU-T T.81, B.2.2), and without an orientation and Adobe's
 * segment, which change what it says; undefined where it would need more than the frame for that.
 */
function frameMetadata(frame: Buffer, isProgressive: boolean): Metadata | undefined {
  const [precision, components] = [frame[0], frame[5]]
  const isWhole = frame.length >= 6 && frame.length === 6 + 3 * (components ?? 0)
  if (!isWhole || precision !== 8 || (components !== 1 && components !== 3)) return undefined
  const [height, width] = [frame.readUInt16BE(1), frame.readUInt16BE(3)]
  // A height of 0 stands behind the first scan.
  if (width === 0 || height === 0) return undefined
  return {
    ...{ format: 'jpeg', width, height, channels: components, depth: 'uchar', isProgressive },
    ...{ space: components === 1 ? 'b-w' : 'srgb', hasProfile: false, hasAlpha: false },
    autoOrient: { width, height },
  } as Metadata
}

const isDropped = (mark: number) =>
  (mark > marks.app0 && mark <= marks.app15 && mark !== marks.app14) || mark === marks.comment

/** Where the next mark begins: the last of its 0xff; the length of the bytes where there is none. */
function nextMark(bytes: Buffer, from: number): number {
  let at = bytes.indexOf(0xff, from)
  while (at !== -1) {
    const next = bytes[at + 1]
    if (next !== 0xff && next !== 0) return at
    at = bytes.indexOf(0xff, next === 0 ? at + 2 : at + 1)
  }
  return bytes.length
}

/** Scans from the first one's mark on, to the mark of the end. */
function countScans(bytes: Buffer, first: number): number {
  let scans = 0
  let at = first
  while (at < bytes.length) {
    const mark = bytes[at + 1]
    if (mark === undefined || mark === marks.end) break
    if (mark === marks.scan) scans++
    // Behind the header of a scan come its bits, up to the next mark that is none of a restart.
    at = isStandalone(mark) ? at + 2 : at + 2 + (at + 4 <= bytes.length ? bytes.readUInt16BE(at + 2) : 2)
    at = nextMark(bytes, at)
  }
  return scans
}
