import { zip } from '../../base/zip.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import { Session, valueNamed } from '../../graph/session.js'
import { toOnnx } from '../../graph/to-onnx.js'
import type { Picture } from '../../pictures/picture.js'
import { areaUnderCurve } from '../../statistics/area-under-curve.js'
import type { NamedArray } from '../../weights/safetensors.js'
import { boxBatch, type FedBox } from './box-batch.js'
import { scoreFacts } from './box-facts.js'
import { isRight } from './draw-boxes.js'
import { fitLogistic, type Logistic, logisticOf } from './fit-logistic.js'
import { judgeBatch } from './judge-folder.js'
import { type JudgeNetwork, judgeInputs, judgeNetwork } from './judge-network.js'
import type { GoldPhrase, JudgedGold } from './judge-pictures.js'
import { isKnownNoun, type JudgeWords } from './judge-words.js'
import { fitRightBoxes, type NamedBox, type RightBoxes, rightProbabilities } from './right-boxes.js'
import { acceptedFrom, setFacts, thingsOf } from './set-facts.js'

/** How well a judge does on pictures that it was not trained on. Shares are 0 to 1, null where there is nothing to tell. */
export interface JudgeMeasured {
  readonly pictures: number
  readonly boxes: number
  /** Share of pairs of a right and a wrong box that the probability puts in order, and the teacher's score. */
  readonly auc: number | null
  readonly score_auc: number | null
  /** Share of boxes that are judged rightly, and of the larger of the two kinds. */
  readonly accuracy: number | null
  readonly chance: number | null
  /** Phrases of which it is rightly said whether all is found, and the larger of the two kinds. */
  readonly phrases: number
  readonly complete_accuracy: number | null
  readonly complete_chance: number | null
}

interface Trained {
  readonly network: JudgeNetwork
  readonly words: JudgeWords
  readonly parameters: readonly NamedArray[]
}

/** What a judge needs besides its network. */
interface Fitted {
  readonly right: RightBoxes
  readonly complete: Logistic
  readonly measured: JudgeMeasured
}

/** Boxes of a picture in one measure at most. */
const mostBoxes = 200

/**
 * Fits what turns the network's answers into probabilities, and what tells that all is found, on pictures that were
 * kept back, and measures both there: each half by what the other half gives. They are looked at a second time with the noun of every
 * second phrase hidden, as of what gold never names.
 */
export async function measureJudge<P extends JudgedGold>(
  { network, words, parameters }: Trained,
  pictures: readonly P[],
  decoded: (picture: P) => Promise<Picture>,
  threads: number,
): Promise<Fitted> {
  const values = new Map(parameters.map(({ name, data }) => [name, data]))
  const logits = judgeNetwork(network, judgeInputs(network, judgeBatch))
  const session = await Session.open(
    toOnnx({ outputs: { logits }, parameters: (name) => values.get(name)! }),
    { threads },
  )
  const judged: JudgedPicture[] = []
  try {
    for (const [at, picture] of pictures.entries()) {
      const image = await decoded(picture)
      const answered = async (asked: readonly Asked[]) => {
        const answers: number[] = []
        for (let from = 0; from < asked.length; from += judgeBatch) {
          const part = asked.slice(from, from + judgeBatch).map(({ fed }) => ({ ...fed, picture: image }))
          const results = await session.run(boxBatch(part, network, words, judgeBatch))
          answers.push(...(valueNamed(results, 'logits').data as Float32Array).subarray(0, part.length))
        }
        return zip(asked, answers).map(([one, logit]) => ({
          ...{ ...one, logit, phrase: one.of.phrase, head: one.of.words.head },
          isKnown: one.fed.hidden === undefined && isKnownNoun(one.of.words, words),
        }))
      }
      const boxes = picture.phrases.flatMap((phrase) => askedOf(picture, phrase)).slice(0, mostBoxes)
      const hidden = new Set(picture.phrases.filter((_, index) => (index + at) % 2 === 0))
      const veiled = boxes.map(
        (box): Asked =>
          hidden.has(box.of) ? { ...box, fed: { ...box.fed, hidden: box.of.words.head } } : box,
      )
      judged.push({
        ...{ phrases: picture.phrases, half: at % 2 },
        boxes: await answered(boxes),
        veiled: await answered(veiled),
      })
    }
  } finally {
    await session.close()
  }
  return fitted(judged)
}

/** A box that is asked about, and what is known of it. */
interface Asked {
  readonly of: GoldPhrase
  readonly xyxy: Xyxy
  readonly score: number | undefined
  readonly right: boolean
  readonly fed: Omit<FedBox, 'picture'>
}

