import { clipBox, type Xyxy } from '../../../boxes/xyxy.js'
import type { ReviewEntry } from '../../../review/review-entry.js'
import { isOfBox } from '../../../review/review-entry.js'
import type { Sample, SampleBox, SamplePhrase } from '../../view/answers.js'
import type { AskedLabel } from '../../view/review-answers.js'
import { isKept } from '../../view/threshold.js'

/** What is asked about a picture, one after the other: each box of a phrase, then whether these are all. */
export interface Step {
  /** Index into the sample's phrases. */
  readonly phrase: number
  /** Cut off at the picture's edge; null: the phrase as a whole. */
  readonly xyxy: Xyxy | null
  /** Null of what the reviewer has added, and of phrases. */
  readonly box: SampleBox | null
}

interface Shown {
  readonly threshold: number
  /** Whether boxes below the threshold are asked about too. */
  readonly weak: boolean
  /** Of a sample that was drawn, the labels that are asked about; null: all. */
  readonly asked: readonly AskedLabel[] | null
}

/** @param held what holds of what the reviewer has said of the picture */
export function stepsOf(
  sample: Sample,
  held: readonly ReviewEntry[],
  { threshold, weak, asked }: Shown,
): Step[] {
  return sample.phrases.flatMap((phrase, at): Step[] => {
    const known = new Set<string>()
    const found = sample.boxes
      .filter((box) => box.phrase === at && (weak || asked || isKept(box.from, box.to, threshold)))
      .flatMap((box): Step[] => {
        const xyxy = clipBox(box.xyxy, sample)
        if (!xyxy || known.has(xyxy.join())) return []
        known.add(xyxy.join())
        return [{ phrase: at, xyxy, box }]
      })
    const wanted = asked ? found.filter(({ box }) => box && asksBox(asked, phrase, box)) : found
    const added = held
      .filter((entry) => entry.action === 'add' && isOf(entry, phrase))
      .map(({ xyxy }): Step => ({ phrase: at, xyxy, box: null }))
    const isAsked = !asked || asked.some((label) => label.xyxy === null && isPartOf(label, phrase))
    return [...wanted, ...added, ...(isAsked ? [{ phrase: at, xyxy: null, box: null }] : [])]
  })
}

/** The words of a label may be a part of its phrase. */
const isPartOf = ({ caption, start, end }: AskedLabel, phrase: SamplePhrase): boolean =>
  caption === phrase.caption && start >= phrase.start && end <= phrase.end

const asksBox = (asked: readonly AskedLabel[], phrase: SamplePhrase, { xyxy }: SampleBox): boolean =>
  asked.some((label) => isPartOf(label, phrase) && label.xyxy?.join() === xyxy.join())

const isOf = ({ phrase }: ReviewEntry, { caption, start, end }: SamplePhrase): boolean =>
  phrase !== null && phrase.caption === caption && phrase.start === start && phrase.end === end

/** What holds of a step: undefined where nothing was said. */
export function saidOf(sample: Sample, held: readonly ReviewEntry[], step: Step): ReviewEntry | undefined {
  const phrase = sample.phrases[step.phrase]
  return phrase && held.find((entry) => isOf(entry, phrase) && isAbout(entry, step))
}

const isAbout = ({ action, xyxy }: ReviewEntry, step: Step): boolean =>
  step.xyxy === null ? !isOfBox(action) && action !== 'done' : xyxy?.join() === step.xyxy.join()

/** The next step without a word, from one on and around; -1 where there is none. */
export function nextOpen(
  sample: Sample,
  held: readonly ReviewEntry[],
  steps: readonly Step[],
  from: number,
): number {
  for (let ahead = 0; ahead < steps.length; ahead++) {
    const at = (from + ahead) % steps.length
    if (!saidOf(sample, held, steps[at] as Step)) return at
  }
  return -1
}
