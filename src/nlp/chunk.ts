import { leftOut, lemma, measures } from './heads.js'
import { repairTags } from './repair-tags.js'
import { type TaggedToken, tag } from './tag.js'
import { tokenize } from './tokenize.js'

export interface Chunk {
  readonly text: string
  /** Span in the caption, in code points, half open. */
  readonly start: number
  readonly end: number
  /** Singular of the last noun, lower case. */
  readonly head: string
  /** Why it is not worth grounding, where it is not. */
  readonly leftOut: string | undefined
}

/**
 * Noun phrases of a caption, in its order, without overlap: determiners, numerals and modifiers, then nouns; a
 * possessor and what it owns; "a pair of" and what there is a pair of. The tail ("on the left") is not part of it.
 */
export function chunk(caption: string): Chunk[] {
  const tokens = repairTags(tag(tokenize(caption)))
  const points = [...caption]
  const chunks: Chunk[] = []
  for (let at = 0; at < tokens.length; ) {
    const end = nounPhraseEnd(tokens, at)
    if (end === undefined) {
      at++
      continue
    }
    const { start } = tokens[at]
    const last = tokens[end - 1]
    const head = lemma(last.word)
    chunks.push({
      text: points.slice(start, last.end).join(''),
      start,
      end: last.end,
      head,
      leftOut: leftOut(head),
    })
    at = end
  }
  return chunks
}

const determiner = /^(DT|PRP\$|PDT)$/
const modifier = /^(JJ|JJR|JJS|CD|VBN)$/
const noun = /^NN/

/** Index behind the noun phrase that begins at `start`, or undefined where none does. */
function nounPhraseEnd(tokens: readonly TaggedToken[], start: number): number | undefined {
  let at = start
  while (at < tokens.length && determiner.test(tokens[at].tag)) at++
  for (;;) {
    const next = modifierEnd(tokens, at)
    if (next === undefined) break
    at = next
  }
  let end = at
  while (end < tokens.length && noun.test(tokens[end].tag)) end++
  if (end === at) return undefined
  // "a dog's bowl": the possessor is part of the phrase that names the bowl.
  if (tokens[end]?.tag === 'POS') return nounPhraseEnd(tokens, end + 1) ?? end
  if (tokens[end]?.word === 'of' && measures.has(lemma(tokens[end - 1].word))) {
    return nounPhraseEnd(tokens, end + 1) ?? end
  }
  return end
}

/** Index behind one modifier ("bright red", "red and"), given that a noun or another modifier follows. */
function modifierEnd(tokens: readonly TaggedToken[], at: number): number | undefined {
  const token = tokens[at]
  if (!token) return undefined
  if (/^RB/.test(token.tag) && modifier.test(tokens[at + 1]?.tag ?? '')) return at + 1
  if (!modifier.test(token.tag)) return undefined
  const joined = /^(CC|,)$/.test(tokens[at + 1]?.tag ?? '') ? coordinated(tokens, at + 2) : undefined
  return joined ?? at + 1
}

/** "red and white umbrella": what follows the conjunction must be adjectives that end in a noun. */
function coordinated(tokens: readonly TaggedToken[], from: number): number | undefined {
  let at = from
  while (/^(JJ|VBN)/.test(tokens[at]?.tag ?? '')) at++
  return at > from && noun.test(tokens[at]?.tag ?? '') ? from : undefined
}
