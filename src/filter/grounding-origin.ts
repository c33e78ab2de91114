import { inWords } from '../base/schema-words.js'
import type { OpenDataset } from '../catalog/open-dataset.js'
import { firstRecord, proposalsBehind } from '../catalog/proposals-behind.js'
import { type CommitRecord, readCommit } from '../shards/commit.js'
import type { BoxStage } from './filter-shard.js'
import { type RuleConfig, ruleSchema } from './rules.js'

/** What a grounding was made from, by the record of its first shard. */
export interface GroundingOrigin {
  /**
   * In their order; undefined where the record does not hold them: an older version wrote it, or it is gold.
   */
  readonly rules: readonly RuleConfig[] | undefined
  /** The stage of the proposals; undefined where they are no longer there. */
  readonly proposals: string | undefined
  /** Further stages that its rules read; undefined where one is no longer there, or was made anew since. */
  readonly besides: StagesBesides | undefined
}

interface StagesBesides {
  readonly others: readonly BoxStage[]
  readonly verdicts: readonly string[]
}

/** The rules and proposals that a grounding was made from. Its phrases are found by `phrasesOf`. */
export async function groundingOrigin(dataset: OpenDataset, grounding: string): Promise<GroundingOrigin> {
  const record = await firstRecord(dataset, grounding)
  const parsed = ruleSchema.array().safeParse(record?.config?.rules, inWords)
  return {
    rules: parsed.success ? parsed.data : undefined,
    proposals: record && (await proposalsBehind(dataset, record)),
    besides: record && (await stagesBesides(dataset, record)),
  }
}

async function stagesBesides(
  { storage }: OpenDataset,
  { config, inputs, shard }: CommitRecord,
): Promise<StagesBesides | undefined> {
  const { others = [], verdicts = [] } = (config ?? {}) as Partial<StagesBesides>
  const read = [...others, ...verdicts.map((stage) => ({ family: 'verdicts' as const, stage }))]
  for (const { family, stage } of read) {
    const now = (await readCommit(storage, family, stage, shard))?.files[family]?.sha256
    if (now === undefined || now !== inputs[`${family} ${stage}`]) return undefined
  }
  return { others, verdicts }
}
