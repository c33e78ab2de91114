import { clusterRatio } from '../statistics/cluster-ratio.js'
import type { Interval } from '../statistics/share-interval.js'
import {
  type CalibrationBin,
  type CalibrationError,
  calibrationBins,
  calibrationError,
  pictureWeights,
} from './calibration-error.js'
import { compareKinds, type PhraseKind } from './phrase-kinds.js'

/** A box of a grounding, for some words. */
export interface AuditedLabel {
  /** 0 to 1. */
  readonly score: number
  readonly kinds: readonly PhraseKind[]
  /** Whether it overlaps a box that its words name by an IoU of 0.5; undefined where the truth has not those. */
  readonly right?: boolean
  /** Share of the picture's objects that its words name; there where `right` is. */
  readonly chance?: number
  /** Head of its phrase, where that names nothing in the picture. */
  readonly unnamed?: string
}

/** A phrase that the truth has. */
export interface AuditedPhrase {
  readonly kinds: readonly PhraseKind[]
  /** How many objects it names, and how many of them a label of it has found. */
  readonly named: number
  readonly found: number
}

export interface AuditedPicture {
  readonly labels: readonly AuditedLabel[]
  readonly phrases: readonly AuditedPhrase[]
  readonly hasTruth: boolean
  /** Spans that name objects and are no phrase. */
  readonly unasked: number
}

/** Labels of one kind of phrase. Shares are 0 to 1, null where there is nothing to tell them by. */
export interface KindSummary extends CalibrationError {
  /** Such as `head`, or `head/attribute`. */
  readonly dimension: string
  /** Such as `new`, or `new/colour`. */
  readonly kind: string
  /** Labels, those of them that were judged, and how many of these are right. */
  readonly labels: number
  readonly judged: number
  readonly right: number
  readonly precision: number | null
  /** 95 % interval of the precision; those of other shares are named after them. */
  readonly interval: Interval | null
  /** Mean share of the picture's objects that a label's phrase names: the precision of boxes drawn by lot. */
  readonly chance: number | null
  /** Mean score of the judged labels. */
  readonly score: number | null
  /** Phrases with truth; null where there is a sample alone. */
  readonly phrases: number | null
  /** Share of the boxes that phrases name which a label has found. */
  readonly recall: number | null
  readonly recallInterval: Interval | null
  /** Share of phrases of which a label has found a box. */
  readonly phraseRecall: number | null
  readonly phraseRecallInterval: Interval | null
}

export interface AuditSummary {
  readonly pictures: number
  /** Pictures that the truth has. */
  readonly picturesWithTruth: number
  /** Spans that the truth has and no phrase: recall is without them. */
  readonly unaskedMentions: number
  /**
   * Labels of phrases that name nothing in their picture, by head noun, the most first: they are wrong. Absent
   * where there are none.
   */
  readonly unnamed?: readonly { readonly head: string; readonly labels: number }[]
  /** All labels, then by kind. */
  readonly kinds: readonly KindSummary[]
  /** Bins of score over all labels, those that are not empty. */
  readonly calibration: readonly CalibrationBin[]
}

/** Adds up how right the labels of a grounding are, picture by picture, in memory that does not grow. */
export function labelAudit() {
  const kinds = new Map<PhraseKind, ReturnType<typeof kindSums>>()
  const bins = calibrationBins()
  let pictures = 0
  let picturesWithTruth = 0
  let unaskedMentions = 0
  const unnamed = new Map<string, number>()
  const sumsOf = (kind: PhraseKind) => {
    const known = kinds.get(kind)
    if (known) return known
    const made = kindSums()
    kinds.set(kind, made)
    return made
  }
  return {
    add({ labels, phrases, hasTruth, unasked }: AuditedPicture): void {
      const weights = pictureWeights(pictures++)
      if (hasTruth) picturesWithTruth++
      unaskedMentions += unasked
      const ownLabels = byKind(labels)
      const ownPhrases = byKind(phrases)
      for (const kind of new Set([...ownLabels.keys(), ...ownPhrases.keys()]))
        sumsOf(kind).add(ownLabels.get(kind) ?? [], ownPhrases.get(kind) ?? [], weights)
      bins.add(labels.flatMap(judged))
      for (const { unnamed: head } of labels)
        if (head !== undefined) unnamed.set(head, (unnamed.get(head) ?? 0) + 1)
    },
    summary(): AuditSummary {
      return {
        pictures,
        picturesWithTruth,
        unaskedMentions,
        ...(unnamed.size > 0 && {
          unnamed: [...unnamed].sort(byCount).map(([head, count]) => ({ head, labels: count })),
        }),
        kinds: [...kinds]
          .sort(([a], [b]) => compareKinds(a, b))
          .map(([kind, sums]) => ({ ...namesOf(kind), ...sums.summary() })),
        calibration: bins.result(),
      }
    },
  }
}

/** How right labels are, by kind of phrase, beside chance. Intervals are about pictures like these. */
export function auditLabels(pictures: Iterable<AuditedPicture>): AuditSummary {
  const audit = labelAudit()
  for (const picture of pictures) audit.add(picture)
  return audit.summary()
}

/** The two parts of a kind. */
export function namesOf(kind: PhraseKind): { readonly dimension: string; readonly kind: string } {
  const [dimension = '', name = ''] = kind.split('=')
  return { dimension, kind: name }
}

function byKind<T extends { readonly kinds: readonly PhraseKind[] }>(
  items: readonly T[],
): Map<PhraseKind, T[]> {
  const groups = new Map<PhraseKind, T[]>()
  for (const item of items) {
    for (const kind of item.kinds) {
      const group = groups.get(kind)
      if (group) group.push(item)
      else groups.set(kind, [item])
    }
  }
  return groups
}

const judged = ({ score, right, chance }: AuditedLabel) =>
  right === undefined ? [] : [{ score, right, chance: chance ?? 0 }]

function kindSums() {
  const precision = clusterRatio()
  const recall = clusterRatio()
  const phraseRecall = clusterRatio()
  const calibration = calibrationError()
  let labels = 0
  let phrases = 0
  let chance = 0
  let score = 0
  return {
    add(ownLabels: readonly AuditedLabel[], ownPhrases: readonly AuditedPhrase[], weights: Uint8Array): void {
      labels += ownLabels.length
      phrases += ownPhrases.length
      const own = ownLabels.flatMap(judged)
      for (const label of own) {
        chance += label.chance
        score += label.score
      }
      precision.add(own.length, own.filter(({ right }) => right).length)
      calibration.add(own, weights)
      recall.add(sum(ownPhrases.map(({ named }) => named)), sum(ownPhrases.map(({ found }) => found)))
      phraseRecall.add(ownPhrases.length, ownPhrases.filter(({ found }) => found > 0).length)
    },
    summary(): Omit<KindSummary, 'dimension' | 'kind'> {
      const { all, hits, share, interval } = precision.result()
      const boxes = recall.result()
      const found = phraseRecall.result()
      return {
        labels,
        judged: all,
        right: hits,
        precision: share,
        interval,
        chance: all === 0 ? null : chance / all,
        score: all === 0 ? null : score / all,
        phrases,
        recall: boxes.share,
        recallInterval: boxes.interval,
        phraseRecall: found.share,
        phraseRecallInterval: found.interval,
        ...calibration.result(),
      }
    },
  }
}

const byCount = ([a, one]: readonly [string, number], [b, other]: readonly [string, number]) =>
  other - one || (a < b ? -1 : 1)

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
