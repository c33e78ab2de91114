import type { Proposal, Region } from '../rows/rows.js'

/** What a detector calls regions, by the proposals that they were: null where it says nothing. */
export function labelsOf(
  regions: readonly Region[],
  proposals: readonly Proposal[],
): (region: Region) => string | null {
  const wanted = new Set(regions.map(placeOf))
  const labels = new Map<string, string>()
  for (const proposal of proposals) {
    const { label, score } = proposal
    if (label === null || !wanted.has(placeOf(proposal))) continue
    // Of one box that has two labels each has a score of its own.
    const place = placeOf(proposal)
    labels.set(`${place} ${score}`, label)
    if (!labels.has(place)) labels.set(place, label)
  }
  return (region) => labels.get(`${placeOf(region)} ${region.score}`) ?? labels.get(placeOf(region)) ?? null
}

const placeOf = ({ phrase, xyxy }: Pick<Proposal, 'phrase' | 'xyxy'>) => `${phrase} ${xyxy.join(' ')}`
