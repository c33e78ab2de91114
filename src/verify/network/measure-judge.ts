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
import type { JudgeWords } from './judge-words.js'
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

/** Boxes of a picture in one measure at most. */
const mostBoxes = 200

/**
 * Fits what turns logits into probabilities, and what tells that all is found, on pictures that were kept back, and
 * measures both there: each half by what the other half gives.
 */
export async function measureJudge<P extends JudgedGold>(
  { network, words, parameters }: Trained,
  pictures: readonly P[],
  decoded: (picture: P) => Promise<Picture>,
  threads: number,
): Promise<{ readonly right: Logistic; readonly complete: Logistic; readonly measured: JudgeMeasured }> {
  const values = new Map(parameters.map(({ name, data }) => [name, data]))
  const logits = judgeNetwork(network, judgeInputs(network, judgeBatch))
  const session = await Session.open(
    toOnnx({ outputs: { logits }, parameters: (name) => values.get(name)! }),
    { threads },
  )
  const judged: JudgedPhrase[] = []
  try {
    for (const picture of pictures) {
      const asked = picture.phrases.flatMap((phrase) => askedOf(picture, phrase)).slice(0, mostBoxes)
      const image = await decoded(picture)
      const answers: number[] = []
      for (let at = 0; at < asked.length; at += judgeBatch) {
        const part = asked.slice(at, at + judgeBatch).map(({ fed }) => ({ ...fed, picture: image }))
        const results = await session.run(boxBatch(part, network, words, judgeBatch))
        answers.push(...(valueNamed(results, 'logits').data as Float32Array).subarray(0, part.length))
      }
      for (const phrase of picture.phrases) {
        const boxes = asked.flatMap((one, at) =>
          one.phrase === phrase ? [{ ...one, logit: answers[at]! }] : [],
        )
        judged.push({ phrase, boxes, half: judged.length % 2 })
      }
    }
  } finally {
    await session.close()
  }
  return fitted(judged, pictures.length)
}

interface JudgedPhrase {
  readonly phrase: GoldPhrase
  readonly boxes: readonly (ReturnType<typeof askedOf>[number] & { readonly logit: number })[]
  readonly half: number
}

/** The boxes of a phrase that are asked about: the teacher's, or where it was not asked gold's own of all phrases. */
function askedOf(picture: JudgedGold, phrase: GoldPhrase) {
  const hasTeacher = picture.phrases.some(({ boxes }) => boxes.length > 0)
  const boxes = hasTeacher
    ? phrase.boxes.map((box) => ({ ...box, scores: scoreFacts(phrase, box, picture.phrases) }))
    : picture.phrases.flatMap(({ truth }) => truth.map((xyxy) => ({ xyxy, score: 1, scores: undefined })))
  return boxes.map(({ xyxy, score, scores }) => ({
    ...{ phrase, xyxy, score },
    right: isRight(xyxy, phrase.truth),
    fed: {
      ...{ size: picture, xyxy, words: phrase.words, text: phrase.words.text, scores },
    } satisfies Omit<FedBox, 'picture'>,
  }))
}

function fitted(judged: readonly JudgedPhrase[], pictures: number) {
  const fitRight = (of: readonly JudgedPhrase[]) => {
    const boxes = of.flatMap((one) => one.boxes)
    return fitLogistic(
      boxes.map(({ logit }) => [logit]),
      boxes.map(({ right }) => right),
    )
  }
  const right = fitRight(judged)
  const sets = judged.map(({ phrase, boxes, half }) => {
    const probable = boxes.map(({ xyxy, logit }) => ({ xyxy, probability: logisticOf(right, [logit]) }))
    return { facts: setFacts(probable, phrase.words), isComplete: isComplete(probable, phrase), half }
  })
  const fitComplete = (of: typeof sets) =>
    fitLogistic(
      of.map(({ facts }) => facts),
      of.map(({ isComplete }) => isComplete),
    )
  const halves = [0, 1].map((half) => ({
    right: fitRight(judged.filter((one) => one.half !== half)),
    complete: fitComplete(sets.filter((one) => one.half !== half)),
  }))
  const boxes = judged.flatMap((one) =>
    one.boxes.map(({ logit, score, right }) => ({
      ...{ score, right },
      probability: logisticOf(halves[one.half]!.right, [logit]),
    })),
  )
  const complete = sets.map(({ facts, isComplete, half }) => ({
    isComplete,
    probability: logisticOf(halves[half]!.complete, facts),
  }))
  const measured: JudgeMeasured = {
    ...{ pictures, boxes: boxes.length, phrases: sets.length },
    auc: aucOf(boxes.map(({ probability, right }) => ({ value: probability, right }))),
    score_auc: aucOf(boxes.map(({ score, right }) => ({ value: score, right }))),
    accuracy: shareOf(boxes, ({ probability, right }) => probability >= 0.5 === right),
    chance: largerShare(boxes.map(({ right }) => right)),
    complete_accuracy: shareOf(complete, (one) => one.probability >= 0.5 === one.isComplete),
    complete_chance: largerShare(sets.map((one) => one.isComplete)),
  }
  return { right, complete: fitComplete(sets), measured }
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
