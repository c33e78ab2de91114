import { clauseRules } from './repair-clause.js'
import { compoundRules } from './repair-compounds.js'
import { modifierRules } from './repair-modifiers.js'
import { repairNames } from './repair-names.js'
import { verbRules } from './repair-verbs.js'
import { wordRules } from './repair-words.js'
import type { TaggedToken } from './tag.js'
import type { TagRule } from './tag-rule.js'

const rules: readonly TagRule[] = [
  ...wordRules,
  ...compoundRules,
  ...clauseRules,
  ...modifierRules,
  ...verbRules,
]

/**
 * Mends what the tagger, made for newspapers, gets wrong in captions. Each rule goes over the whole caption
 * before the next, so that later ones see what earlier ones mended: single words, then compounds, who does
 * what, modifiers, what is done or there, and last names.
 */
export function repairTags(tokens: readonly TaggedToken[]): readonly TaggedToken[] {
  const mended = [...tokens]
  const words: number[] = []
  tokens.forEach(({ isWord, tag }, at) => {
    if (isWord && tag !== 'FW') words.push(at)
  })
  for (const rule of rules) {
    for (const at of words) {
      const tag = rule(mended, at)
      if (tag !== undefined) mended[at] = { ...(mended[at] as TaggedToken), tag }
    }
  }
  return repairNames(mended)
}
