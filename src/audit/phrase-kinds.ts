import { lemma } from '../nlp/lexicon/lemma.js'
import type { Phrase } from '../rows/rows.js'
import { type AttributeKind, attributeKinds, attributeValues } from '../words/attribute-values.js'
import type { Span } from '../words/name-prompt.js'
import type { PictureTruth } from './truth.js'

/** What a phrase is like in some respect, as `dimension=kind`. */
export type PhraseKind = `${string}=${string}`

/** Dimensions and their kinds, in the order in which they are told. */
export const kindOrder: readonly (readonly [dimension: string, kinds: readonly string[]])[] = [
  ['all', ['all']],
  ['head', ['known', 'new']],
  ['attribute', [...attributeKinds, 'none']],
  ['telling', ['telling_colour', 'shared_colour', 'telling_size', 'shared_size']],
  ['number', ['singular', 'plural', 'mass']],
  ['tail', ['tail', 'none']],
]

/** What is asked of a phrase beside its words. */
export interface PhraseSurroundings {
  readonly caption: string
  /** Spans of the caption's other phrases: what they say is not said of this one. */
  readonly others: readonly Span[]
  /** Head nouns that are known; without them no head is known or new. */
  readonly known?: ReadonlySet<string>
  /** The picture's truth, and which of its objects the phrase names. */
  readonly truth?: PictureTruth
  readonly named?: readonly number[]
}

/**
 * The kinds of a phrase. A phrase with a colour and a size is of both kinds. Where a respect is not known,
 * the number of gold phrases say, the phrase has no kind in it.
 *
 * - `head`: whether its head noun is among the known ones.
 * - `attribute`: what its words give a value, and a place in its tail; colours and sizes of the tail count
 *   where no other phrase says them.
 * - `telling`: of a colour or a size, whether no other object of the picture has it (`telling_colour`) or
 *   some has (`shared_colour`). Only where the truth has that of every object.
 * - `number`; `tail`: whether a referring tail belongs to it ("the cat on the left").
 * - `head/attribute` and `head/telling`: both at once.
 */
export function phraseKinds(phrase: Phrase, surroundings: PhraseSurroundings): PhraseKind[] {
  const { known } = surroundings
  const { expression_end: expressionEnd, number } = phrase
  const heads = known ? [known.has(lemma(phrase.head)) ? 'known' : 'new'] : []
  const values = valuesOf(phrase, surroundings)
  const named = attributeKinds.filter((kind) => values.some((value) => value.kind === kind))
  const attributes = named.length > 0 ? named : ['none']
  const telling = tellingOf(values, surroundings)
  const both = (dimension: string, kinds: readonly string[]) =>
    heads.flatMap((head) => kinds.map((kind): PhraseKind => `head/${dimension}=${head}/${kind}`))
  return [
    'all=all',
    ...heads.map((kind): PhraseKind => `head=${kind}`),
    ...attributes.map((kind): PhraseKind => `attribute=${kind}`),
    ...telling.map((kind): PhraseKind => `telling=${kind}`),
    ...(number ? [`number=${number}` as const] : []),
    ...(typeof expressionEnd === 'number'
      ? [expressionEnd > phrase.end ? ('tail=tail' as const) : ('tail=none' as const)]
      : []),
    ...both('attribute', attributes),
    ...both('telling', telling),
  ]
}

interface Value {
  readonly kind: AttributeKind
  readonly value: string
}

function valuesOf(phrase: Phrase, { caption, others }: PhraseSurroundings): Value[] {
  const length = [...phrase.text].length
  // The head itself is no attribute: the cream of "an ice cream".
  const own = attributeValues(phrase.text).filter(({ span }) => span[1] < length)
  const { end, expression_end: expressionEnd } = phrase
  if (typeof expressionEnd !== 'number' || expressionEnd <= end) return own
  const points = [...caption]
  const tail = attributeValues(points.slice(end, expressionEnd).join('')).filter(({ kind, span }) => {
    const from = end + span[0]
    return kind === 'place' || !others.some((other) => other[0] <= from && from < other[1])
  })
  return [...own, ...tail]
}

function tellingOf(values: readonly Value[], { truth, named }: PhraseSurroundings): string[] {
  if (!truth || !named || named.length === 0) return []
  const others = truth.objects.filter((_, at) => !named.includes(at))
  return (['colour', 'size'] as const).flatMap((kind) => {
    const wanted = values.filter((value) => value.kind === kind).map(({ value }) => value)
    const isTold = truth.objects.every(({ attributes }) => attributes?.[kind] !== undefined)
    if (wanted.length === 0 || !isTold) return []
    const isShared = others.some(({ attributes }) => wanted.includes(attributes?.[kind] ?? ''))
    return [isShared ? `shared_${kind}` : `telling_${kind}`]
  })
}

/** Sorts kinds by dimension and kind, as they are told. */
export function compareKinds(a: PhraseKind, b: PhraseKind): number {
  const [one, other] = [placeOf(a), placeOf(b)]
  for (const [at, place] of one.entries()) {
    const difference = place - (other[at] ?? 0)
    if (difference !== 0) return difference
  }
  return a < b ? -1 : a > b ? 1 : 0
}

/** Dimensions of one respect before those of two, then by the places of the parts. */
function placeOf(kind: PhraseKind): number[] {
  const [dimension = '', value = ''] = kind.split('=')
  const parts = dimension.split('/')
  const values = value.split('/')
  const places = parts.map((part) => kindOrder.findIndex(([name]) => name === part))
  const within = parts.map((_, at) => kindOrder[places[at] ?? 0]?.[1].indexOf(values[at] ?? '') ?? 0)
  return [parts.length, ...places, ...within]
}
