import { setImmediate } from 'node:timers/promises'
import { type Random, random } from '../base/random.js'
import { iou } from '../boxes/iou.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { type DoubtedPicture, sameBox, sameThing } from './doubted-picture.js'
import {
  boxEvidence,
  type Candidate,
  logit,
  missingCandidates,
  missingEvidence,
  ownLogit,
  type UsualLogit,
} from './evidence.js'
import { type Classifier, softmaxRegression, type WeighedExample } from './softmax-regression.js'
import { spoilers, type WrongKind, wrongKinds } from './spoil.js'

/** How likely it is that something is wrong with a box, of each kind; with `right` they add up to 1. */
export type BoxDoubt = Readonly<Record<WrongKind | 'right', number>>

/** A box that a phrase seems to miss, and how likely it does. */
export interface MissingBox extends Candidate {
  readonly likelihood: number
}

/** Says what is likely to be wrong in a picture. */
export interface DoubtModel {
  /** Of each of the picture's boxes; undefined of one whose phrase the model could not be asked for. */
  boxes(picture: DoubtedPicture): (BoxDoubt | undefined)[]
  /** The likeliest first. */
  missing(picture: DoubtedPicture): MissingBox[]
}

const classes = ['right', ...wrongKinds] as const
/** Of what is there; half as many of each error are enough. */
const mostExamples = 4000
/** Nobody is surer than that of a kind of error that there is none. */
const leastPrior = 0.003
/** More is not believed: a model that knows nothing of a picture finds all of it wrong. */
const mostPrior = 0.25

/**
 * Learns from a grounding itself what an error looks like to a model: errors of each kind are made in it on
 * purpose, and a classifier is fitted to tell boxes that have one from those that were there. What was there is
 * wrong here and there too: how often is estimated, and what seems wrong is left out when it is fitted again.
 *
 * What it goes by are measures of ObjectLab (Tkachenko, Thyagarajan and Mueller 2023: badly located, swapped,
 * overlooked) and of confident learning (self-confidence, held against what is usual for the class), for phrases
 * in the place of classes.
 *
 * @throws the signal's reason once it is aborted
 */
export async function fitDoubt(
  pictures: readonly DoubtedPicture[],
  seed: number,
  signal?: AbortSignal,
): Promise<DoubtModel> {
  const usual = usualLogits(pictures)
  const draw = random(seed, 'doubt')
  const learned = async (drawn: Promise<Examples>) => {
    const { there, made } = await drawn
    const few = draw.shuffle(there).slice(0, mostExamples)
    const fewMade = made.map((examples) => draw.shuffle(examples).slice(0, mostExamples / 2))
    return fitted({ there: few, made: fewMade }, signal)
  }
  const inTurn = withTurns(pictures, signal)
  const box = await learned(boxExamples(inTurn, usual, draw))
  const missing = await learned(missingExamples(inTurn, usual, draw))
  return {
    boxes: (picture) =>
      picture.boxes.map((own, at) => {
        if (!picture.found.has(own.phrase)) return undefined
        const known = box(boxEvidence(picture, picture.boxes, at, usual))
        return doubtOf(known, picture.judged(own.phrase, own.xyxy))
      }),
    missing: (picture) =>
      missingCandidates(picture, picture.boxes)
        .map((candidate): MissingBox => {
          const [, likely = 0] = missing(missingEvidence(picture, picture.boxes, candidate, usual))
          const judged = picture.judged(candidate.phrase, candidate.xyxy)
          return { ...candidate, likelihood: judged === undefined ? likely : agreed(likely, judged) }
        })
        .sort((a, b) => b.likelihood - a.likelihood),
  }
}

function doubtOf(known: readonly number[], judged: number | undefined): BoxDoubt {
  const [own = 0] = known
  const right = judged === undefined ? own : agreed(own, judged)
  // Which kind of wrong it is the judge does not say.
  const scale = own < 1 ? (1 - right) / (1 - own) : 0
  const doubts = classes.map((name, index) => [name, index === 0 ? right : (known[index] ?? 0) * scale])
  return Object.fromEntries(doubts) as BoxDoubt
}

/** Two opinions that know nothing of each other: their odds are multiplied. */
function agreed(one: number, judged: number): number {
  const odds = Math.exp(logit(judged))
  return (one * odds) / (one * odds + 1 - one)
}

/** How sure the model is of boxes on average, by head: of few boxes about as of all. */
function usualLogits(pictures: readonly DoubtedPicture[]): UsualLogit {
  const sums = new Map<string, { sum: number; count: number }>()
  const all = { sum: 0, count: 0 }
  for (const picture of pictures)
    for (const box of picture.boxes) {
      if (!picture.found.has(box.phrase)) continue
      const head = picture.phrases[box.phrase]?.head ?? ''
      const own = sums.get(head) ?? { sum: 0, count: 0 }
      sums.set(head, own)
      const value = ownLogit(picture, box)
      for (const of of [own, all]) {
        of.sum += value
        of.count++
      }
    }
  const usual = all.count > 0 ? all.sum / all.count : 0
  return (head) => {
    const { sum, count } = sums.get(head) ?? { sum: 0, count: 0 }
    return (sum + 10 * usual) / (count + 10)
  }
}

/** What a classifier is fitted to: what is there, and examples of each further class. */
interface Examples {
  readonly there: readonly (readonly number[])[]
  readonly made: readonly (readonly (readonly number[])[])[]
}

/** Pictures between which others have a turn: what is told of one takes milliseconds. */
const withTurns = (pictures: readonly DoubtedPicture[], signal: AbortSignal | undefined) => ({
  async *[Symbol.asyncIterator]() {
    for (const picture of pictures) {
      await setImmediate()
      signal?.throwIfAborted()
      yield picture
    }
  },
})

