import { inWords } from '../base/schema-words.js'
import type { OpenDataset } from '../catalog/open-dataset.js'
import { firstRecord, proposalsBehind } from '../catalog/proposals-behind.js'
import { type RuleConfig, ruleSchema } from './rules.js'

/** What a grounding was made from, by the record of its first shard. */
export interface GroundingOrigin {
  /**
   * In their order; undefined where the record does not hold them: an older version wrote it, or it is gold.
   */
  readonly rules: readonly RuleConfig[] | undefined
  /** The stage of the proposals; undefined where they are no longer there. */
  readonly proposals: string | undefined
}

/** The rules and proposals that a grounding was made from. Its phrases are found by `phrasesOf`. */
export async function groundingOrigin(dataset: OpenDataset, grounding: string): Promise<GroundingOrigin> {
  const record = await firstRecord(dataset, grounding)
  const parsed = ruleSchema.array().safeParse(record?.config?.rules, inWords)
  return {
    rules: parsed.success ? parsed.data : undefined,
    proposals: record && (await proposalsBehind(dataset, record)),
  }
}
