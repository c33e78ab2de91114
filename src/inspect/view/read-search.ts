/** A term of a search, in lower case. */
export interface SearchTerm {
  /** Where it is looked for; null: in all of these places. */
  readonly field: 'phrase' | 'head' | 'key' | 'url' | null
  readonly text: string
}

/**
 * Terms of a search: words and "quoted words", each alone or behind `phrase:`, `head:`, `key:` or `url:`. A
 * picture is found where all of them are.
 */
export function readSearch(search: string): SearchTerm[] {
  const terms: SearchTerm[] = []
  const pattern = /(?:(phrase|head|key|url):)?(?:"([^"]*)"?|(\S+))/g
  for (const [, field, quoted, word] of search.toLowerCase().matchAll(pattern)) {
    const text = quoted ?? word
    if (text) terms.push({ field: (field as SearchTerm['field'] | undefined) ?? null, text })
  }
  return terms
}

/** Whether a term is looked for in texts of phrases, and in their heads. */
export const looksInTexts = ({ field }: SearchTerm): boolean => field === null || field === 'phrase'
export const looksInHeads = ({ field }: SearchTerm): boolean => field === null || field === 'head'

/** Whether a term names a phrase of this text in lower case: it stands anywhere in it. */
export const isInText = ({ text }: SearchTerm, phrase: string): boolean => phrase.includes(text)
/** Whether a term names a phrase of this head: it is the head. */
export const isHead = ({ text }: SearchTerm, head: string): boolean => head === text

/**
 * Whether a search names a phrase: all of its terms that look at phrases do, and there is one. Terms for the
 * key or the address say nothing of phrases.
 */
export function namesPhrase(
  terms: readonly SearchTerm[],
  { text, head }: { readonly text: string; readonly head: string },
): boolean {
  const looking = terms.filter((term) => looksInTexts(term) || looksInHeads(term))
  const lower = text.toLowerCase()
  return (
    looking.length > 0 &&
    looking.every(
      (term) => (looksInTexts(term) && isInText(term, lower)) || (looksInHeads(term) && isHead(term, head)),
    )
  )
}
