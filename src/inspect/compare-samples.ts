import { matchRegions, type SpannedBox } from '../boxes/match-regions.js'
import type { Layer } from './index/layer.js'
import type { SampleReader } from './sample-reader.js'
import type { Change, Grounded, Sample } from './view/answers.js'
import { isKept, thresholdOf } from './view/threshold.js'
import type { View } from './view/view.js'

/**
 * Samples of a layer with another layer's boxes beside them, and what became of each box from that one to
 * this.
 */
export async function compareSamples(
  reader: SampleReader,
  places: readonly number[],
  layer: Layer,
  against: Layer,
  view: Pick<View, 'threshold'>,
): Promise<Sample[]> {
  const after = await reader.read(places, layer)
  const before = await reader.read(places, against)
  return after.flatMap((sample, at) => {
    const other = before[at]
    if (!other) return []
    const now = keptBoxes(sample, thresholdOf(view, layer))
    const old = keptBoxes(other, thresholdOf(view, against))
    const { phrases, boxes } = other
    const changes = changesOf(old, now)
    return {
      ...sample,
      changes: placed(sample, now, changes.after),
      against: { phrases, boxes, changes: placed(other, old, changes.before) },
    }
  })
}

/** A box that is kept, with its place among the sample's boxes. */
interface KeptBox extends SpannedBox {
  readonly place: number
}

function keptBoxes({ phrases, boxes }: Grounded, threshold: number): KeptBox[] {
  return boxes.flatMap(({ phrase, xyxy, score, from, to, relabelled }, place) => {
    const span = phrases[phrase]
    if (!span || !isKept(from, to, threshold)) return []
    const { start, end } = relabelled ?? span
    return { caption: span.caption, start, end, xyxy, score, place }
  })
}

/** What became of each box of two lists. */
function changesOf(before: readonly KeptBox[], after: readonly KeptBox[]) {
  const changes = {
    before: new Array<Change>(before.length).fill('alone'),
    after: new Array<Change>(after.length).fill('alone'),
  }
  for (const pair of matchRegions(before, after)) {
    const change = pair.isEqual ? 'same' : 'moved'
    changes.before[pair.before] = change
    changes.after[pair.after] = change
  }
  return changes
}

/** The changes of boxes at their places among all of the sample's; null at those that are not kept. */
function placed(
  { boxes }: Grounded,
  kept: readonly KeptBox[],
  changes: readonly Change[],
): (Change | null)[] {
  const all = new Array<Change | null>(boxes.length).fill(null)
  kept.forEach(({ place }, at) => {
    all[place] = changes[at] ?? null
  })
  return all
}
