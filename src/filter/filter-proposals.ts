import { clipBoxes } from './clip-boxes.js'
import { createRule, type RuleConfig } from './config.js'
import type { Candidate, FilterImage } from './rule.js'

export interface Filtered {
  /** Best first. */
  readonly kept: readonly Candidate[]
  /** Boxes that each rule dropped, and `outside`: those without area in the picture. Reasons for none are absent. */
  readonly dropped: Readonly<Record<string, number>>
}

/**
 * A filter made of rules in their order. Boxes are cut off at the picture's edge first. The order of the proposals makes
 * no difference, since candidates are brought into one of their own.
 */
export function createFilter(
  rules: readonly RuleConfig[],
): (proposals: readonly Candidate[], image: FilterImage) => Filtered {
  const steps = rules.map((config) => ({ reason: config.rule, rule: createRule(config) }))
  return (proposals, image) => {
    const dropped: Record<string, number> = {}
    let kept: readonly Candidate[] = [...clipBoxes(proposals, image)].sort(bestFirst)
    if (kept.length < proposals.length) dropped.outside = proposals.length - kept.length
    for (const { reason, rule } of steps) {
      const next = rule(kept, image)
      if (next.length < kept.length) dropped[reason] = (dropped[reason] ?? 0) + kept.length - next.length
      kept = next
    }
    return { kept, dropped }
  }
}

/** By score; equal scores by phrase, place and label, so that only identical proposals are tied. */
function bestFirst(a: Candidate, b: Candidate): number {
  if (a.score !== b.score) return b.score - a.score
  if (a.phrase !== b.phrase) return a.phrase - b.phrase
  for (let at = 0; at < 4; at++) if (a.xyxy[at] !== b.xyxy[at]) return a.xyxy[at] - b.xyxy[at]
  if (a.label !== b.label) return (a.label ?? '') < (b.label ?? '') ? -1 : 1
  return 0
}
