/** Average precision as pycocotools computes it (COCOeval, iouType "bbox"), number for number. */

export interface GroundTruth {
  readonly image: number
  readonly category: number
  /** x, y, width, height. */
  readonly bbox: readonly [number, number, number, number]
  readonly area: number
  readonly iscrowd: boolean
}

export interface Detection {
  readonly image: number
  readonly category: number
  /** x, y, width, height. */
  readonly bbox: readonly [number, number, number, number]
  readonly score: number
}

/** The twelve numbers of COCO's summary, 0 to 1; -1 where there was nothing to find. */
export interface CocoSummary {
  readonly ap: number
  readonly ap50: number
  readonly ap75: number
  readonly ap_small: number
  readonly ap_medium: number
  readonly ap_large: number
  readonly ar1: number
  readonly ar10: number
  readonly ar100: number
  readonly ar_small: number
  readonly ar_medium: number
  readonly ar_large: number
}

/** np.linspace(0.5, 0.95, 10) and np.linspace(0, 1, 101), with its rounding. */
const iouStep = (0.95 - 0.5) / 9
const iouThresholds = Array.from({ length: 10 }, (_, index) => (index === 9 ? 0.95 : index * iouStep + 0.5))
const recallThresholds = Array.from({ length: 101 }, (_, index) => (index === 100 ? 1 : index * 0.01))
const areaRanges = [
  [0, 1e10],
  [0, 32 ** 2],
  [32 ** 2, 96 ** 2],
  [96 ** 2, 1e10],
] as const
const maxDetections = [1, 10, 100] as const

/** Detections of one image and category against its ground truth, for one range of areas. */
interface ImageEvaluation {
  /** Descending. */
  readonly scores: Float64Array
  /** [thresholds * detections], 1 where matched. */
  readonly matched: Uint8Array
  /** [thresholds * detections], 1 where the detection counts neither way. */
  readonly ignored: Uint8Array
  /** Ground truth that counts. */
  readonly positives: number
}

/**
 * COCO average precision and recall.
 *
 * @param truth boxes of all images; crowds are matched by any number of detections and count for none
 */
export function cocoAp(truth: readonly GroundTruth[], detections: readonly Detection[]): CocoSummary {
  const categories = [...new Set(truth.map(({ category }) => category))].sort((a, b) => a - b)
  const truthOf = groupBoxes(truth)
  const foundOf = groupBoxes(detections)
  // [area][maxDetections][category]: precision at each threshold and recall, and the recall reached.
  const results = areaRanges.map(() => maxDetections.map((): Curve[] => []))
  for (const category of categories) {
    const images = new Set([
      ...(truthOf.get(category)?.keys() ?? []),
      ...(foundOf.get(category)?.keys() ?? []),
    ])
    const pairs = [...images]
      .sort((a, b) => a - b)
      .map((image) =>
        prepare(truthOf.get(category)?.get(image) ?? [], foundOf.get(category)?.get(image) ?? []),
      )
    areaRanges.forEach((range, area) => {
      const evaluations = pairs.map((pair) => matchImage(pair, range))
      maxDetections.forEach((most, index) => {
        const curve = accumulate(evaluations, most)
        if (curve) results[area][index].push(curve)
      })
    })
  }
  const precision = (area: number, threshold?: number) =>
    mean(results[area][2].flatMap(({ precisions }) => pick(precisions, recallThresholds.length, threshold)))
  const recall = (area: number, most: number) =>
    mean(results[area][most].flatMap(({ recalls }) => [...recalls]))
  return {
    ap: precision(0),
    ap50: precision(0, 0),
    ap75: precision(0, 5),
    ap_small: precision(1),
    ap_medium: precision(2),
    ap_large: precision(3),
    ar1: recall(0, 0),
    ar10: recall(0, 1),
    ar100: recall(0, 2),
    ar_small: recall(1, 2),
    ar_medium: recall(2, 2),
    ar_large: recall(3, 2),
  }
}

const pick = (values: Float64Array, width: number, row: number | undefined) =>
  row === undefined ? [...values] : [...values.subarray(row * width, (row + 1) * width)]

const mean = (values: readonly number[]) =>
  values.length === 0 ? -1 : values.reduce((sum, value) => sum + value, 0) / values.length

function groupBoxes<T extends { readonly image: number; readonly category: number }>(boxes: readonly T[]) {
  const groups = new Map<number, Map<number, T[]>>()
  for (const box of boxes) {
    const images = groups.get(box.category) ?? new Map<number, T[]>()
    groups.set(box.category, images)
    const list = images.get(box.image)
    if (list) list.push(box)
    else images.set(box.image, [box])
  }
  return groups
}

