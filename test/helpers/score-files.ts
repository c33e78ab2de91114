import { readDetections } from '../../src/evaluate/benchmark-ids.js'
import { cocoAp } from '../../src/evaluate/coco-ap.js'
import { lvisAp } from '../../src/evaluate/lvis-ap.js'
import { type Protocol, readDetectionTruth } from '../../src/evaluate/read-detection-truth.js'

/** Files as texts, with NaN as Python writes it, and what the official program says of them. */
export interface OfficialScores {
  readonly name: string
  readonly protocol: Protocol
  readonly truth: string
  readonly detections: string
  /** What pycocotools (12 numbers) or lvis (13) says, in its order. */
  readonly stats: readonly number[]
}

/** What this program says of two files, in the official order. */
export async function scoreFiles(
  protocol: Protocol,
  paths: { readonly truth: string; readonly found: string },
): Promise<number[]> {
  const truth = await readDetectionTruth(paths.truth, protocol)
  const found = await readDetections(paths.found, truth)
  if (protocol === 'coco') return Object.values(cocoAp(truth.boxes, found))
  const { lvis } = truth
  if (!lvis) throw new Error('the file is not of LVIS')
  return Object.values(lvisAp({ ...lvis, boxes: truth.boxes }, found))
}

/** The largest difference of two lists of scores, NaN where one of them is longer. */
export const scoreGap = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length
    ? Math.max(...a.map((value, at) => Math.abs(value - (b[at] ?? Number.NaN))))
    : Number.NaN
