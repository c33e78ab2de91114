import { createFilter } from './filter-proposals.js'
import type { Candidate, FilterImage } from './rule/rule.js'
import type { RuleTools } from './rule/rule-tools.js'
import { score } from './rules/score.js'
import { asksModel, looksAt, type RuleConfig, ruleOf } from './rules.js'

/**
 * A box that the rules keep at some thresholds: those above `from` and up to `to`. Where a rule after the
 * threshold changes scores, a box may come several times, once for each range of thresholds that gives it
 * another score.
 */
export interface ThresholdBox extends Candidate {
  readonly from: number
  readonly to: number
}

/** A threshold that is lower than every score. */
const belowAll = -1

/** The rule whose `min` is the threshold. */
export const thresholdRule = score.name

type ScoreConfig = Extract<RuleConfig, { rule: typeof thresholdRule }>
const isScore = (config: RuleConfig): config is ScoreConfig => config.rule === thresholdRule

/** The threshold that rules ask for; 0 where none of them is a `score` rule. */
export const thresholdOf = (rules: readonly RuleConfig[]): number => rules.find(isScore)?.min ?? 0

/** Whether raising a threshold before the rule only takes the weakest boxes from what the rule keeps. */
const isCutShort = (config: RuleConfig) => looksAt(config) !== 'all' && !ruleOf(config).rescores

/**
 * A filter whose score threshold is left open: it gives for every box the thresholds at which it is kept, so
 * that `from < min && min <= to` holds for exactly the boxes that `createFilter` keeps with every `score`
 * rule's `min` set to that. Rules without a `score` rule are taken with one at the end, as `--set score.min`
 * adds it.
 *
 * Where no rule after the threshold looks at weaker boxes or changes scores, one pass is enough; otherwise
 * the rules are run at each score of the picture.
 *
 * @returns undefined where the rules ask a model, or change scores between two thresholds
 */
export function varyThreshold(
  rules: readonly RuleConfig[],
  tools?: RuleTools,
): ((proposals: readonly Candidate[], image: FilterImage) => ThresholdBox[]) | undefined {
  if (rules.some(asksModel)) return undefined
  const first = rules.findIndex(isScore)
  const before = first === -1 ? rules : rules.slice(0, first)
  const after = first === -1 ? [] : rules.slice(first + 1)
  if (after.every(isCutShort)) {
    const filter = createFilter([...before, ...after.filter((rule) => !isScore(rule))], tools)
    return (proposals, image) =>
      filter(proposals, image).kept.map((candidate) => ({
        ...candidate,
        from: belowAll,
        to: candidate.score,
      }))
  }
  if (after.some(isScore) && after.some((config) => ruleOf(config).rescores)) return undefined
  const start = createFilter(before, tools)
  const ends = after.some(isScore) ? undefined : createFilter(after, tools)
  const endAt = (min: number) =>
    createFilter(
      after.map((rule): RuleConfig => (isScore(rule) ? { ...rule, min } : rule)),
      tools,
    )
  return (proposals, image) => {
    const { kept } = start(proposals, image)
    const steps = [...new Set(kept.map(({ score }) => score))]
    const ranges = new Map<Candidate['xyxy'], { candidate: Candidate; from: number; to: number }[]>()
    steps.forEach((min, at) => {
      const next = steps[at + 1] ?? belowAll
      const above = kept.filter((candidate) => candidate.score >= min)
      for (const candidate of (ends ?? endAt(min))(above, image).kept) {
        // Rules that change a score keep the array of the box.
        const boxRanges = ranges.get(candidate.xyxy) ?? []
        const { phrase, score, label, relabelled } = candidate
        const adjoining = boxRanges.find(
          (range) =>
            range.from === min &&
            range.candidate.score === score &&
            range.candidate.phrase === phrase &&
            range.candidate.label === label &&
            range.candidate.relabelled?.start === relabelled?.start,
        )
        if (adjoining) adjoining.from = next
        else ranges.set(candidate.xyxy, [...boxRanges, { candidate, from: next, to: min }])
      }
    })
    return [...ranges.values()].flat().map(({ candidate, from, to }) => ({ ...candidate, from, to }))
  }
}
