/** What the server answers and the page reads. */
import type { PhraseDisagreement, Verdict as StoredVerdict } from '../../rows/rows.js'
import type { ShownName } from './shown-measures.js'

export interface DatasetAnswer {
  readonly name: string
  readonly url: string
  readonly pictures: number
  readonly shards: number
  /** What pictures' addresses begin with. */
  readonly pictureKey: string
  readonly layers: readonly LayerAnswer[]
  readonly funnel: readonly StageAnswer[]
  /** By name. */
  readonly selections: readonly SelectionAnswer[]
  /** The review that can be written here; null where the page only shows. */
  readonly review: ReviewSettings | null
}

/** The review that the server writes. */
export interface ReviewSettings {
  readonly name: string
  /** Who reviews where the address of the page does not say. */
  readonly reviewer: string
  /** Whether there is a sample whose lines are asked about. */
  readonly hasSample: boolean
}

/** Pictures of a dataset that someone has put on a list. */
export interface SelectionAnswer {
  readonly name: string
  readonly pictures: number
}

/** A grounding; or proposals, phrases or pictures that no later stage has come to yet. */
export interface LayerAnswer {
  readonly name: string
  readonly kind: 'gold' | 'filter' | 'proposals' | 'phrases' | 'pictures'
  /** The rules as they are applied, the threshold among them. */
  readonly rules: readonly Readonly<Record<string, unknown>>[] | null
  /** The rule whose `min` the threshold is; null where there are no boxes. */
  readonly thresholdRule: string | null
  /** The score that its own rules ask for. */
  readonly threshold: number
  /** Whether the threshold can be lowered, and every count is what `groundmill filter` would give. */
  readonly isExact: boolean
  /** What must be known of its numbers, where there is something. */
  readonly note: string | null
  /** Whether its words are names of categories: as a truth it is asked for categories, else for words. */
  readonly isByCategory: boolean
  /** Whether it can be told which rule dropped a box of its proposals. */
  readonly showsDropped: boolean
}

export interface StageAnswer {
  readonly stage: string
  readonly family: string
  readonly unit: string
  readonly in: number
  readonly out: number
  readonly rejected: readonly (readonly [reason: string, count: number])[]
  /** What came out with another label, by the rule that gave it. */
  readonly relabelled: readonly (readonly [rule: string, count: number])[]
}

/** How far the index is. */
export interface IndexAnswer {
  readonly rows: number
  readonly total: number
  /** False where the memory that the index may take is used up: what is counted are the first rows. */
  readonly isWhole: boolean
  readonly isBusy: boolean
  readonly errors: readonly string[]
}

export interface CountsAnswer {
  readonly index: IndexAnswer
  /** Under the threshold alone: the numbers of `groundmill filter`. */
  readonly kept: { readonly boxes: number; readonly pictures: number; readonly proposals: number }
  /** Under everything that is chosen. */
  readonly matched: { readonly boxes: number; readonly pictures: number }
  /** Of boxes that are kept, and of pictures: without a filter those of `groundmill stats`. */
  readonly histograms: Readonly<Record<ShownName, readonly number[]>>
  /** The histogram of scores with the boxes that the threshold leaves out. */
  readonly allScores: readonly number[]
  readonly heads: TallyAnswer
  readonly hosts: TallyAnswer
  /** Pictures with a box that is kept, and those without one. */
  readonly boxed: { readonly with: number; readonly without: number }
  readonly verdicts: VerdictsAnswer | null
  readonly changes: ChangesAnswer | null
}

/** What a box is beside the truth; `missed` are boxes of the truth. */
export type Verdict = 'right' | 'wrong' | 'missed'

/** How many boxes are what beside the truth, by the numbers of `groundmill sweep --gold`. */
export interface VerdictsAnswer {
  readonly right: number
  readonly wrong: number
  /** Boxes of the truth that a phrase asks for and no box has found, and those that one has. */
  readonly missed: number
  readonly found: number
  /** Boxes whose words the truth does not know. */
  readonly unjudged: number
  /** Pictures with at least one. */
  readonly pictures: Readonly<Record<Verdict, number>>
}

