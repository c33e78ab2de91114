import { createRule, type RuleConfig } from './config.js'
import type { Candidate, FilterImage } from './rule.js'

export interface Filtered {
  readonly kept: readonly Candidate[]
  /** Boxes that each rule dropped; rules that dropped none are absent. */
  readonly dropped: Readonly<Record<string, number>>
}

/** A filter made of rules in their order. */
export function createFilter(
  rules: readonly RuleConfig[],
): (proposals: readonly Candidate[], image: FilterImage) => Filtered {
  const steps = rules.map((config) => ({ reason: config.rule, rule: createRule(config) }))
  return (proposals, image) => {
    const dropped: Record<string, number> = {}
    let kept = proposals
    for (const { reason, rule } of steps) {
      const next = rule(kept, image)
      if (next.length < kept.length) dropped[reason] = (dropped[reason] ?? 0) + kept.length - next.length
      kept = next
    }
    return { kept, dropped }
  }
}
