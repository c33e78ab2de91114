import { createFilter } from './filter-proposals.js'
import { clipBoxes } from './rule/clip-boxes.js'
import type { Candidate, FilterImage } from './rule/rule.js'
import type { RuleTools } from './rule/rule-tools.js'
import type { RuleConfig } from './rules.js'

/** A proposal that a filter drops, and the rule that does. */
export interface DroppedBox {
  readonly candidate: Candidate
  readonly reason: RuleConfig['rule'] | 'outside'
}

/**
 * Tells for each proposal that rules drop which of them does: the first after which it is no longer there.
 *
 * @param rules none of which asks a model
 */
export function whyDropped(
  rules: readonly RuleConfig[],
  tools?: RuleTools,
): (proposals: readonly Candidate[], image: FilterImage) => DroppedBox[] {
  // Each rule sees what those before it leave, with their scores: the filters of the first one, two, … of the
  // rules.
  const filters = rules.map(({ rule }, index) => ({
    reason: rule,
    filter: createFilter(rules.slice(0, index + 1), tools),
  }))
  return (proposals, image) => {
    const dropped: DroppedBox[] = []
    let left: Candidate[] = []
    for (const candidate of proposals) {
      const [inside] = clipBoxes([candidate], image)
      if (inside) left.push(inside)
      else dropped.push({ candidate, reason: 'outside' })
    }
    for (const { reason, filter } of filters) {
      const kept = countOf(filter(proposals, image).kept)
      left = left.filter((candidate) => {
        const key = keyOf(candidate)
        const count = kept.get(key) ?? 0
        if (count > 0) kept.set(key, count - 1)
        else dropped.push({ candidate, reason })
        return count > 0
      })
    }
    return dropped
  }
}

/** What no rule changes. */
const keyOf = ({ phrase, xyxy, label }: Candidate) => `${phrase} ${xyxy.join()} ${label}`

function countOf(candidates: readonly Candidate[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const candidate of candidates) counts.set(keyOf(candidate), (counts.get(keyOf(candidate)) ?? 0) + 1)
  return counts
}
