/** The measures whose histograms the page shows and filters by; page and server read them here. */
import { measures } from '../../statistics/measures.js'

export interface ShownMeasure {
  /** Its name on the page. */
  readonly title: string
  /** What is counted in it. */
  readonly of: 'boxes' | 'pictures'
  /** Limits of the bins, ascending: one bin under the first, one from the last upwards. */
  readonly edges: readonly number[]
  /** How a limit is written. */
  readonly write: (edge: number) => string
  /** Whether the values are whole numbers of which bins of a few are named one by one, such as "5 to 6". */
  readonly isCount?: true
}

const whole = (edge: number) => String(edge)
const percent = (edge: number) => `${Number((100 * edge).toPrecision(2))} %`
const ratio = (edge: number) => (edge < 1 ? `1:${Number((1 / edge).toPrecision(2))}` : `${edge}:1`)
const counts = { write: whole, isCount: true } as const

/**
 * Names and bins are those of the statistics (`groundmill stats`), so that a histogram of the page can be
 * held against theirs. Statistics count phrases by the caption: phrases by the picture are the page's own, in
 * the bins of its regions.
 */
export const shownMeasures = {
  score: { title: 'Score', of: 'boxes', edges: measures.score.edges, write: (edge) => edge.toFixed(2) },
  area_share: {
    ...{ title: 'Box, share of the picture', of: 'boxes' },
    ...{ edges: measures.area_share.edges, write: percent },
  },
  aspect: { title: 'Box, width to height', of: 'boxes', edges: measures.aspect.edges, write: ratio },
  regions_an_image: {
    ...{ title: 'Regions a picture', of: 'pictures' },
    ...{ edges: measures.regions_an_image.edges, ...counts },
  },
  phrases_an_image: {
    ...{ title: 'Phrases a picture', of: 'pictures' },
    ...{ edges: measures.regions_an_image.edges, ...counts },
  },
  longer_side: {
    ...{ title: 'Longer side, pixels', of: 'pictures' },
    ...{ edges: measures.longer_side.edges, write: whole },
  },
} as const satisfies Record<string, ShownMeasure>

export type ShownName = keyof typeof shownMeasures
export const shownNames = Object.keys(shownMeasures) as ShownName[]

/** A bin in words, such as "under 1 %", "0.45 to 0.50" or "20 and more". */
export function binLabel(name: ShownName, bin: number): string {
  const { edges, write, isCount }: ShownMeasure = shownMeasures[name]
  const [low, high] = [edges[bin - 1], edges[bin]]
  if (low === undefined) return isCount ? '0' : `under ${write(edges[0] ?? 0)}`
  if (high === undefined) return `${write(low)} and more`
  if (isCount) return high - low === 1 ? write(low) : `${low} to ${high - 1}`
  return `${write(low)} to ${write(high)}`
}
