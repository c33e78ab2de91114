/** What a grounding was made of, by the records of its filter. */

import type { OpenDataset } from '../catalog/open-dataset.js'
import { type CommitRecord, readCommit } from '../shards/commit.js'
import { type RuleConfig, ruleSchema } from './config.js'

/** The rules that a grounding was made by, where its record says. */
export function rulesOf({ config }: CommitRecord): RuleConfig[] | undefined {
  const parsed = ruleSchema.array().safeParse(config?.rules)
  return parsed.success ? parsed.data : undefined
}

/** The record of a grounding's first shard that there is. */
export async function firstRecord(
  { storage, shards }: OpenDataset,
  grounding: string,
): Promise<CommitRecord | undefined> {
  for (const shard of shards) {
    const record = await readCommit(storage, 'grounding', grounding, shard)
    if (record) return record
  }
  return undefined
}

/** The proposals that a shard of grounding was made of, by their hash. */
export async function proposalsBehind(
  { storage, stages }: OpenDataset,
  { inputs, shard }: CommitRecord,
): Promise<string | undefined> {
  for (const { family, stage } of stages) {
    if (family !== 'proposals') continue
    const record = await readCommit(storage, 'proposals', stage, shard)
    if (record?.files.proposals?.sha256 === inputs.proposals) return stage
  }
  return undefined
}
