import { clauseRules } from './repair-clause.js'
import { compoundRules, isAuxiliary } from './repair-compounds.js'
import { modifierRules } from './repair-modifiers.js'
import { repairNames } from './repair-names.js'
import { postRules } from './repair-posts.js'
import { unknownRules } from './repair-unknown.js'
import { verbRules } from './repair-verbs.js'
import { wordRules } from './repair-words.js'
import { repairSlogan } from './slogan.js'
import { type TaggedToken, tagged } from './tag.js'
import { tagAt, wordAt } from './tag-patterns.js'
import type { TagRule } from './tag-rule.js'

const laterRules: readonly TagRule[] = [...unknownRules, ...clauseRules, ...modifierRules, ...verbRules]

/** Of these words nothing is mended but in `wordRules`; they are a third of a caption. */
const closed: ReadonlySet<string> = new Set(['DT', 'CC', 'TO', 'PRP', 'PRP$'])
const isSmallPreposition = (token: TaggedToken | undefined) =>
  token?.tag === 'IN' && token.text === token.word

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
  const apply = (rules: readonly TagRule[], places: readonly number[]) => {
    for (const rule of rules) {
      for (const at of places) {
        const tag = rule(mended, at)
        if (tag !== undefined) mended[at] = tagged(mended[at] as TaggedToken, tag)
      }
    }
  }
  apply(wordRules, words)
  apply(postRules, words)
  apply(
    compoundRules,
    words.filter((at) => !closed.has(tagAt(mended, at)) && !isAuxiliary(wordAt(tokens, at))),
  )
  apply(
    laterRules,
    words.filter((at) => !closed.has(tagAt(mended, at)) && !isSmallPreposition(mended[at])),
  )
  return repairNames(repairSlogan(mended))
}
