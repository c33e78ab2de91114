import { fingerprintLayout } from '../rows/fingerprint.js'
import { ones } from './near-index.js'

const { keypoints, side, cells } = fingerprintLayout

/** Quarters of a cell, of 64 on a side, by which a keypoint may lie elsewhere: rims of up to 6 % move it so far. */
export const maxMove = 16
/** Bits by which the codes of two keypoints may differ, of 32. */
const maxBits = 6
/** Quarters of a cell by which a keypoint may miss where the others say that it is. */
const maxMiss = 5
/** How much larger or smaller a side may be: of a picture without rims of 6 % the rest is 1.14 times as large. */
const maxScale = 1.15
/**
 * Bits of evidence that keypoints must be of one picture: four of the same codes have them, or ten that differ by
 * six bits each. A logo leaves few keypoints, but those as they were.
 */
const minEvidence = 110
/** Share of the keypoints that bears out near hashes. */
const needShare = 0.6

/** Steps of Cb and Cr by which four fifths of the cells may differ at most. */
const maxChroma = 15
/** Luma, in standard deviations of the picture's, by which they may. */
const maxLuma = 0.75

/** A keypoint of one picture and the one of the other that it is, in quarters of cells. */
interface Match {
  readonly code: number
  /** By which the codes differ. */
  readonly bits: number
  readonly from: readonly [x: number, y: number]
  readonly to: readonly [x: number, y: number]
}

/**
 * The evidence of a match, by the bits in which the codes differ: how unlikely it is that of two codes without anything
 * in common no more of 32 do, as a binary logarithm (a contrario: Desolneux, Moisan, Morel 2000).
 */
const evidence: readonly number[] = (() => {
  let codes = 0
  let codesOfBits = 1
  return Array.from({ length: maxBits + 1 }, (_, bits) => {
    codes += codesOfBits
    codesOfBits *= (32 - bits) / (bits + 1)
    return 32 - Math.log2(codes)
  })
})()

/**
 * Whether two fingerprints are of one picture, edited or not: enough evidence of keypoints that look the same, each unlike
 * the others (of an edge there are many that look alike), where one scale and shift puts all of them; and the same
 * colours, part by part.
 *
 * @param mirrored whether a mirror image is one, too
 */
export function isSamePicture(one: Uint32Array, other: Uint32Array, mirrored: boolean): boolean {
  return isSameWay(one, other, false) || (mirrored && isSameWay(one, other, true))
}

/**
 * Whether two fingerprints bear out that pictures of near perceptual hashes are one: the same colours, and three fifths of the
 * keypoints of the one that has fewer. Pictures without much in them, such as skies, things on white or screens, have
 * near hashes whatever they show.
 */
export function bearsOut(one: Uint32Array, other: Uint32Array): boolean {
  const needed = Math.min(countKeypoints(one), countKeypoints(other)) * needShare
  const same = agreeing(matchesOf(one, other, false)).length
  return same >= needed && isSameColour(one, other, false)
}

function countKeypoints(words: Uint32Array): number {
  let count = 0
  while (count < keypoints && words[2 * count + 1] !== 0) count++
  return count
}

function isSameWay(one: Uint32Array, other: Uint32Array, mirrored: boolean): boolean {
  const matches = matchesOf(one, other, mirrored)
  if (evidenceOf(matches) < minEvidence) return false
  return evidenceOf(unlike(agreeing(matches))) >= minEvidence && isSameColour(one, other, mirrored)
}

function matchesOf(one: Uint32Array, other: Uint32Array, mirrored: boolean): Match[] {
  const matches: Match[] = []
  for (let at = 0; at < 2 * keypoints && one[at + 1] !== 0; at += 2) {
    const code = one[at]!
    const about = one[at + 1]!
    const x = placeX(about, false)
    const y = placeY(about)
    let best = maxBits + 1
    let to: readonly [number, number] = [0, 0]
    for (let its = 0; its < 2 * keypoints && other[its + 1] !== 0; its += 2) {
      const itsAbout = other[its + 1]!
      if ((((about ^ itsAbout) >>> 16) & 1) !== (mirrored ? 1 : 0)) continue
      const itsX = placeX(itsAbout, mirrored)
      const itsY = placeY(itsAbout)
      if (Math.abs(itsX - x) > maxMove || Math.abs(itsY - y) > maxMove) continue
      const bits = ones(other[its]! ^ code)
      if (bits >= best) continue
      best = bits
      to = [itsX, itsY]
    }
    if (best <= maxBits) matches.push({ code, bits: best, from: [x, y], to })
  }
  return matches
}

