import { z } from 'zod'
import type { Asks, FilterRule, LooksAt, RuleSchema } from './rule/filter-rule.js'
import { modelTools } from './rule/rule-tools.js'
import { agreement } from './rules/agreement.js'
import { area } from './rules/area.js'
import { aspect } from './rules/aspect.js'
import { border } from './rules/border.js'
import { calibrate } from './rules/calibrate.js'
import { clip } from './rules/clip.js'
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

/** Every rule that there is. What else is known of rules is derived from this list. */
export const rules = [
  calibrate,
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

/** A rule whose parameters are those of some rule, as it is reached by its name. */
export type AnyRule = Omit<FilterRule<RuleSchema>, 'looksAt' | 'asks' | 'create'> & {
  readonly looksAt: LooksAt | ((config: RuleConfig) => LooksAt)
  readonly asks: Asks<RuleConfig> | null
  create(config: RuleConfig, tool: unknown): ReturnType<(typeof rules)[number]['create']>
}

// A rule is only ever given parameters that bear its name.
const byName = new Map(rules.map((rule) => [rule.name, rule as unknown as AnyRule]))

/** The rule that parameters are of. */
export const ruleOf = ({ rule }: RuleConfig): AnyRule => byName.get(rule) as AnyRule

/** Which boxes of a picture decide about one, by a rule with its parameters. */
export function looksAt(config: RuleConfig): LooksAt {
  const { looksAt: given } = ruleOf(config)
  return typeof given === 'function' ? given(config) : given
}

/** Whether a rule asks a model: it takes many pictures at once, and answers later. */
export function asksModel(config: RuleConfig): boolean {
  const { asks } = ruleOf(config)
  return asks !== null && modelTools.some((kind) => kind === asks.tools)
}

/** Whether some of the rules read what is read for those alone that say so. */
export const someRead = (configs: readonly RuleConfig[], what: AnyRule['reads'][number]): boolean =>
  configs.some((config) => ruleOf(config).reads.includes(what))
