import { createFilter } from './filter-proposals.js'
import type { Candidate, FilterImage } from './rule/rule.js'
import type { RuleTools } from './rule/rule-tools.js'
import { score } from './rules/score.js'
import { asksModel, looksAt, type RuleConfig, ruleOf } from './rules.js'

/**
 * A box that the rules keep at some thresholds: at those above `from` and up to `to`. Where a rule after the
 * threshold gives other scores, a box may pass more than once, with the score that it has there.
 */
export interface Passing extends Candidate {
  readonly from: number
  readonly to: number
}

/** Below every threshold. */
const below = -1

/** The rule whose `min` is the threshold. */
export const thresholdRule = score.name

type ScoreConfig = Extract<RuleConfig, { rule: typeof thresholdRule }>
const isScore = (config: RuleConfig): config is ScoreConfig => config.rule === thresholdRule

/** The threshold that rules ask for; 0 where none of them is a `score` rule. */
export const thresholdOf = (rules: readonly RuleConfig[]): number => rules.find(isScore)?.min ?? 0

/** A threshold before such a rule cuts off the end of what is kept, and nothing else. */
const isCutShort = (config: RuleConfig) => looksAt(config) !== 'all' && !ruleOf(config).rescores

/**
 * A filter whose score threshold is left open: it says of every box at which thresholds it is kept, so that
 * `from < min && min <= to` holds of just the boxes that `createFilter` keeps with every `score` rule's `min`
 * set to that. Rules without a `score` rule are taken with one at the end, as `--set score.min` adds it.
 *
 * Where no rule behind the threshold looks at weaker boxes or changes scores, one pass tells; otherwise the
 * rules are run at each score of the picture.
 *
 * @returns undefined where the rules ask a model, or change scores between two thresholds
 */
export function varyThreshold(
  rules: readonly RuleConfig[],
  tools?: RuleTools,
): ((proposals: readonly Candidate[], image: FilterImage) => Passing[]) | undefined {
  if (rules.some(asksModel)) return undefined
  const first = rules.findIndex(isScore)
  const before = first === -1 ? rules : rules.slice(0, first)
  const after = first === -1 ? [] : rules.slice(first + 1)
  if (after.every(isCutShort)) {
    const filter = createFilter([...before, ...after.filter((rule) => !isScore(rule))], tools)
    return (proposals, image) =>
      filter(proposals, image).kept.map((candidate) => ({ ...candidate, from: below, to: candidate.score }))
  }
  if (after.some(isScore) && after.some((config) => ruleOf(config).rescores)) return undefined
  const start = createFilter(before, tools)
  return (proposals, image) => {
    const { kept } = start(proposals, image)
    const steps = [...new Set(kept.map(({ score }) => score))]
    const passing = new Map<Candidate['xyxy'], { candidate: Candidate; from: number; to: number }[]>()
    steps.forEach((min, at) => {
      const next = steps[at + 1] ?? below
      const end = after.map((rule): RuleConfig => (isScore(rule) ? { ...rule, min } : rule))
      const filter = createFilter([{ rule: thresholdRule, min }, ...end], tools)
      for (const candidate of filter(kept, image).kept) {
        // Rules that change a score keep the array of the box.
        const known = passing.get(candidate.xyxy) ?? []
        const { phrase, score, label } = candidate
        const same = known.find(
          (one) =>
            one.from === min &&
            one.candidate.score === score &&
            one.candidate.phrase === phrase &&
            one.candidate.label === label,
        )
        if (same) same.from = next
        else passing.set(candidate.xyxy, [...known, { candidate, from: next, to: min }])
      }
    })
    return [...passing.values()].flat().map(({ candidate, from, to }) => ({ ...candidate, from, to }))
  }
}
