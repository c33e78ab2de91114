import type { Bare } from './bare.js'
import { orientationExif } from './orientation-exif.js'

/** `RIFF`, the length, `WEBP`. */
const headBytes = 12
/** Of a chunk: its name and length. */
const frameBytes = 8
/** Flags of VP8X (WebP container specification): whether there is a profile, EXIF, XMP. */
const flags = { profile: 0x20, exif: 0x08, xmp: 0x04 }
/** Decoders put the frames of an animation in a list that they walk through for each of them. */
const usualFrames = 1000

/** A WebP without profile and XMP, and of its EXIF the orientation alone. */
export function bareWebp(bytes: Buffer): Bare {
  const kept: Buffer[] = []
  let frames = 0
  let isBare = true
  let hasExif = false
  let at = headBytes
  while (at + frameBytes <= bytes.length) {
    const name = bytes.toString('latin1', at, at + 4)
    const size = bytes.readUInt32LE(at + 4)
    const end = Math.min(bytes.length, at + frameBytes + size + (size & 1))
    if (name === 'ANMF') frames++
    if (name === 'ICCP' || name === 'XMP ' || name === 'EXIF') {
      isBare = false
      const exif = name === 'EXIF' ? orientationExif(bytes.subarray(at + frameBytes, end)) : undefined
      if (exif) kept.push(chunk('EXIF', exif))
      hasExif ||= exif !== undefined
    } else kept.push(bytes.subarray(at, end))
    at = end
  }
  const isOdd = frames > usualFrames
  // One that is cut short stays so: its length would say that it is whole.
  if (isBare || bytes.readUInt32LE(4) + 8 > bytes.length) return { bytes, scans: 1, isOdd: isOdd || !isBare }
  const bare = Buffer.concat([bytes.subarray(0, headBytes), ...kept])
  bare.writeUInt32LE(bare.length - 8, 4)
  if (bare.toString('latin1', headBytes, headBytes + 4) === 'VP8X') {
    const given = bare[headBytes + frameBytes] ?? 0
    const without = given & ~(flags.profile | flags.xmp | flags.exif)
    bare[headBytes + frameBytes] = without | (hasExif ? flags.exif : 0)
  }
  return { bytes: bare, scans: 1, isOdd }
}

function chunk(name: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(frameBytes + data.length + (data.length & 1))
  bytes.write(name, 0, 'latin1')
  bytes.writeUInt32LE(data.length, 4)
  bytes.set(data, frameBytes)
  return bytes
}
