import type { Random } from '../../base/random.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import type { GlipConfig } from '../../model/network/config.js'
import type { Tokenizer } from '../../model/word-piece.js'
import { joinNames, type Span, splitNames } from '../../words/name-prompt.js'
import type { GroundedCaption, GroundedPhrase, SampleStream } from '../samples/sample.js'
import { flipWords } from './flip-words.js'

/** The text that a picture is shown with, and what of it is in the picture. */
export interface GroundedText {
  readonly text: string
  readonly grounded: readonly {
    readonly span: Span
    /** In pixels of the stored picture. */
    readonly boxes: readonly Xyxy[]
  }[]
  /** Phrases that have no boxes, though what they name may be in the picture. */
  readonly ungrounded: readonly Span[]
}

export interface PromptOptions {
  readonly tokenizer: Tokenizer
  readonly network: GlipConfig
  /** Probability that other captions are packed around a written one. */
  readonly negatives: number
  /**
   * Whether the picture is mirrored: then left and right change places, except in a tuned prompt, whose text
   * is fixed.
   */
  readonly flipped: boolean
}

/**
 * Draws what a picture is shown with for one of its captions: all names of a prompt-tuned network, category
 * names with absent ones between them, or the written caption with others around it.
 */
export function drawPrompt(
  caption: GroundedCaption,
  stream: Pick<SampleStream, 'captions' | 'categories'>,
  draw: Random,
  { tokenizer, network, negatives, flipped }: PromptOptions,
): GroundedText {
  if (network.prompt) return tunedPrompt(caption, network.prompt)
  const limit = { tokenizer, maxTokens: network.text.max_tokens - 2 }
  const written =
    caption.kind === 'categories'
      ? categoryPrompt(caption, stream.categories, draw, limit)
      : packedCaption(caption, draw.next() < negatives ? stream.captions : [], draw, limit)
  return flipped ? flipText(written) : written
}

/** How much fits into a prompt. */
interface PromptLimit {
  readonly tokenizer: Tokenizer
  /** Without the two tokens that begin and end a prompt. */
  readonly maxTokens: number
}

/** The picture's categories and others that it lacks, in random order. */
function categoryPrompt(
  caption: GroundedCaption,
  all: readonly string[],
  draw: Random,
  { tokenizer, maxTokens }: PromptLimit,
): GroundedText {
  const present = phrasesByName(caption)
  const named = new Set(splitNames(caption.text).map(({ name }) => name))
  const absent = draw.shuffle(all.filter((name) => !named.has(name)))
  const chosen: string[] = []
  let length = 0
  for (const name of [
    ...draw.shuffle([...present.keys()]),
    ...absent.slice(0, draw.integer(absent.length + 1)),
  ]) {
    const tokens = tokenizer.encode(name).length - 1
    if (length + tokens > maxTokens) break
    length += tokens
    chosen.push(name)
  }
  return namedPrompt(draw.shuffle(chosen), present)
}

/**
 * All names that a network is prompt-tuned for, in their order; the words of those that the picture lacks are
 * negatives.
 */
const tunedPrompt = (caption: GroundedCaption, names: readonly string[]): GroundedText =>
  namedPrompt(names, phrasesByName(caption))

/** The phrases of a caption that have boxes, by their words; of equal ones the last. */
function phrasesByName({ text, grounded }: GroundedCaption): Map<string, GroundedPhrase> {
  const points = [...text]
  return new Map(grounded.map((phrase) => [points.slice(phrase.start, phrase.end).join(''), phrase]))
}

function namedPrompt(names: readonly string[], present: ReadonlyMap<string, GroundedPhrase>): GroundedText {
  const { text, spans } = joinNames(names)
  const grounded = spans.flatMap((span, index) => {
    const phrase = present.get(names[index] ?? '')
    return phrase ? [{ span, boxes: phrase.boxes }] : []
  })
  return { text, grounded, ungrounded: [] }
}

/** Other captions that are tried for one prompt. */
const packTries = 4

/**
 * The caption with other captions before and after it as negatives (GLIP's packing). Words of those that the
 * caption has too are not negatives for it, so captions that share a content word with it are not packed.
 *
 * @param others what is drawn from; none where the caption stands alone
 */
function packedCaption(
  caption: GroundedCaption,
  others: readonly string[],
  draw: Random,
  { tokenizer, maxTokens }: PromptLimit,
): GroundedText {
  const before: string[] = []
  const after: string[] = []
  let length = tokenizer.encode(caption.text).length - 2
  const captionWords = new Set(contentWords(caption.text))
  for (let tries = 0; others.length > 0 && tries < packTries; tries++) {
    const other = draw.pick(others)
    const tokens = tokenizer.encode(other).length - 1
    if (length + tokens > maxTokens) break
    if (contentWords(other).some((word) => captionWords.has(word))) continue
    length += tokens
    const side = draw.next() < 0.5 ? before : after
    side.push(other)
  }
  const lead = before.map((text) => `${text}. `).join('')
  const shift = [...lead].length
  const move = (start: number, end: number): Span => [start + shift, end + shift]
  return {
    text: lead + caption.text + after.map((text) => `. ${text}`).join(''),
    grounded: caption.grounded.map(({ start, end, boxes }) => ({ span: move(start, end), boxes })),
    ungrounded: caption.ungrounded.map(([start, end]) => move(start, end)),
  }
}

/** Words of four letters and more: short ones are mostly grammar, which every caption shares. */
const contentWords = (text: string) => text.toLowerCase().match(/\p{L}{4,}/gu) ?? []

function flipText({ text, grounded, ungrounded }: GroundedText): GroundedText {
  const flipped = flipWords({ text, spans: [...grounded.map(({ span }) => span), ...ungrounded] })
  return {
    text: flipped.text,
    grounded: grounded.map(({ span, boxes }, index) => ({ span: flipped.spans[index] ?? span, boxes })),
    ungrounded: flipped.spans.slice(grounded.length),
  }
}
