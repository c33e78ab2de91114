import type { RuleConfig } from './config.js'
import type { RuleTools } from './create-rule.js'
import { createFilter, isRescoring } from './filter-proposals.js'
import type { Candidate, FilterImage } from './rules/rule.js'

/**
 * A box that the rules keep at some thresholds: at those above `from` and up to `to`. Where a rule after the threshold
 * gives other scores, a box may pass more than once, with the score that it has there.
 */
export interface Passing extends Candidate {
  readonly from: number
  readonly to: number
}

/** Below every threshold. */
const below = -1

/**
 * Whether a rule decides about a box by the box itself and those of at least its score. A threshold before such a rule
 * then cuts off the end of what is kept, and nothing else.
 */
function looksUp(config: RuleConfig): boolean {
  switch (config.rule) {
    case 'score':
    case 'head_score':
    case 'frequency_score':
    case 'ladder':
    case 'image_gate':
    case 'area':
    case 'aspect':
    case 'border':
    case 'label':
    case 'negative':
    case 'nms':
    case 'cross_phrase_nms':
    case 'duplicate':
    case 'max_boxes':
    case 'max_boxes_image':
      return true
    case 'number':
      return config.fewer === 'keep'
    default:
      return false
  }
}

const isModelRule = ({ rule }: RuleConfig) => rule === 'agreement' || rule === 'clip'

/**
 * A filter whose score threshold is left open: it says of every box at which thresholds it is kept, so that
 * `from < min && min <= to` holds of just the boxes that `createFilter` keeps with every `score` rule's `min` set to that.
 * Rules without a `score` rule are taken with one at the end, as `--set score.min` adds it.
 *
 * Where every rule behind the threshold looks only at boxes of at least the own score, one pass tells; otherwise the rules
 * are run at each score of the picture.
 *
 * @returns undefined where the rules ask a model, or change scores between two thresholds
 */
export function varyThreshold(
  rules: readonly RuleConfig[],
  tools?: RuleTools,
): ((proposals: readonly Candidate[], image: FilterImage) => Passing[]) | undefined {
  if (rules.some(isModelRule)) return undefined
  const isScore = ({ rule }: RuleConfig) => rule === 'score'
  const first = rules.findIndex(isScore)
  const before = first === -1 ? rules : rules.slice(0, first)
  const after = first === -1 ? [] : rules.slice(first + 1)
  if (after.every((rule) => looksUp(rule))) {
    const filter = createFilter([...before, ...after.filter((rule) => !isScore(rule))], tools)
    return (proposals, image) =>
      filter(proposals, image).kept.map((candidate) => ({ ...candidate, from: below, to: candidate.score }))
  }
  if (after.some(isScore) && after.some(({ rule }) => isRescoring(rule))) return undefined
  const start = createFilter(before, tools)
  return (proposals, image) => {
    const { kept } = start(proposals, image)
    const steps = [...new Set(kept.map(({ score }) => score))]
    const passing = new Map<Candidate['xyxy'], { candidate: Candidate; from: number; to: number }[]>()
    steps.forEach((min, at) => {
      const next = steps[at + 1] ?? below
      const end = after.map((rule): RuleConfig => (rule.rule === 'score' ? { ...rule, min } : rule))
      const filter = createFilter([{ rule: 'score', min }, ...end], tools)
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
