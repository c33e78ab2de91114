import type { Xyxy } from '../../boxes/xyxy.js'
import type { Span } from '../../words/name-prompt.js'
import type { PromptPhrase } from './grounded-text.js'

/** A box in pixels of the network's input and the tokens of what is known of it. */
export interface TargetBox {
  readonly xyxy: Xyxy
  /** Of all phrases that name it; none where it is not known whether any does. */
  readonly tokens: readonly number[]
  /** Of phrases that may name it, or not: they do not count for it. */
  readonly unsure: readonly number[]
}

/** What is left of a box on the input: `sliver` where too little, undefined where nothing. */
export type VisiblePart = Xyxy | 'sliver' | undefined

/**
 * The boxes of a prompt's phrases. A box that several phrases name comes once, with the tokens of all, so
 * that no word that is true of it counts as a negative.
 *
 * @param tokensOf tokens of a span of the prompt; none where it was cut off
 * @param most boxes; the last ones are dropped, those that may be before those that are named
 * @returns the boxes; spans of phrases that do not count, since a box of theirs is a sliver or one that may be
 *   theirs was dropped; and of those that do not count where there is no box, since one of theirs was dropped
 */
export function targetBoxes(
  phrases: readonly PromptPhrase[],
  tokensOf: (span: Span) => readonly number[],
  visiblePart: (box: Xyxy) => VisiblePart,
  most: number,
): { readonly boxes: TargetBox[]; readonly ignored: Span[]; readonly partial: Span[] } {
  const found = new Map<
    string,
    { xyxy: Xyxy; tokens: number[]; unsure: number[]; named: Span[]; spans: Span[] }
  >()
  const ignored: Span[] = []
  for (const { span, boxes, unsure = [] } of phrases) {
    const tokens = tokensOf(span)
    const add = (box: Xyxy, isNamed: boolean) => {
      const xyxy = visiblePart(box)
      // A box of which a sliver is left is neither a fair positive nor a fair negative.
      if (xyxy === 'sliver') ignored.push(span)
      if (xyxy === undefined || xyxy === 'sliver' || tokens.length === 0) return
      const target = found.get(xyxy.join()) ?? { xyxy, tokens: [], unsure: [], named: [], spans: [] }
      found.set(xyxy.join(), target)
      if (isNamed) {
        target.tokens.push(...tokens)
        target.named.push(span)
      } else {
        target.unsure.push(...tokens)
        target.spans.push(span)
      }
    }
    for (const box of boxes) add(box, true)
    for (const box of unsure) add(box, false)
  }
  const all = [...found.values()]
  const named = all.filter(({ tokens }) => tokens.length > 0)
  const ordered = [...named, ...all.filter(({ tokens }) => tokens.length === 0)]
  const dropped = ordered.slice(most)
  for (const { spans } of dropped) ignored.push(...spans)
  const kept = ordered.slice(0, most)
  return {
    boxes: kept.map(({ xyxy, tokens, unsure }) => {
      const own = new Set(tokens)
      return { xyxy, tokens: [...own], unsure: [...new Set(unsure)].filter((token) => !own.has(token)) }
    }),
    ignored,
    partial: dropped.flatMap(({ named: spans }) => spans),
  }
}
