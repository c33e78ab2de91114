import { z } from 'zod'
import type { FilterRule, LooksAt, RuleSchema, ToolRequest } from './rule/filter-rule.js'
import type { Disagreement } from './rule/rule.js'
import { modelTools } from './rule/rule-tools.js'
import { agreement } from './rules/agreement.js'
import { area } from './rules/area.js'
import { aspect } from './rules/aspect.js'
import { border } from './rules/border.js'
import { calibrate } from './rules/calibrate.js'
import { clip } from './rules/clip.js'
import { consensus } from './rules/consensus.js'
import { contrast } from './rules/contrast.js'
import { crossPhraseNms } from './rules/cross-phrase-nms.js'
import { duplicate } from './rules/duplicate.js'
import { frequencyScore } from './rules/frequency-score.js'
import { headScore } from './rules/head-score.js'
import { imageGate } from './rules/image-gate.js'
import { label } from './rules/label.js'
import { ladder } from './rules/ladder.js'
import { maxBoxes } from './rules/max-boxes.js'
import { maxBoxesImage } from './rules/max-boxes-image.js'
import { negative } from './rules/negative.js'
import { nested } from './rules/nested.js'
import { nms } from './rules/nms.js'
import { number } from './rules/number.js'
import { phraseRecall } from './rules/phrase-recall.js'
import { score } from './rules/score.js'
import { softNms } from './rules/soft-nms.js'
import { verdict } from './rules/verdict.js'

/** Every rule. The schema, the factory and all else that is known of rules are derived from this list. */
export const rules = [
  calibrate,
  verdict,
  consensus,
  score,
  headScore,
  frequencyScore,
  ladder,
  imageGate,
  area,
  aspect,
  border,
  label,
  agreement,
  clip,
  contrast,
  negative,
  nms,
  softNms,
  crossPhraseNms,
  duplicate,
  nested,
  number,
  phraseRecall,
  maxBoxes,
  maxBoxesImage,
] as const

type Schemas<Rules extends readonly { readonly schema: RuleSchema }[]> = {
  readonly [At in keyof Rules]: Rules[At]['schema']
}

/** Each rule's parameters by its name, which is also the reason of what it drops. */
export const ruleSchema = z.discriminatedUnion(
  'rule',
  rules.map(({ schema }) => schema) as unknown as Schemas<typeof rules>,
)

export type RuleConfig = z.infer<typeof ruleSchema>

export const ruleNames: readonly string[] = rules.map(({ name }) => name)

/** Any rule of the list, as it is found by its name: its parameters are those of some rule. */
export type AnyRule = Omit<FilterRule<RuleSchema>, 'looksAt' | 'asks' | 'create' | 'disagreement'> & {
  readonly disagreement?: (config: RuleConfig) => Disagreement
  readonly looksAt: LooksAt | ((config: RuleConfig) => LooksAt)
  readonly asks: ToolRequest<RuleConfig> | null
  create(config: RuleConfig, tool: unknown): ReturnType<(typeof rules)[number]['create']>
}

// The cast is safe because a rule is only given parameters with its own name.
const byName = new Map(rules.map((rule) => [rule.name, rule as unknown as AnyRule]))

/** The rule that parameters are of. */
export const ruleOf = ({ rule }: RuleConfig): AnyRule => byName.get(rule) as AnyRule

/** Which boxes of a picture decide about one, by a rule with its parameters. */
export function looksAt(config: RuleConfig): LooksAt {
  const { looksAt } = ruleOf(config)
  return typeof looksAt === 'function' ? looksAt(config) : looksAt
}

/** Whether a rule asks a model: it takes many pictures at once, and answers later. */
export function asksModel(config: RuleConfig): boolean {
  const { asks } = ruleOf(config)
  return asks !== null && modelTools.some((kind) => kind === asks.tools)
}

/** Whether some of the rules read this, which is read for them alone. */
export const someRead = (configs: readonly RuleConfig[], what: AnyRule['reads'][number]): boolean =>
  configs.some((config) => ruleOf(config).reads.includes(what))