interface JudgedPicture {
  readonly phrases: readonly GoldPhrase[]
  readonly boxes: readonly (Asked & NamedBox)[]
  /** The same with some nouns hidden. */
  readonly veiled: readonly (Asked & NamedBox)[]
  readonly half: number
}

/** The boxes of a phrase that are asked about: the teacher's, or where it was not asked gold's own of all phrases. */
function askedOf(picture: JudgedGold, phrase: GoldPhrase): Asked[] {
  const hasTeacher = picture.phrases.some(({ boxes }) => boxes.length > 0)
  const boxes = hasTeacher
    ? phrase.boxes.map((box) => ({ ...box, scores: scoreFacts(phrase, box, picture.phrases) }))
    : picture.phrases.flatMap(({ truth }) =>
        truth.map((xyxy) => ({ xyxy, score: undefined, scores: undefined })),
      )
  return boxes.map(({ xyxy, score, scores }) => ({
    ...{ of: phrase, xyxy, score },
    right: isRight(xyxy, phrase.truth),
    fed: { size: picture, xyxy, words: phrase.words, text: phrase.words.text, scores },
  }))
}

function fitted(judged: readonly JudgedPicture[]): Fitted {
  const fitRight = (of: readonly JudgedPicture[]) =>
    fitRightBoxes(of.flatMap(({ boxes, veiled }) => [boxes, veiled]))
  const setsOf = (right: RightBoxes, of: readonly JudgedPicture[]) =>
    of.flatMap(({ phrases, boxes }) => {
      const probable = zip(boxes, rightProbabilities(right, boxes))
      return phrases.map((phrase) => {
        const own = probable.flatMap(([box, probability]) =>
          box.of === phrase ? [{ xyxy: box.xyxy, probability }] : [],
        )
        return { facts: setFacts(own, phrase.words), isComplete: isComplete(own, phrase) }
      })
    })
  const fitComplete = (of: ReturnType<typeof setsOf>) =>
    fitLogistic(
      of.map(({ facts }) => facts),
      of.map((one) => one.isComplete),
    )
  const parts = [0, 1].map((half) => {
    const own = judged.filter((one) => one.half === half)
    const others = judged.filter((one) => one.half !== half)
    // A half of which nothing is known is measured by itself.
    const right = fitRight(others.length > 0 ? others : own)
    const complete = fitComplete(setsOf(right, others.length > 0 ? others : own))
    return {
      boxes: own.flatMap(({ boxes }) =>
        zip(boxes, rightProbabilities(right, boxes)).map(([box, probability]) => ({ ...box, probability })),
      ),
      sets: setsOf(right, own).map((set) => ({ ...set, probability: logisticOf(complete, set.facts) })),
    }
  })
  const boxes = parts.flatMap((part) => part.boxes)
  const sets = parts.flatMap((part) => part.sets)
  const measured: JudgeMeasured = {
    ...{ pictures: judged.length, boxes: boxes.length, phrases: sets.length },
    auc: aucOf(boxes.map(({ probability, right }) => ({ value: probability, right }))),
    score_auc: aucOf(boxes.map(({ score, right }) => ({ value: score ?? 1, right }))),
    accuracy: shareOf(boxes, ({ probability, right }) => probability >= 0.5 === right),
    chance: largerShare(boxes.map(({ right }) => right)),
    complete_accuracy: shareOf(sets, (one) => one.probability >= 0.5 === one.isComplete),
    complete_chance: largerShare(sets.map((one) => one.isComplete)),
  }
  const right = fitRight(judged)
  return { right, complete: fitComplete(setsOf(right, judged)), measured }
}

/** Whether the boxes that are accepted lie on all that a phrase names, and on nothing else. */
function isComplete(boxes: Parameters<typeof thingsOf>[0], { truth }: Pick<GoldPhrase, 'truth'>): boolean {
  const accepted = thingsOf(boxes).filter(({ probability }) => probability >= acceptedFrom)
  return truth.every((box) => accepted.some(({ xyxy }) => isRight(xyxy, [box])))
}

/** The area under the ROC curve; null where one of the kinds is missing. */
export function aucOf(items: readonly { readonly value: number; readonly right: boolean }[]): number | null {
  const of = (right: boolean) => items.filter((one) => one.right === right).map(({ value }) => value)
  const area = areaUnderCurve(of(true), of(false))
  return area < 0 ? null : area
}

function shareOf<T>(items: readonly T[], is: (item: T) => boolean): number | null {
  return items.length === 0 ? null : items.filter(is).length / items.length
}

function largerShare(items: readonly boolean[]): number | null {
  const share = shareOf(items, (item) => item)
  return share === null ? null : Math.max(share, 1 - share)
}
