import { readCommit } from '../shards/commit.js'
import { labelsOf } from '../shards/recorded-labels.js'
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
      if (record?.files.proposals?.sha256 === hash && labelsOf(record)) found.set(shard, stage)
    }
  }
  return found
}
