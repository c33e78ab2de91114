import type { Proposal, Region } from '../rows/rows.js'
import { readCommit } from '../shards/commit.js'
import type { ExportShard, ExportSource } from './export-rows.js'

/**
 * For each shard the stage of the proposals that its grounding was made of, where a detector with a fixed list of
 * labels made them; gold is made of none.
 */
export async function labelStages(
  { storage, grounding }: Pick<ExportSource, 'storage' | 'grounding'>,
  shards: readonly ExportShard[],
): Promise<ReadonlyMap<string, string>> {
  const names = await storage.list('proposals')
  const stages = new Set(names.flatMap((name) => /^proposals\/([^/]+)\//.exec(name)?.[1] ?? []))
  const found = new Map<string, string>()
  if (stages.size === 0) return found
  for (const { shard } of shards) {
    const hash = (await readCommit(storage, 'grounding', grounding, shard))?.inputs.proposals
    if (hash === undefined) continue
    for (const stage of stages) {
      const record = await readCommit(storage, 'proposals', stage, shard)
      if (record?.files.proposals?.sha256 === hash && Array.isArray(record.config?.labels))
        found.set(shard, stage)
    }
  }
  return found
}

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
