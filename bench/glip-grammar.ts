import { tokenize } from '../src/nlp/lexicon/tokenize.js'
import { tag } from '../src/nlp/tags/tag.js'
import { isNoun } from '../src/nlp/tags/tag-patterns.js'
import type { Span } from './read-annotation.js'

/**
 * The noun phrases of GLIP's published demo, `NP: {<DT>?<JJ.*>*<NN.*>+}` (the grammar that Data-Juicer's
 * phrase_grounding_recall_filter took over), leftmost and longest first, on our tokeniser and the tagger as
 * it comes, without our repairs. GLIP tags with NLTK, whose tagger may do better or worse.
 */
export function glipGrammar(caption: string): Span[] {
  const tokens = tag(tokenize(caption.toLowerCase()))
  const spans: Span[] = []
  for (let at = 0; at < tokens.length; ) {
    let end = at
    if (tokens[end]!.tag === 'DT') end++
    while (tokens[end]?.tag.startsWith('JJ')) end++
    const nouns = end
    while (isNoun(tokens[end])) end++
    if (end > nouns) spans.push({ start: tokens[at]!.start, end: tokens[end - 1]!.end })
    at = end > nouns ? end : at + 1
  }
  return spans
}
