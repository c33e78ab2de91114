import type { Xyxy } from '../../boxes/xyxy.js'
import type { Tokenizer } from '../../model/word-piece.js'
import { joinNames, type Span } from '../../words/name-prompt.js'
import { flipWords } from './flip-words.js'

/** A phrase of a prompt and what is known of it. */
export interface PromptPhrase {
  readonly span: Span
  /** Its noun and what stands before it, where it has a tail. */
  readonly name?: Span
  /** What it names, in pixels of the stored picture; none where it names nothing in it. */
  readonly boxes: readonly Xyxy[]
  /** What it may name, or not. */
  readonly unsure?: readonly Xyxy[]
  /** How much each of `boxes` counts, 0 to 1; 1 where nothing is said of them. */
  readonly weights?: readonly number[]
  /** Where something that it names seems to be, and nobody has drawn a box: it does not count there. */
  readonly missing?: readonly Xyxy[]
  /** Whether it may name more than is boxed: then it does not count where there is no box. */
  readonly partial?: boolean
  /** The part of it that is hidden behind [MASK]. */
  readonly hidden?: Span
}

/** The text that a picture is shown with, and what of it is in the picture. */
export interface GroundedText {
  readonly text: string
  readonly phrases: readonly PromptPhrase[]
  /** Words that do not count, since what they name may be in the picture. */
  readonly ignored: readonly Span[]
}

/** A phrase as a name in a prompt of names. */
export interface NamedPhrase extends Pick<PromptPhrase, 'boxes' | 'unsure'> {
  readonly name: string
}

/** A prompt of names joined by '. '. */
export function namedText(names: readonly NamedPhrase[]): GroundedText {
  const { text, spans } = joinNames(names.map(({ name }) => name))
  const phrases = spans.flatMap((span, index): PromptPhrase[] => {
    const named = names[index]
    if (!named) return []
    const { name: _, ...phrase } = named
    return [{ span, ...phrase }]
  })
  return { text, phrases, ignored: [] }
}

/** How much fits into a prompt. */
export interface PromptLimit {
  readonly tokenizer: Tokenizer
  /** Without the two tokens that begin and end a prompt. */
  readonly maxTokens: number
}

/** The first names, as many as fit into a prompt: up to the first that does not. */
export function fittingNames<T extends { readonly name: string }>(
  names: Iterable<T>,
  { tokenizer, maxTokens }: PromptLimit,
): T[] {
  const chosen: T[] = []
  let length = 0
  for (const named of names) {
    // The name's own tokens and the full stop behind it.
    const tokens = tokenizer.encode(named.name).length - 1
    if (length + tokens > maxTokens) break
    length += tokens
    chosen.push(named)
  }
  return chosen
}

/** The text of a mirrored picture: left and right change places. */
export function flipText({ text, phrases, ignored }: GroundedText): GroundedText {
  const flipped = flipWords({
    text,
    spans: [
      ...phrases.map(({ span }) => span),
      ...phrases.map(({ span, name = span }) => name),
      ...phrases.map(({ span, hidden = span }) => hidden),
      ...ignored,
    ],
  })
  const moved = (index: number) => flipped.spans[index] ?? ([0, 0] as const)
  return {
    text: flipped.text,
    phrases: phrases.map((phrase, index) => ({
      ...phrase,
      span: moved(index),
      ...(phrase.name && { name: moved(phrases.length + index) }),
      ...(phrase.hidden && { hidden: moved(2 * phrases.length + index) }),
    })),
    ignored: flipped.spans.slice(3 * phrases.length),
  }
}
