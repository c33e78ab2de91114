import { cgF1, type PairBoxes } from './cg-f1.js'
import type { Detection, GroundTruth } from './coco-ap.js'

/** What is known of the categories of a picture. Of one that is in none of these nothing is known. */
export interface KnownCategories {
  /** Whether every category that has no box there is absent. */
  readonly exhaustive: boolean
  /** Categories that are known to be absent. */
  readonly absent: readonly number[]
  /** Categories of which the picture may show more than is boxed: they count neither way. */
  readonly partial: readonly number[]
}

/** How well a model says what is in a picture and what is not, and finds what is. */
export interface PresenceScores {
  /** cgF1, pmF1 and IL_MCC of SAM 3 over pairs of picture and category; -1 where there are no pairs. */
  readonly cgf1: number
  readonly pmf1: number
  readonly il_mcc: number
  /** The share of the pairs whose thing is absent that get a box; -1 where nothing is absent. */
  readonly false_presence: number
}

/**
 * Scores detections over all pairs of a picture and a category of which is known whether the one shows the
 * other. Only boxes of at least the confidence say that it does.
 *
 * @param pictures what is known, by the picture's id
 * @param categories ids of those that count
 * @param truth a picture and category with a crowd among them counts neither way, as in SA-Co, where such
 *   pairs are not exhaustive
 */
export function presenceScores(
  pictures: ReadonlyMap<number, KnownCategories>,
  categories: readonly number[],
  truth: readonly GroundTruth[],
  detections: readonly Detection[],
  confidence: number,
): PresenceScores {
  const pairs = judgedPairs(pictures, categories, truth)
  const all = pairs.count()
  if (all === 0) return { cgf1: -1, pmf1: -1, il_mcc: -1, false_presence: -1 }
  const confident = detections.filter(({ score }) => score >= confidence)
  const gold = { ...columns(truth, pairs.placeOf), iscrowd: new Uint8Array(truth.length) }
  const present = pairs.met()
  const found = {
    ...columns(confident, pairs.placeOf),
    scores: Float64Array.from(confident, ({ score }) => score),
  }
  // Pairs with neither boxes nor detections have got no place: they are the last ones.
  const { cgf1, pmf1, il_mcc } = cgF1(all, [gold], found, confidence)
  const absent = all - present
  const false_presence = absent === 0 ? -1 : (pairs.met() - present) / absent
  return { cgf1, pmf1, il_mcc, false_presence }
}

/** Numbers the pairs that count, in the order in which they are met. */
function judgedPairs(
  pictures: ReadonlyMap<number, KnownCategories>,
  categories: readonly number[],
  truth: readonly GroundTruth[],
) {
  const columnOf = new Map(categories.map((id, column) => [id, column]))
  const rows = new Map([...pictures.keys()].map((id, row) => [id, row]))
  const pairOf = (image: number, category: number) => {
    const row = rows.get(image)
    const column = columnOf.get(category)
    return row === undefined || column === undefined ? -1 : row * categories.length + column
  }
  const partial = new Set<number>()
  const known = new Set<number>()
  for (const [id, { absent, partial: more }] of pictures) {
    for (const category of more) partial.add(pairOf(id, category))
    for (const category of absent) known.add(pairOf(id, category))
  }
  for (const { image, category, iscrowd } of truth) (iscrowd ? partial : known).add(pairOf(image, category))
  partial.add(-1)
  const exhaustive = [...pictures.values()].map((picture) => picture.exhaustive)
  const isJudged = (pair: number) =>
    !partial.has(pair) && (known.has(pair) || exhaustive[Math.floor(pair / categories.length)] === true)
  const places = new Map<number, number>()
  return {
    /** The place of the pair of a box among those met; -1 where it does not count. */
    placeOf({ image, category }: { readonly image: number; readonly category: number }): number {
      const pair = pairOf(image, category)
      if (!isJudged(pair)) return -1
      const place = places.get(pair) ?? places.size
      places.set(pair, place)
      return place
    },
    met: () => places.size,
    /** How many pairs count. */
    count(): number {
      const isOfAll = (pair: number) => exhaustive[Math.floor(pair / categories.length)] === true
      let pairs = exhaustive.filter(Boolean).length * categories.length
      for (const pair of partial) if (isOfAll(pair)) pairs--
      for (const pair of known) if (!isOfAll(pair) && !partial.has(pair)) pairs++
      return pairs
    },
  }
}

function columns(
  boxes: readonly (GroundTruth | Detection)[],
  placeOf: (box: GroundTruth | Detection) => number,
): PairBoxes {
  const bbox = new Float64Array(4 * boxes.length)
  const pair = new Int32Array(boxes.length)
  boxes.forEach((box, index) => {
    pair[index] = placeOf(box)
    bbox.set(box.bbox, 4 * index)
  })
  return { pair, bbox }
}