/** Of a keypoint's second word, in quarters of cells. */
export const placeX = (about: number, mirrored: boolean) =>
  mirrored ? 4 * (side - 1) - (about & 255) : about & 255
export const placeY = (about: number) => (about >>> 8) & 255

/** Matches that one scale and shift of each axis explains: the one that fits worst is left out until all fit. */
function agreeing(matches: readonly Match[]): readonly Match[] {
  let left = matches
  while (left.length > 0) {
    const miss = [axisMiss(left, 0), axisMiss(left, 1)] as const
    const worst = left.map((match) => Math.max(miss[0](match), miss[1](match)))
    const most = Math.max(...worst)
    if (most <= maxMiss) break
    left = left.filter((_, index) => worst[index] !== most)
  }
  return left
}

/** Least squares of an axis, drawn towards a scale of 1 where the matches lie too close to tell. */
function axisMiss(matches: readonly Match[], axis: 0 | 1): (match: Match) => number {
  const mean = (of: (match: Match) => number) =>
    matches.reduce((sum, match) => sum + of(match), 0) / matches.length
  const from = mean((match) => match.from[axis])
  const to = mean((match) => match.to[axis])
  let spread = 800
  let together = 800
  for (const match of matches) {
    spread += (match.from[axis] - from) ** 2
    together += (match.from[axis] - from) * (match.to[axis] - to)
  }
  const scale = Math.max(1 / maxScale, Math.min(maxScale, together / spread))
  return (match) => Math.abs(scale * (match.from[axis] - from) + to - match.to[axis])
}

/** Those of the matches whose codes differ from one another by more than what counts as the same, the best first. */
function unlike(matches: readonly Match[]): readonly Match[] {
  const left: Match[] = []
  for (const match of matches.toSorted((one, other) => one.bits - other.bits))
    if (left.every(({ code }) => ones(code ^ match.code) > maxBits)) left.push(match)
  return left
}

const evidenceOf = (matches: readonly Match[]) => matches.reduce((sum, { bits }) => sum + evidence[bits]!, 0)

/**
 * Whether four fifths of the cells have the same colours: a logo may cover the others. Luma is compared apart from what
 * most cells differ by, since pictures are made brighter.
 */
function isSameColour(one: Uint32Array, other: Uint32Array, mirrored: boolean): boolean {
  const [mine, its] = [coloursOf(one), coloursOf(other)]
  const deviation = Math.max(2, lumaDeviation(mine), lumaDeviation(its))
  const chroma: number[] = []
  const luma: number[] = []
  for (let cell = 0; cell < cells * cells; cell++) {
    const at = 3 * cell
    const column = cell % cells
    const to = mirrored ? 3 * (cell - column + cells - 1 - column) : at
    chroma.push(Math.hypot(mine[at + 1]! - its[to + 1]!, mine[at + 2]! - its[to + 2]!))
    luma.push((mine[at]! - its[to]!) / deviation)
  }
  const shift = luma.toSorted((a, b) => a - b)[luma.length / 2]!
  const alike = chroma.filter(
    (distance, cell) => distance <= maxChroma && Math.abs(luma[cell]! - shift) <= maxLuma,
  )
  return alike.length >= 0.8 * cells * cells
}

const coloursOf = (words: Uint32Array) =>
  new Uint8Array(words.buffer, words.byteOffset + 8 * keypoints, 3 * cells * cells)

/** Standard deviation of the cells' luma. */
function lumaDeviation(colours: Uint8Array): number {
  let sum = 0
  let squares = 0
  for (let at = 0; at < colours.length; at += 3) {
    sum += colours[at]!
    squares += colours[at]! ** 2
  }
  const count = cells * cells
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2))
}