/** The most frequent words, and the chosen ones. */
export interface TallyAnswer {
  readonly top: readonly (readonly [word: string, count: number])[]
  readonly different: number
  readonly once: number
}

/** Of the pictures that match, by the names that `groundmill compare` gives them. */
export interface ChangesAnswer {
  /** Boxes that are the same on both sides, and those of one phrase that moved. */
  readonly kept: number
  readonly moved: number
  /** Boxes of the first side alone, and of the second alone. */
  readonly lost: number
  readonly added: number
  /** Pictures that differ. */
  readonly pictures: number
}

export interface SamplesAnswer {
  readonly total: number
  /** Whether all of the dataset has been looked through. */
  readonly isWhole: boolean
  readonly samples: readonly Sample[]
}

export interface SamplePhrase {
  readonly caption: number
  readonly text: string
  readonly start: number
  readonly end: number
  readonly head: string
}

/** The part of its phrase that a box has for a label: a span of the caption, in code points. */
export interface Relabelled {
  readonly start: number
  readonly end: number
  /** The rule that left it no more; null where its grounding does not tell. */
  readonly rule: string | null
}

/** A box, kept at thresholds above `from` and up to `to`. */
export interface SampleBox {
  readonly phrase: number
  readonly xyxy: readonly [number, number, number, number]
  readonly score: number
  readonly from: number
  readonly to: number
  /** Where its label is not the whole phrase. */
  readonly relabelled?: Relabelled
}

export interface Grounded {
  readonly phrases: readonly SamplePhrase[]
  readonly boxes: readonly SampleBox[]
  /** Of a comparison, for each box: what it is beside the other side, null below the threshold. */
  readonly changes?: readonly (Change | null)[]
  /** Beside a truth, for each box: null below the threshold, and where the truth does not know its words. */
  readonly verdicts?: readonly ('right' | 'wrong' | null)[]
  /** Boxes of the truth that were not found, with the words that ask for them. */
  readonly missed?: readonly { readonly text: string; readonly xyxy: SampleBox['xyxy'] }[]
}

export type Change = 'same' | 'moved' | 'alone'

export interface Sample extends Grounded {
  /** `shard:row`. */
  readonly id: string
  readonly key: string
  readonly url: string | null
  readonly width: number
  readonly height: number
  readonly captions: readonly { readonly text: string; readonly kind: string }[]
  /** The other side of a comparison. */
  readonly against?: Grounded
}

/** What only the open picture shows. */
export interface SampleAnswer {
  readonly sample: Sample
  readonly sha256: string
  readonly phash: string
  readonly license: string | null
  readonly meta: string | null
  readonly leftOut: readonly { readonly caption: number; readonly text: string; readonly reason: string }[]
  /** What judges say of its phrases and boxes, and how far teachers disagree. */
  readonly verdicts: readonly StoredVerdict[]
  readonly disagreement: readonly PhraseDisagreement[]
  /** Its place among what matches, and its neighbours there. */
  readonly place: number | null
  readonly total: number
  readonly before: string | null
  readonly after: string | null
}

export interface Reject {
  readonly key: string | null
  readonly url: string | null
  readonly reason: string
  readonly detail: string
  /** `shard:row` of its picture, where it is stored. */
  readonly picture: string | null
  /** The picture with the best of the boxes that were dropped for the reason. */
  readonly sample?: Sample
  /** How many boxes these are. */
  readonly dropped?: number
}

export interface RejectsAnswer {
  readonly rejects: readonly Reject[]
  /** Where to go on; null at the end. */
  readonly next: number | null
}

/** What the page asks to be stored as a selection. */
export interface SelectionQuestion {
  /** The pictures, as `shard:row`; without them all that match the address. */
  readonly ids?: readonly string[]
  /** Whether one of the same name is replaced. */
  readonly replace?: boolean
}

export interface ErrorAnswer {
  readonly error: string
}
