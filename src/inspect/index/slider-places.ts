/** The slider has places from 0 to 1 in steps of 0.01: so many steps. */
export const placeCount = 100

/** The place of the slider that a threshold is; undefined where it lies between two. */
export function sliderPlace(threshold: number): number | undefined {
  const place = Math.round(threshold * placeCount)
  return place >= 0 && place <= placeCount && place / placeCount === threshold ? place : undefined
}

/**
 * The last place that is not above a threshold; -1 where all are. A box that is kept up to this threshold is kept at
 * this place and not at the next; one that is kept above it is kept at the next place first.
 */
export function lastPlace(threshold: number): number {
  const near = Math.round(Math.max(-1, Math.min(1, threshold)) * placeCount)
  return near / placeCount > threshold ? Math.max(-1, near - 1) : Math.max(-1, near)
}

/** Places of the slider from the lower one of two thresholds on, the higher one not among them. */
export interface Places {
  readonly start: number
  readonly end: number
  /** -1 where the threshold falls. */
  readonly sign: 1 | -1
}

/** The places between two thresholds; undefined where they are not both places. */
export function placesBetween(from: number, to: number): Places | undefined {
  const [one, other] = [sliderPlace(from), sliderPlace(to)]
  if (one === undefined || other === undefined) return undefined
  return { start: Math.min(one, other), end: Math.max(one, other), sign: one <= other ? 1 : -1 }
}
