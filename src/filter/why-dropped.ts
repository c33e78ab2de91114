import { createFilter } from './filter-proposals.js'
import { clipBoxes } from './rule/clip-boxes.js'
import type { Candidate, FilterImage } from './rule/rule.js'
import type { RuleTools } from './rule/rule-tools.js'
import type { RuleConfig } from './rules.js'

/**
 * A proposal that a filter drops, and the rule that does; or one that it keeps for a part of its phrase, and,
 * behind `relabelled: `, the rule that left it no more.
 */
export interface DroppedBox {
  readonly candidate: Candidate
  readonly reason: RuleConfig['rule'] | 'outside' | `relabelled: ${string}`
}

/**
 * Finds for each proposal that rules drop the rule that does: the first whose output no longer has it. Those
 * that rules re-label and keep are told as well, since under their whole phrase they are gone.
 *
 * @param rules none of which asks a model
 */
export function whyDropped(
  rules: readonly RuleConfig[],
  tools?: RuleTools,
): (proposals: readonly Candidate[], image: FilterImage) => DroppedBox[] {
  // A rule sees the output of those before it, with the scores they gave. So there is a filter of the first
  // rule, one of the first two, and so on, and what one keeps is held against what the next one keeps.
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
    let last: readonly Candidate[] = []
    for (const { reason, filter } of filters) {
      last = filter(proposals, image).kept
      const kept = countOf(last)
      left = left.filter((candidate) => {
        const key = keyOf(candidate)
        const count = kept.get(key) ?? 0
        if (count > 0) kept.set(key, count - 1)
        else dropped.push({ candidate, reason })
        return count > 0
      })
    }
    for (const candidate of last) {
      const { relabelled } = candidate
      if (relabelled) dropped.push({ candidate, reason: relabelledReason(relabelled.rule) })
    }
    return dropped
  }
}

/** How it is said of a box that a rule has left a part of its phrase for a label. */
export const relabelledReason = (rule: string) => `relabelled: ${rule}` as const

/** A candidate by what no rule changes: scores may differ from one filter to the next. */
const keyOf = ({ phrase, xyxy, label }: Candidate) => `${phrase} ${xyxy.join()} ${label}`

function countOf(candidates: readonly Candidate[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const candidate of candidates) counts.set(keyOf(candidate), (counts.get(keyOf(candidate)) ?? 0) + 1)
  return counts
}
