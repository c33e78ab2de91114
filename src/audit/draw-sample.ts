import { random } from '../base/random.js'
import type { PlacedLabel } from './placed-labels.js'

/** A label, or a phrase without one, that a person is to judge: a line of the file of a sample. */
export interface SampledLabel extends Omit<PlacedLabel, 'kinds' | 'siblings'> {
  /** The group that it was drawn from at random, how many there are in it, and the share that was drawn. */
  readonly stratum: string
  readonly population: number
  readonly probability: number
  /** For the person: whether the box is of a thing that the text names. Null where not judged, or no box. */
  readonly right: boolean | null
  /** For the person: how many things the text names that none of its boxes finds. Null where not counted. */
  readonly missed: number | null
}

export interface SampleOptions {
  /** How many labels to draw, and how many phrases without a box. */
  readonly labels: number
  readonly withoutBox: number
  readonly seed: number
}

/** Of the stratum of phrases without a box. */
const withoutBoxStratum = 'no box'
/** Rows that a stratum should have at least, so that its spread can be told. */
const leastRows = 4
/** Strata of one kind of phrase, by score. */
const scoreGroups = 3
/** Scores are kept apart as finely as this before strata are cut: 1 / 50. */
const fineBins = 50

interface Drawn {
  readonly label: PlacedLabel
  /** Uniform in 0 to 1: the lowest of a group are a random sample of it, and of groups put together too. */
  readonly lot: number
}

interface Cell {
  readonly bin: number
  population: number
  /** The lowest lots, as many as are asked for, at least. */
  lowest: Drawn[]
}

/**
 * Draws labels to be judged: at random within strata of kind of phrase (head, first attribute) and score. Rare
 * kinds get more than their share, by the square root of their size (Bankier 1988). The order of the lines is
 * random too, so that the first half of them is a sample as well. The seed decides.
 */
export async function drawSample(
  labels: AsyncIterable<PlacedLabel> | Iterable<PlacedLabel>,
  { labels: count, withoutBox, seed }: SampleOptions,
): Promise<SampledLabel[]> {
  const groups = new Map<string, Map<number, Cell>>()
  for await (const label of labels) {
    const isLabel = label.score !== null
    const name = isLabel ? groupOf(label) : withoutBoxStratum
    const bin = isLabel ? Math.min(fineBins - 1, Math.floor((label.score ?? 0) * fineBins)) : 0
    const cells = groups.get(name) ?? new Map<number, Cell>()
    groups.set(name, cells)
    const cell = cells.get(bin) ?? { bin, population: 0, lowest: [] }
    cells.set(bin, cell)
    cell.population++
    const lot = random('sample', seed, identityOf(label)).next()
    cell.lowest.push({ label, lot })
    const most = isLabel ? count : withoutBox
    if (cell.lowest.length > 2 * most + 100) cell.lowest = lowestOf(cell.lowest, most)
  }
  const empty = [...(groups.get(withoutBoxStratum)?.values() ?? [])]
  groups.delete(withoutBoxStratum)
  const merged = mergeSmall(
    [...groups].map(([name, cells]) => ({ name, cells: [...cells.values()] })),
    count,
  )
  const sizes = share(
    merged.map(({ cells }) => sizeOf(cells)),
    count,
    Math.sqrt,
  )
  const drawn = merged.flatMap(({ name, cells }, at) => drawGroup(name, cells, sizes[at] ?? 0))
  const all = [...drawn, ...drawStratum(withoutBoxStratum, empty, withoutBox)]
  return all.sort((a, b) => a.lot - b.lot).map(({ row }) => row)
}

/** What makes a label of a grounding itself. */
export const identityOf = (label: Pick<PlacedLabel, 'key' | 'caption' | 'start' | 'end' | 'xyxy'>): string =>
  [label.key, label.caption, label.start, label.end, label.xyxy?.join() ?? ''].join('/')

