import { type Chunk, chunk } from '../../src/nlp/chunk.js'
import { tokenize } from '../../src/nlp/lexicon/tokenize.js'
import { repairTags } from '../../src/nlp/tags/repair-tags.js'
import { tag } from '../../src/nlp/tags/tag.js'

/** All that is found in a caption: the tags of its tokens, a "*" behind those of names, and its phrases. */
export function toldOf(caption: string): { readonly tags: string; readonly phrases: string } {
  const tokens = repairTags(tag(tokenize(caption)))
  return {
    tags: tokens.map(({ tag, isName }) => (isName ? `${tag}*` : tag)).join(' '),
    phrases: chunk(caption).map(toldPhrase).join('; '),
  }
}

/** A phrase as `0-7 dog animal big brown`: its span, head, what is seen of it or why not, and its attributes. */
function toldPhrase({ start, end, expressionEnd, head, kept, leftOut, attributes }: Chunk): string {
  const whole = expressionEnd === end ? '' : `+${expressionEnd - end}`
  const why = leftOut === undefined ? kept : `!${leftOut}`
  return [`${start}-${end}${whole}`, head, why, ...attributes.map(({ text }) => text)].join(' ')
}
