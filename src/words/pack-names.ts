import type { Random } from '../base/random.js'
import { joinNames, type NamePrompt } from './name-prompt.js'

/**
 * About how many tokens a text takes in a WordPiece vocabulary, on the high side for English: a word or a
 * punctuation mark each, and one more for every four letters beyond eight. It decides how many names a prompt
 * gets before any encoder is known.
 */
export function tokenEstimate(text: string): number {
  const parts = text.match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? []
  return parts.reduce((sum, part) => sum + 1 + Math.max(0, Math.ceil((part.length - 8) / 4)), 0)
}

export interface PromptLimits {
  /** Tokens of a prompt, without the two that begin and end it. */
  readonly max_tokens: number
  /** Names of things that are not in the picture, in each prompt at most. */
  readonly negatives: number
}

/** A prompt and the names that it was joined of. */
export interface PackedNames extends NamePrompt {
  /** As many as spans, in the same order. */
  readonly names: readonly string[]
}

/**
 * Prompts that hold each name once, as few as the limits allow, each with absent names drawn into it while
 * there is room. With absent names the order within a prompt is drawn too, so that a place tells nothing;
 * without, it is kept.
 *
 * @param absent names of which none is in the picture
 */
export function packNames(
  names: readonly string[],
  absent: readonly string[],
  { max_tokens, negatives }: PromptLimits,
  draw: Random,
): PackedNames[] {
  const groups: { names: string[]; tokens: number }[] = []
  for (const name of new Set(names)) {
    const tokens = tokenEstimate(name) + 1
    const last = groups.at(-1)
    if (last && last.tokens + tokens <= max_tokens) {
      last.names.push(name)
      last.tokens += tokens
    } else groups.push({ names: [name], tokens })
  }
  const unique = new Set(names)
  const others = negatives > 0 ? absent.filter((name) => !unique.has(name)) : []
  return groups.map(({ names: present, tokens }) => {
    if (others.length === 0) return packed(present)
    const drawn: string[] = []
    let used = tokens
    for (const name of draw.shuffle([...new Set(others)])) {
      if (drawn.length === negatives) break
      used += tokenEstimate(name) + 1
      if (used > max_tokens) break
      drawn.push(name)
    }
    return packed(draw.shuffle([...present, ...drawn]))
  })
}

const packed = (names: readonly string[]): PackedNames => ({ names, ...joinNames(names) })