const groupOf = ({ kinds }: PlacedLabel): string =>
  (
    kinds.find((kind) => kind.startsWith('head/attribute=')) ??
    kinds.find((kind) => kind.startsWith('attribute=')) ??
    '=all'
  ).split('=')[1] ?? 'all'

const lowestOf = (drawn: readonly Drawn[], count: number) =>
  [...drawn].sort((a, b) => a.lot - b.lot).slice(0, count)

const sizeOf = (cells: readonly Cell[]) => cells.reduce((sum, { population }) => sum + population, 0)

interface Group {
  readonly name: string
  readonly cells: readonly Cell[]
}

/** Puts the smallest groups together until each can have a few rows. */
function mergeSmall(groups: readonly Group[], count: number): Group[] {
  const sorted = [...groups].sort((a, b) => sizeOf(b.cells) - sizeOf(a.cells) || (a.name < b.name ? -1 : 1))
  while (sorted.length > 1 && sorted.length * leastRows > count) {
    const [last, other] = [sorted.pop(), sorted.pop()]
    if (!last || !other) break
    const cells = [...other.cells, ...last.cells]
    const place = sorted.findIndex((group) => sizeOf(group.cells) < sizeOf(cells))
    sorted.splice(place === -1 ? sorted.length : place, 0, { name: `${other.name}, ${last.name}`, cells })
  }
  return sorted
}

/** Cuts a group into strata of about equal size by score, and draws from each. */
function drawGroup(name: string, cells: readonly Cell[], count: number) {
  const parts = Math.max(1, Math.min(scoreGroups, Math.floor(count / leastRows)))
  const bins = [...new Set(cells.map(({ bin }) => bin))].sort((a, b) => a - b)
  const total = sizeOf(cells)
  const strata: Cell[][] = Array.from({ length: parts }, () => [])
  let before = 0
  for (const bin of bins) {
    const own = cells.filter((cell) => cell.bin === bin)
    const middle = before + sizeOf(own) / 2
    strata[Math.min(parts - 1, Math.floor((parts * middle) / total))]?.push(...own)
    before += sizeOf(own)
  }
  const filled = strata.filter((own) => own.length > 0)
  const sizes = share(filled.map(sizeOf), count, (size) => size)
  return filled.flatMap((own, at) => {
    const from = Math.min(...own.map(({ bin }) => bin)) / fineBins
    const to = (Math.max(...own.map(({ bin }) => bin)) + 1) / fineBins
    return drawStratum(`${name} ${from.toFixed(2)}-${to.toFixed(2)}`, own, sizes[at] ?? 0)
  })
}

function drawStratum(stratum: string, cells: readonly Cell[], count: number) {
  const population = sizeOf(cells)
  const lowest = lowestOf(
    cells.flatMap((cell) => cell.lowest),
    count,
  )
  return lowest.map(({ label, lot }) => {
    const { kinds: _, siblings: __, ...placed } = label
    const drawn = { stratum, population, probability: lowest.length / population }
    const row: SampledLabel = { ...placed, ...drawn, right: null, missed: null }
    return { row, lot }
  })
}

/**
 * Deals `count` rows to groups by the weight of their sizes (Sainte-Laguë), a few to each first, and none more
 * than it has.
 */
function share(sizes: readonly number[], count: number, weight: (size: number) => number): number[] {
  const dealt = sizes.map(() => 0)
  const next = () => {
    let best = -1
    let bestRank = -1
    for (const [at, size] of sizes.entries()) {
      const own = dealt[at] ?? 0
      if (own >= size) continue
      // Groups below the least come first, the one that has fewest before the others.
      const rank = own < leastRows ? 1e12 - own : weight(size) / (own + 0.5)
      if (rank > bestRank) {
        best = at
        bestRank = rank
      }
    }
    return best
  }
  for (let left = count; left > 0; left--) {
    const at = next()
    if (at === -1) break
    dealt[at] = (dealt[at] ?? 0) + 1
  }
  return dealt
}
