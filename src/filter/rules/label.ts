import { labelMatches } from '../../words/label-matches.js'
import type { Rule } from './rule.js'

/**
 * Of a detector with a fixed list of labels, which proposes every box for every phrase, keeps the boxes whose label the
 * phrase's head names, in the singular or plural or by a synonym. Boxes without a label were found for their phrase, and
 * stay.
 */
export function label({
  synonyms,
}: {
  readonly synonyms: Readonly<Record<string, readonly string[]>>
}): Rule {
  return (candidates, { phrases }) =>
    candidates.filter((box) => box.label === null || labelMatches(box.label, phrases[box.phrase], synonyms))
}
