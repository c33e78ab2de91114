import type { Random } from '../../base/random.js'
import type { Texts } from '../../base/text-list.js'
import { isSameNoun } from '../../words/label-matches.js'
import type { Span } from '../../words/name-prompt.js'
import type { GroundedCaption, Sample } from '../samples/sample.js'
import type { GroundedText, PromptLimit } from './grounded-text.js'

/** Other captions that are tried for one prompt. */
const packTries = 4

/**
 * The caption with other captions before and after it as negatives (GLIP's packing). Words of those that the
 * caption has too are not negatives for it, so captions that share a content word with it are not packed.
 *
 * @param others what is drawn from; none where the caption stands alone
 * @param assumed whether all of them count as negatives, as GLIP takes them; otherwise those alone of an
 *   exhaustive picture that name none of its things
 */
export function packedCaption(
  caption: GroundedCaption,
  { sample, others, assumed }: { readonly sample: Sample; readonly others: Texts; assumed: boolean },
  draw: Random,
  { tokenizer, maxTokens }: PromptLimit,
): GroundedText {
  const before: string[] = []
  const after: string[] = []
  let length = tokenizer.encode(caption.text).length - 2
  const captionWords = new Set(contentWords(caption.text))
  for (let tries = 0; others.length > 0 && tries < packTries; tries++) {
    const other = others.at(draw.integer(others.length)) as string
    const tokens = tokenizer.encode(other).length - 1
    if (length + tokens > maxTokens) break
    if (contentWords(other).some((word) => captionWords.has(word))) continue
    length += tokens
    const side = draw.next() < 0.5 ? before : after
    side.push(other)
  }
  const parts = [...before, caption.text, ...after]
  const spans = spansOf(parts)
  const [shift = 0] = spans[before.length] ?? []
  const isUnknown = (other: string) => !assumed && !(sample.exhaustive && namesNothing(other, sample))
  const move = (start: number, end: number): Span => [start + shift, end + shift]
  return {
    text: parts.join('. '),
    phrases: [
      ...caption.grounded.map(({ start, end, name, boxes }) => ({
        span: move(start, end),
        name: move(...name),
        boxes,
      })),
      ...caption.unsure.map(({ start, end, boxes }) => ({
        span: move(start, end),
        boxes: [],
        unsure: boxes,
      })),
    ],
    ignored: [
      ...caption.ungrounded.map(([start, end]) => move(start, end)),
      ...spans.filter((_, index) => index !== before.length && isUnknown(parts[index] ?? '')),
    ],
  }
}

/** Where parts stand that are joined by '. '. */
function spansOf(parts: readonly string[]): Span[] {
  let at = 0
  return parts.map((part): Span => {
    const start = at
    at += [...part].length + 2
    return [start, at - 2]
  })
}

/** Words of four letters and more: short ones are mostly grammar, which every caption shares. */
const contentWords = (text: string) => text.toLowerCase().match(/\p{L}{4,}/gu) ?? []

/** Whether no word of a text is the noun of a phrase of the picture. */
function namesNothing(text: string, { mentioned }: Sample): boolean {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? []
  const nouns = mentioned.map(
    (phrase) =>
      phrase
        .toLowerCase()
        .match(/\p{L}+/gu)
        ?.at(-1) ?? '',
  )
  return !words.some((word) => nouns.some((noun) => isSameNoun(noun, word)))
}
