import { zip } from '../../base/zip.js'
import { Session, valueNamed } from '../../graph/session.js'
import { decodePicture } from '../../pictures/picture.js'
import type { Verdict } from '../../rows/rows.js'
import { type AskedPicture, boxVerdict, type Judge, type Judged, phraseVerdict } from '../judge/judge.js'
import { boxBatch } from './box-batch.js'
import { scoreFacts } from './box-facts.js'
import { logisticOf } from './fit-logistic.js'
import { judgeBatch, readJudgeFolder } from './judge-folder.js'
import { judgeSide } from './judge-side.js'
import { isKnownNoun } from './judge-words.js'
import { type NamedBox, rightProbabilities } from './right-boxes.js'
import { setFacts } from './set-facts.js'

/** @throws UserError where the folder is no judge's */
export async function openNetworkJudge(
  folder: string,
  { name, threads = 0 }: { readonly name: string; readonly threads?: number },
): Promise<Judge> {
  const { network, words, right, complete, model } = await readJudgeFolder(folder)
  const session = await Session.open(model, { threads })
  return {
    name,
    parallel: 2,
    async judge({ bytes, key, width, height, questions }: AskedPicture): Promise<Judged> {
      const asked = questions.flatMap((question) => question.boxes.map((box) => ({ question, box })))
      if (questions.length === 0) return { verdicts: [] }
      const picture = asked.length > 0 ? await decodePicture(bytes, judgeSide, key) : undefined
      const answered: NamedBox[] = []
      for (let at = 0; picture && at < asked.length; at += judgeBatch) {
        const part = asked.slice(at, at + judgeBatch).map(({ question, box }) => ({
          ...{ picture, size: { width, height }, xyxy: box.xyxy },
          ...{ words: question.words, text: question.words.text },
          // A score of 1 is gold's, which no teacher has given.
          scores: box.score < 1 ? scoreFacts(question, box, questions) : undefined,
          named: {
            ...{ phrase: question.phrase, head: question.words.head, xyxy: box.xyxy },
            score: box.score < 1 ? box.score : undefined,
            isKnown: isKnownNoun(question.words, words),
          },
        }))
        const results = await session.run(boxBatch(part, network, words, judgeBatch))
        const logits = (valueNamed(results, 'logits').data as Float32Array).subarray(0, part.length)
        for (const [at, logit] of logits.entries()) answered.push({ ...part[at]!.named, logit })
      }
      const probabilities = rightProbabilities(right, answered)
      const verdicts: Verdict[] = []
      let at = 0
      for (const { phrase, boxes, words: phraseWords } of questions) {
        const own = probabilities.slice(at, at + boxes.length)
        at += boxes.length
        for (const [box, probability] of zip(boxes, own))
          verdicts.push(boxVerdict(name, phrase, box, probability))
        const probable = zip(boxes, own).map(([{ xyxy }, probability]) => ({ xyxy, probability }))
        verdicts.push(phraseVerdict(name, phrase, logisticOf(complete, setFacts(probable, phraseWords))))
      }
      return { verdicts }
    },
    close: () => session.close(),
  }
}
