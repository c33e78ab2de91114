import { nms } from '../../boxes/nms.js'
import type { Candidate, Rule } from '../rule.js'

/**
 * Non-maximum suppression above an IoU, within each phrase, or with `across` among the boxes of all phrases (Kosmos-2:
 * one thing, one name). Occurrences of the same phrase text never suppress each other.
 */
export function suppress({ iou, across }: { readonly iou: number; readonly across: boolean }): Rule {
  return (candidates, { phrases }) => {
    const groups = new Map<number, Candidate[]>()
    for (const candidate of candidates) {
      const key = across ? 0 : candidate.phrase
      groups.set(key, [...(groups.get(key) ?? []), candidate])
    }
    const kept = new Set<Candidate>()
    for (const group of groups.values()) {
      const chosen = nms(group, iou).map((index) => group[index])
      for (const candidate of group) {
        const twin = chosen.some(
          (other) =>
            phrases[other.phrase].text === phrases[candidate.phrase].text && sameBox(other, candidate),
        )
        if (twin) kept.add(candidate)
      }
    }
    return candidates.filter((candidate) => kept.has(candidate))
  }
}

const sameBox = (a: Candidate, b: Candidate) => a.xyxy.every((value, index) => value === b.xyxy[index])
