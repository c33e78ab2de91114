import type { Region } from '../rows/rows.js'
import type { Change, Grounded, Sample } from './answers.js'
import type { Inspected, Layer } from './layer.js'
import type { SampleReader } from './read-samples.js'

/** Samples of a layer with another layer's boxes beside them, and what became of each box from that one to this. */
export async function compareSamples(
  { compare }: Pick<Inspected, 'compare'>,
  reader: SampleReader,
  places: readonly number[],
  layer: Layer,
  against: Layer,
  threshold: number | null,
): Promise<Sample[]> {
  const after = await reader.read(places, layer)
  const before = await reader.read(places, against)
  return after.map((sample, at) => {
    const [a, b] = [
      regionsOf(before[at], threshold ?? against.threshold),
      regionsOf(sample, threshold ?? layer.threshold),
    ]
    const { moved, lost, added } = compare([...a.keys()], [...b.keys()])
    const [gone, come] = [new Set(lost), new Set(added)]
    const shifted = new Set(moved.map(({ region }) => region))
    // `compare` names what moved by its new place alone: an old box that is not lost has moved unless it is there still.
    const changeBefore = (region: Region): Change =>
      gone.has(region) ? 'alone' : hasEqual(b.keys(), region) ? 'same' : 'moved'
    const changeAfter = (region: Region): Change =>
      come.has(region) ? 'alone' : shifted.has(region) ? 'moved' : 'same'
    return {
      ...sample,
      changes: changesOf(sample, b, changeAfter),
      against: {
        phrases: before[at].phrases,
        boxes: before[at].boxes,
        changes: changesOf(before[at], a, changeBefore),
      },
    }
  })
}

/** The boxes above the threshold as regions, each with its place among the boxes. */
function regionsOf({ phrases, boxes }: Grounded, threshold: number): Map<Region, number> {
  const regions = new Map<Region, number>()
  boxes.forEach(({ phrase, xyxy, score, from, to }, at) => {
    if (!(from < threshold && threshold <= to)) return
    const { caption, start, end } = phrases[phrase]
    regions.set({ caption, phrase, start, end, xyxy, score, origin: '' }, at)
  })
  return regions
}

function changesOf(
  { boxes }: Grounded,
  regions: ReadonlyMap<Region, number>,
  changeOf: (region: Region) => Change,
): (Change | null)[] {
  const changes = new Array<Change | null>(boxes.length).fill(null)
  for (const [region, at] of regions) changes[at] = changeOf(region)
  return changes
}

const sameSpan = (a: Region, b: Region) => a.caption === b.caption && a.start === b.start && a.end === b.end

const hasEqual = (regions: Iterable<Region>, one: Region) =>
  [...regions].some(
    (other) => sameSpan(one, other) && one.xyxy.every((value, at) => value === other.xyxy[at]),
  )
