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
  /**
   * Where boxes are weighed, how much it counts, 0 to 1: as much as the surest of the phrases that name it. 0
   * where nobody has drawn it.
   */
  readonly weight?: number
  /** Where boxes are weighed, how much each of its tokens counts, 0 to 1. */
  readonly tokenWeights?: readonly number[]
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
  const found = new Map<string, FoundBox>()
  const ignored: Span[] = []
  for (const { span, boxes, unsure = [], missing = [], weights } of phrases) {
    const tokens = tokensOf(span)
    const at = (box: Xyxy): FoundBox | undefined => {
      const xyxy = visiblePart(box)
      // A box of which a sliver is left is neither a fair positive nor a fair negative.
      if (xyxy === 'sliver') ignored.push(span)
      if (xyxy === undefined || xyxy === 'sliver' || tokens.length === 0) return undefined
      const target = found.get(xyxy.join()) ?? newBox(xyxy)
      found.set(xyxy.join(), target)
      return target
    }
    boxes.forEach((box, index) => {
      const target = at(box)
      const weight = weights?.[index]
      if (weight !== undefined && target) target.isWeighed = true
      for (const token of tokens)
        target?.tokens.set(token, Math.max(weight ?? 1, target.tokens.get(token) ?? 0))
      target?.named.push(span)
    })
    for (const [others, isDrawn] of [
      [unsure, true],
      [missing, false],
    ] as const)
      for (const box of others) {
        const target = at(box)
        target?.unsure.push(...tokens)
        target?.spans.push(span)
        if (isDrawn && target) target.isDrawn = true
      }
  }
  const all = [...found.values()]
  const named = all.filter(({ tokens }) => tokens.size > 0)
  const ordered = [...named, ...all.filter(({ tokens }) => tokens.size === 0)]
  const dropped = ordered.slice(most)
  for (const { spans } of dropped) ignored.push(...spans)
  const kept = ordered.slice(0, most)
  return {
    boxes: kept.map(targetOf),
    ignored,
    partial: dropped.flatMap(({ named: spans }) => spans),
  }
}

/** What is known of a box while phrases are gone through. */
interface FoundBox {
  readonly xyxy: Xyxy
  /** Those of phrases that name it, and how much they count. */
  readonly tokens: Map<number, number>
  readonly unsure: number[]
  readonly named: Span[]
  readonly spans: Span[]
  isWeighed: boolean
  /** Whether it is known of some phrase, or only one that is missed. */
  isDrawn: boolean
}

const newBox = (xyxy: Xyxy): FoundBox => ({
  xyxy,
  tokens: new Map(),
  ...{ unsure: [], named: [], spans: [], isWeighed: false, isDrawn: false },
})

function targetOf({ xyxy, tokens, unsure, isWeighed, isDrawn }: FoundBox): TargetBox {
  const weights = [...tokens.values()]
  const others = [...new Set(unsure)].filter((token) => !tokens.has(token))
  const target = { xyxy, tokens: [...tokens.keys()], unsure: others }
  if (tokens.size === 0) return isDrawn ? target : { ...target, weight: 0 }
  return isWeighed ? { ...target, weight: Math.max(...weights), tokenWeights: weights } : target
}
