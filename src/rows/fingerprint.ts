/**
 * What is stored of a picture to know its copies by: edited ones too, without a rim, mirrored, with a logo.
 * 176 bytes, in Base64: two little-endian words for each of 16 keypoints, the strongest first and zeros where there
 * are fewer, and 16 cells of colour.
 */
export const fingerprintLayout = {
  keypoints: 16,
  /** Side of the square that keypoints lie in, whatever the picture's own sides are. */
  side: 64,
  /** Cells of colour on a side: luma, Cb and Cr as a byte each, row by row. */
  cells: 4,
  /** 32-bit words of all. */
  words: 44,
} as const

/** A spot that is darker or brighter than what is around it, and what it looks like there. */
export interface Keypoint {
  /** Of its centre, 0 to 63.75 in quarters. */
  readonly x: number
  readonly y: number
  /** 32 signs of a DCT of the luma around it, mirrored where `mirrored` is true so that mirror images have the same. */
  readonly code: number
  readonly mirrored: boolean
  /** The three bits of the code that a small change turns over first. */
  readonly unsure: readonly [number, number, number]
}

/** A fingerprint as it is stored. */
export function packFingerprint(keypoints: readonly Keypoint[], colours: Uint8Array): string {
  const packed = Buffer.alloc(4 * fingerprintLayout.words)
  let at = 0
  for (const { x, y, code, mirrored, unsure } of keypoints) {
    const [first, second, third] = unsure
    const about = (mirrored ? 1 : 0) | (first << 1) | (second << 6) | (third << 11)
    at = packed.writeUInt32LE(code, at)
    at = packed.writeUInt32LE((Math.round(4 * x) | (Math.round(4 * y) << 8) | (about << 16)) >>> 0, at)
  }
  packed.set(colours, 8 * fingerprintLayout.keypoints)
  return packed.toString('base64')
}

/** The words of a fingerprint that is stored; undefined where it is none. */
export function readFingerprint(text: string | null | undefined): Uint32Array | undefined {
  const words = new Uint32Array(fingerprintLayout.words)
  if (!text || Buffer.byteLength(text, 'base64') !== words.byteLength) return undefined
  // Little-endian, as the machines are that this runs on.
  return Buffer.from(words.buffer).write(text, 'base64') === words.byteLength ? words : undefined
}