async function boxExamples(
  pictures: AsyncIterable<DoubtedPicture>,
  usual: UsualLogit,
  draw: Random,
): Promise<Examples> {
  const there: number[][] = []
  const made = wrongKinds.map((): number[][] => [])
  for await (const picture of pictures)
    picture.boxes.forEach((box, at) => {
      if (!picture.found.has(box.phrase)) return
      there.push(boxEvidence(picture, picture.boxes, at, usual))
      const kind = draw.integer(wrongKinds.length)
      const spoilt = spoilers[wrongKinds[kind]!](picture, at, draw)
      if (spoilt) made[kind]!.push(boxEvidence(picture, spoilt.boxes, spoilt.at, usual))
    })
  return { there, made }
}

async function missingExamples(
  pictures: AsyncIterable<DoubtedPicture>,
  usual: UsualLogit,
  draw: Random,
): Promise<Examples> {
  const there: number[][] = []
  const missing: number[][] = []
  for await (const picture of pictures) {
    const { boxes } = picture
    for (const candidate of missingCandidates(picture, boxes))
      there.push(missingEvidence(picture, boxes, candidate, usual))
    // Each thing is taken away in turn.
    const things = boxes.filter((box, at) => boxes.findIndex(({ xyxy }) => isSame(xyxy, box.xyxy)) === at)
    for (const { xyxy } of draw.shuffle(things).slice(0, mostTaken)) {
      const left = boxes.filter((box) => !isSame(box.xyxy, xyxy))
      const gone = new Set(boxes.flatMap((box) => (isSame(box.xyxy, xyxy) ? [box.phrase] : [])))
      for (const candidate of missingCandidates(picture, left))
        if (gone.has(candidate.phrase) && iou(candidate.xyxy, xyxy) >= sameThing)
          missing.push(missingEvidence(picture, left, candidate, usual))
    }
  }
  return { there, made: [missing] }
}

/** Things of a picture that are taken away at most. */
const mostTaken = 4

const isSame = (one: Xyxy, other: Xyxy) => iou(one, other) >= sameBox

/**
 * A classifier whose first class is what is right. What is there is taken for right at first, and is not: the share of
 * each error in it is estimated, and as many as that, those that look most like the error, are left out when
 * it is fitted again (Garg, Wu, Smola, Balakrishnan and Lipton 2021).
 */
async function fitted({ there, made }: Examples, signal?: AbortSignal): Promise<Classifier> {
  const isMade = made.map((examples) => examples.length > 0)
  if (there.length === 0 || !isMade.includes(true)) return () => [1, ...made.map(() => 0)]
  let counts = there.map(() => 1)
  let priors = made.map(() => 0)
  let even: Classifier = () => []
  for (let round = 0; round < rounds; round++) {
    even = await fitEven(there, counts, made, signal)
    const odds = there.map(even)
    counts = there.map(() => 1)
    priors = made.map((examples, kind) => {
      const likeness = odds.map((one) => one[kind + 1]!)
      const ordered = sorted(likeness)
      const share = shareOf(ordered, sorted(examples.map((features) => even(features)[kind + 1]!)))
      const least = ordered[Math.round(share * there.length)] ?? 1
      likeness.forEach((value, at) => {
        if (value > least) counts[at] = 0
      })
      return share
    })
    // Of very few boxes all may look like some error.
    if (!counts.includes(1)) counts.fill(1)
  }
  return (features) => withPriors(even(features), priors)
}

/** Times that it is fitted. */
const rounds = 2

const sorted = (values: readonly number[]) => [...values].sort((a, b) => b - a)

/**
 * The share of an error in what is there: that of what is at least as much like it as some of those that were made,
 * held against their share, at the place where that is least, with what chance may add to it (best bin
 * estimation, of the same authors).
 *
 * @param there how much each that is there is like the error, the most first
 * @param made how much each that has it is, the most first
 */
function shareOf(there: readonly number[], made: readonly number[]): number {
  const chance = Math.sqrt(1 / there.length) + Math.sqrt(1 / made.length)
  let [share, bound] = [1, Number.POSITIVE_INFINITY]
  let above = 0
  made.forEach((least, at) => {
    while (above < there.length && there[above]! >= least) above++
    const part = (at + 1) / made.length
    const ratio = above / there.length / part
    if (ratio + chance / part >= bound) return
    bound = ratio + chance / part
    share = ratio
  })
  return made.length > 0 ? believed(share) : 0
}

/** Fitted to as many of each class. */
function fitEven(
  there: Examples['there'],
  counts: readonly number[],
  made: Examples['made'],
  signal?: AbortSignal,
): Promise<Classifier> {
  const known = sumOf(counts)
  const none = made.map(() => 0)
  const examples: WeighedExample[] = there.map((features, at) => ({
    features,
    weights: [counts[at]! / known, ...none],
  }))
  made.forEach((list, kind) => {
    const weights = [0, ...none.map((_, other) => (other === kind ? 1 / list.length : 0))]
    for (const features of list) examples.push({ features, weights })
  })
  return softmaxRegression(examples, signal)
}

/** Probabilities where classes are as frequent as `priors` say, of those where all are alike. */
function withPriors(even: readonly number[], priors: readonly number[]): number[] {
  const weighed = even.map((value, at) => value * (at === 0 ? 1 - sumOf(priors) : priors[at - 1]!))
  const sum = sumOf(weighed)
  return weighed.map((value) => value / sum)
}

const believed = (prior: number) => Math.min(mostPrior, Math.max(leastPrior, prior))

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)
