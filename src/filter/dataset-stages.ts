import { nameList } from '../base/name-list.js'
import { didYouMean } from '../base/nearest-name.js'
import { UserError } from '../base/user-error.js'
import type { OpenDataset } from '../catalog/open-dataset.js'
import { judgedPhrases, phrasesOf } from '../catalog/phrases-of.js'
import type { BoxStage, ReadStages } from './filter-shard.js'
import { type OfferedStages, type OfferedVerdicts, ruleStages } from './rule-stages.js'
import { type RuleConfig, someRead } from './rules.js'

/**
 * The stages of a dataset that rules read over its proposals: what they name, else all verdicts that there are, and
 * all proposals for the same phrases.
 *
 * @throws UserError as `ruleStages` does
 */
export async function datasetStages(
  dataset: OpenDataset,
  rules: readonly RuleConfig[],
  proposals: string,
): Promise<ReadStages> {
  const phrases = await phrasesOf(dataset, 'proposals', proposals)
  const named = rules.flatMap((config) => (config.rule === 'consensus' ? (config.of ?? []) : []))
  const others: OfferedStages['boxes'][number][] = []
  const known = boxStages(dataset)
  const unknown = named.find((name) => !known.some(({ stage }) => stage === name))
  if (unknown !== undefined) {
    const all = known.map(({ stage }) => stage)
    throw new UserError(
      `The rule \`consensus\` compares "${unknown}", which is none of the proposals and groundings of ${dataset.url}: ${nameList(all)}.${didYouMean(unknown, all)}`,
    )
  }
  if (someRead(rules, 'sources'))
    for (const other of known) {
      if (other.stage === proposals) continue
      const isNamed = named.includes(other.stage)
      if (!isNamed && (named.length > 0 || other.family === 'grounding')) continue
      const own = await phrasesOf(dataset, other.family, other.stage)
      if (isNamed || own === phrases) others.push({ ...other, phrases: own })
    }
  const asked = rules.flatMap((config) => (config.rule === 'verdict' ? (config.by ?? []) : []))
  const verdicts = (await verdictStages(dataset)).filter(
    // Those of other phrases, as of gold, are no fault where nobody names them.
    (one) => asked.includes(one.stage) || one.phrases === undefined || one.phrases === phrases,
  )
  const boxes = [{ family: 'proposals' as const, stage: proposals, phrases }, ...others]
  return ruleStages(rules, { boxes, verdicts }, `The filter over "${proposals}"`)
}

const boxStages = ({ stages, groundings }: OpenDataset): BoxStage[] => [
  ...stages
    .filter(({ family }) => family === 'proposals')
    .map(({ stage }): BoxStage => ({ family: 'proposals', stage })),
  ...groundings.map((stage): BoxStage => ({ family: 'grounding', stage })),
]

/** The stages of verdicts, and whose phrases they are of, as their records say. */
const verdictStages = ({ storage, shards, stages }: OpenDataset): Promise<OfferedVerdicts[]> =>
  Promise.all(
    stages
      .filter(({ family }) => family === 'verdicts')
      .map(async ({ stage }) => ({ stage, phrases: await judgedPhrases(storage, shards, stage) })),
  )
