import { areaUnderCurve } from '../statistics/area-under-curve.js'
import { type AttributeKind, attributeKinds } from '../words/attribute-values.js'

/** Scores of a phrase in a picture, 0 to 1; 0 where no box was found. */
export interface ContrastScores {
  /** Of the best box among those that overlap a true box of the phrase with an IoU of at least 0.5. */
  readonly place: number
  /** Of the best box anywhere in the picture. */
  readonly presence: number
}

/** What a model says of a phrase, and of the same phrase with another value of an attribute. */
export interface AttributeContrast {
  readonly kind: AttributeKind
  readonly stated: ContrastScores
  readonly swapped: ContrastScores
  /** Whether the gold rules out that the swapped phrase names something else in the picture. */
  readonly absent: boolean
  /** Whether the best box for the phrase as it stands is right: IoU at least 0.5 with a true box. */
  readonly found: boolean
  /** Share of the picture's distinct gold boxes that the phrase names, 0 to 1. */
  readonly chance: number
}

/** How far a model reads attributes of one kind. Numbers in 0 to 1; -1 where there is no phrase for them. */
export interface AttributeScores {
  /** Phrases that were asked with another value. */
  readonly phrases: number
  /** Scores at the true boxes: probability that a true phrase scores higher than a swapped one. */
  readonly auc: number
  /** Scores at the true boxes: share of phrases that score higher than their own swapped ones. */
  readonly share: number
  /** Phrases of which the swapped one is known to be absent from the picture. */
  readonly absent: number
  /** The same two of the best scores in the picture, over the `absent` phrases. */
  readonly auc_presence: number
  readonly share_presence: number
  /** Share of phrases whose best box is right, and what a blind choice among the gold boxes would find. */
  readonly found: number
  readonly chance: number
}

/** Scores of every kind of attribute. */
export type AttributeTable = Readonly<Record<AttributeKind, AttributeScores>>

/** Sums up by kind what a model was asked. */
export function attributeTable(contrasts: readonly AttributeContrast[]): AttributeTable {
  const table = attributeKinds.map((kind) => [
    kind,
    scoresOf(contrasts.filter((contrast) => contrast.kind === kind)),
  ])
  return Object.fromEntries(table) as AttributeTable
}

/** Kinds of attributes for which at least one of the tables has a phrase. */
export function kindsAsked(
  tables: readonly (Readonly<Record<AttributeKind, { readonly phrases: number | null }>> | undefined)[],
): AttributeKind[] {
  return attributeKinds.filter((kind) =>
    tables.some((table) => table !== undefined && (table[kind].phrases ?? 0) > 0),
  )
}

function scoresOf(contrasts: readonly AttributeContrast[]): AttributeScores {
  const place = pairsOf(contrasts, 'place')
  const absent = contrasts.filter((contrast) => contrast.absent)
  const presence = pairsOf(absent, 'presence')
  return {
    phrases: contrasts.length,
    auc: areaUnderCurve(place.stated, place.swapped),
    share: meanOf(place.wins),
    absent: absent.length,
    auc_presence: areaUnderCurve(presence.stated, presence.swapped),
    share_presence: meanOf(presence.wins),
    found: meanOf(contrasts.map(({ found }) => (found ? 1 : 0))),
    chance: meanOf(contrasts.map(({ chance }) => chance)),
  }
}

function pairsOf(contrasts: readonly AttributeContrast[], score: keyof ContrastScores) {
  const stated = contrasts.map((contrast) => contrast.stated[score])
  const swapped = contrasts.map((contrast) => contrast.swapped[score])
  const wins = contrasts.map(
    (contrast) => (1 + Math.sign(contrast.stated[score] - contrast.swapped[score])) / 2,
  )
  return { stated, swapped, wins }
}

const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? -1 : values.reduce((sum, value) => sum + value, 0) / values.length
