import type { Caption, Phrase, Proposal, Verdict } from '../../rows/rows.js'

/** A box that a judge is asked about. */
export type AskedBox = Pick<Proposal, 'xyxy' | 'score' | 'label'>

/** A phrase of a picture with the boxes that were found for it. */
export interface Question {
  /** Index into the row's phrases. */
  readonly phrase: number
  readonly words: Phrase
  /** Best first; none where nothing was found. */
  readonly boxes: readonly AskedBox[]
}

/** A picture, and what is asked about it. */
export interface AskedPicture {
  readonly key: string
  /** The stored picture, and its pixels. */
  readonly bytes: Uint8Array
  readonly width: number
  readonly height: number
  readonly captions: readonly Caption[]
  /** All phrases of the row, those that are not asked about as well. */
  readonly phrases: readonly Phrase[]
  readonly questions: readonly Question[]
}

/** What a judge does not answer, and why: a short fixed word that is counted, and what a person wants to read. */
export interface Unanswered {
  /** How many boxes; 0 where a phrase as a whole is not answered. */
  readonly boxes: number
  readonly reason: string
  readonly detail: string
}

/** What a judge says of a picture. */
export interface Judged {
  /**
   * In the order of the questions and their boxes, a verdict of the phrase behind those of its boxes. Every box
   * that was asked about has one, or is unanswered.
   */
  readonly verdicts: readonly Verdict[]
  readonly unanswered?: readonly Unanswered[]
  /** What it took, by name, which the record of the shard adds up: tokens. */
  readonly counts?: Readonly<Record<string, number>>
}

/** A second opinion on boxes and words. */
export interface Judge {
  /** Under which its verdicts are given: of a model, or of a service and its model. */
  readonly name: string
  /** Pictures that it is asked for at once. */
  readonly parallel: number
  /** @throws Error where it cannot answer now, which trying again may mend */
  judge(picture: AskedPicture, signal?: AbortSignal): Promise<Judged>
  close(): Promise<void>
}

/** A verdict of a machine of a box, as it is when nothing else is said. */
export function boxVerdict(
  judge: string,
  phrase: number,
  { xyxy }: Pick<AskedBox, 'xyxy'>,
  probability: number,
): Verdict {
  return {
    ...{ phrase, xyxy, judge, probability },
    verdict: probability >= 0.5 ? 'accept' : 'reject',
    ...nothingMore,
  }
}

/** A verdict of a machine of a phrase: whether its boxes are all the things that it names. */
export function phraseVerdict(judge: string, phrase: number, probability: number): Verdict {
  return {
    ...{ phrase, xyxy: null, judge, probability },
    verdict: probability >= 0.5 ? 'complete' : 'incomplete',
    ...nothingMore,
  }
}

const nothingMore = { redrawn: null, start: null, end: null, person: false, reason: null, at: null } as const