interface Pair {
  readonly truth: readonly GroundTruth[]
  /** Highest score first, at most the largest number of detections. */
  readonly found: readonly Detection[]
  /** [found * truth] */
  readonly ious: Float64Array
}

function prepare(truth: readonly GroundTruth[], all: readonly Detection[]): Pair {
  // Array.prototype.sort is stable, as NumPy's mergesort.
  const found = [...all].sort((a, b) => b.score - a.score).slice(0, maxDetections[2])
  const ious = new Float64Array(found.length * truth.length)
  found.forEach((detection, row) => {
    truth.forEach((box, column) => {
      ious[row * truth.length + column] = overlap(detection.bbox, box.bbox, box.iscrowd)
    })
  })
  return { truth, found, ious }
}

/** Intersection over union; over the detection's own area where the ground truth is a crowd. */
function overlap(a: Detection['bbox'], b: Detection['bbox'], iscrowd: boolean): number {
  const width = Math.min(a[2] + a[0], b[2] + b[0]) - Math.max(a[0], b[0])
  if (width <= 0) return 0
  const height = Math.min(a[3] + a[1], b[3] + b[1]) - Math.max(a[1], b[1])
  if (height <= 0) return 0
  const shared = width * height
  return shared / (iscrowd ? a[2] * a[3] : a[2] * a[3] + b[2] * b[3] - shared)
}

function matchImage({ truth, found, ious }: Pair, [low, high]: readonly [number, number]): ImageEvaluation {
  const outside = (area: number) => area < low || area > high
  const ignoredTruth = truth.map(({ iscrowd, area }) => iscrowd || outside(area))
  // What counts comes first; a detection looks at the rest only when it found nothing there.
  const order = truth
    .map((_, index) => index)
    .sort((a, b) => Number(ignoredTruth[a]) - Number(ignoredTruth[b]))
  const matched = new Uint8Array(iouThresholds.length * found.length)
  const ignored = new Uint8Array(iouThresholds.length * found.length)
  iouThresholds.forEach((threshold, row) => {
    const taken = new Uint8Array(truth.length)
    found.forEach((detection, column) => {
      let best = Math.min(threshold, 1 - 1e-10)
      let match = -1
      for (const index of order) {
        if (taken[index] && !truth[index].iscrowd) continue
        if (match > -1 && !ignoredTruth[match] && ignoredTruth[index]) break
        const iou = ious[column * truth.length + index]
        if (iou < best) continue
        best = iou
        match = index
      }
      const at = row * found.length + column
      if (match > -1) {
        matched[at] = 1
        taken[match] = 1
        ignored[at] = ignoredTruth[match] ? 1 : 0
      } else if (outside(detection.bbox[2] * detection.bbox[3])) ignored[at] = 1
    })
  })
  return {
    scores: Float64Array.from(found, ({ score }) => score),
    matched,
    ignored,
    positives: ignoredTruth.filter((skip) => !skip).length,
  }
}

interface Curve {
  /** [thresholds * recallThresholds] */
  readonly precisions: Float64Array
  /** [thresholds] */
  readonly recalls: Float64Array
}

/** np.spacing(1) */
const epsilon = 2 ** -52

function accumulate(evaluations: readonly ImageEvaluation[], most: number): Curve | undefined {
  const positives = evaluations.reduce((sum, evaluation) => sum + evaluation.positives, 0)
  if (positives === 0) return undefined
  const entries: { evaluation: ImageEvaluation; at: number; score: number }[] = []
  for (const evaluation of evaluations) {
    for (let at = 0; at < Math.min(most, evaluation.scores.length); at++) {
      entries.push({ evaluation, at, score: evaluation.scores[at] })
    }
  }
  entries.sort((a, b) => b.score - a.score)
  const precisions = new Float64Array(iouThresholds.length * recallThresholds.length)
  const recalls = new Float64Array(iouThresholds.length)
  const precision = new Float64Array(entries.length)
  const recall = new Float64Array(entries.length)
  iouThresholds.forEach((_, row) => {
    let [right, wrong] = [0, 0]
    entries.forEach(({ evaluation, at }, index) => {
      const place = row * evaluation.scores.length + at
      if (!evaluation.ignored[place]) {
        if (evaluation.matched[place]) right++
        else wrong++
      }
      recall[index] = right / positives
      precision[index] = right / (wrong + right + epsilon)
    })
    recalls[row] = entries.length > 0 ? recall[entries.length - 1] : 0
    for (let index = entries.length - 1; index > 0; index--) {
      if (precision[index] > precision[index - 1]) precision[index - 1] = precision[index]
    }
    let index = 0
    recallThresholds.forEach((threshold, column) => {
      while (index < entries.length && recall[index] < threshold) index++
      precisions[row * recallThresholds.length + column] = index < entries.length ? precision[index] : 0
    })
  })
  return { precisions, recalls }
}
