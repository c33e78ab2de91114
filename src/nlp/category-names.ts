import { splitNames } from '../words/name-prompt.js'
import { plainText } from '../words/plain-text.js'
import type { Chunk } from './chunk.js'
import { lemma } from './lexicon/lemma.js'

/** The names of a caption made of category names joined by '. ', each as it is written there. */
export function categoryNames(caption: string): Chunk[] {
  const names: Chunk[] = []
  for (const { name, span } of splitNames(caption)) {
    const text = name.trim().replace(/\s*\.$/, '')
    const begin = span[0] + [...name.slice(0, name.indexOf(text))].length
    if (text !== '') {
      const head = lemma(plainText(text).split(/\s+/).at(-1) as string)
      const end = begin + [...text].length
      names.push({
        text: plainText(text),
        start: begin,
        end,
        expressionEnd: end,
        head,
        // A category names any number of things.
        number: 'singular',
        count: null,
        attributes: [],
        kept: 'category',
        leftOut: undefined,
      })
    }
  }
  return names
}
