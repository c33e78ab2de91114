/** The measures whose histograms the page shows and filters by; page and server read them here. */

export interface Measure {
  /** Its name on the page. */
  readonly title: string
  /** What is counted in it. */
  readonly of: 'boxes' | 'pictures'
  /** Limits of the bins, ascending: one bin under the first, one from the last upwards. */
  readonly edges: readonly number[]
  /** How a limit is written. */
  readonly write: (edge: number) => string
}

const twentieths = Array.from({ length: 19 }, (_, at) => (at + 1) / 20)
const whole = (edge: number) => String(edge)
const percent = (edge: number) => `${Number((100 * edge).toPrecision(2))} %`
const ratio = (edge: number) => (edge < 1 ? `1:${Number((1 / edge).toPrecision(2))}` : `${edge}:1`)

export const measures = {
  score: { title: 'Score', of: 'boxes', edges: twentieths, write: (edge) => edge.toFixed(2) },
  area: {
    title: 'Box, share of the picture',
    of: 'boxes',
    edges: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.6],
    write: percent,
  },
  aspect: {
    title: 'Box, width to height',
    of: 'boxes',
    edges: [0.25, 0.5, 0.8, 1.25, 2, 4],
    write: ratio,
  },
  boxes: { title: 'Boxes a picture', of: 'pictures', edges: [1, 2, 3, 5, 10, 20], write: whole },
  phrases: { title: 'Phrases a picture', of: 'pictures', edges: [1, 2, 3, 4, 6, 9, 13], write: whole },
  side: {
    title: 'Longer side, pixels',
    of: 'pictures',
    edges: [128, 256, 384, 512, 640, 800, 1024, 2048],
    write: whole,
  },
} as const satisfies Record<string, Measure>

export type MeasureName = keyof typeof measures
export const measureNames = Object.keys(measures) as MeasureName[]

/** The bin of a value: how many limits it reaches. */
export function binOf(edges: readonly number[], value: number): number {
  let bin = 0
  while (bin < edges.length && value >= edges[bin]) bin++
  return bin
}

/** A bin in words, such as "under 1 %", "0.45 to 0.50" or "20 and more". */
export function binLabel(name: MeasureName, bin: number): string {
  const { edges, write }: Measure = measures[name]
  if (bin === 0) return edges[0] === 1 && write === whole ? '0' : `under ${write(edges[0])}`
  if (bin === edges.length) return `${write(edges[bin - 1])} and more`
  const [low, high] = [edges[bin - 1], edges[bin]]
  if (name !== 'side' && write === whole) return high - low === 1 ? write(low) : `${low} to ${high - 1}`
  return `${write(low)} to ${write(high)}`
}
