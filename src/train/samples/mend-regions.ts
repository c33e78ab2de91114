import type { Phrase, Region, Verdict } from '../../rows/rows.js'

/** Boxes of a picture, and what is said of them. */
interface Judged {
  readonly regions: readonly Region[]
  readonly verdicts: readonly Verdict[]
}

/**
 * A picture's boxes as their verdicts would have them: one that is drawn anew is where it was drawn, and one that is
 * missing is there. Of a box that a model would rather have elsewhere, the new one is as likely as the old one is
 * wrong; what a person draws is sure.
 *
 * @returns the boxes, and verdicts with which they count as much as they are likely; what is added is still said to
 *   be missing, for phrases of the same noun
 */
export function mendRegions({ regions, verdicts }: Judged, phrases: readonly Phrase[]): Judged {
  const anew = new Map<string, Verdict>()
  for (const verdict of verdicts) if (verdict.redrawn) anew.set(placeOf(verdict), verdict)
  const said: Verdict[] = []
  const mended = regions.map((region): Region => {
    const verdict = anew.get(placeOf(region))
    if (!verdict?.redrawn) return region
    const { redrawn: xyxy, judge: origin } = verdict
    const probability = verdict.person ? 1 : 1 - verdict.probability
    said.push({ ...verdict, verdict: 'accept', xyxy, redrawn: null, probability })
    return { ...region, xyxy, origin, area: null }
  })
  const there = new Set(mended.map(placeOf))
  const added = verdicts.flatMap((verdict): Region[] => {
    const { phrase, xyxy, judge: origin, probability: score } = verdict
    const named = phrases[phrase]
    if (verdict.verdict !== 'add' || xyxy === null || !named || there.has(placeOf(verdict))) return []
    there.add(placeOf(verdict))
    said.push({ ...verdict, verdict: 'accept' })
    const { caption, start, end } = named
    const words = { start: verdict.start ?? start, end: verdict.end ?? end }
    return [{ caption, phrase, ...words, xyxy, score, origin, area: null }]
  })
  return { regions: [...mended, ...added], verdicts: [...verdicts, ...said] }
}

/** A text that is the same for the same box of the same phrase. */
export const placeOf = ({ phrase, xyxy }: Pick<Region | Verdict, 'phrase' | 'xyxy'>) =>
  `${phrase}/${xyxy?.join()}`
