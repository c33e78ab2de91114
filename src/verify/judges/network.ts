import { z } from 'zod'
import { zip } from '../../base/zip.js'
import { Session, valueNamed } from '../../graph/session.js'
import { decodePicture } from '../../pictures/picture.js'
import type { Verdict } from '../../rows/rows.js'
import { type AskedPicture, boxVerdict, type Judge, type Judged, phraseVerdict } from '../judge/judge.js'
import { judgeKind } from '../judge/judge-kind.js'
import { boxBatch } from '../network/box-batch.js'
import { scoreFacts } from '../network/box-facts.js'
import { logisticOf } from '../network/fit-logistic.js'
import { judgeBatch, readJudgeFolder } from '../network/judge-folder.js'
import { judgeSide } from '../network/judge-side.js'
import { setFacts } from '../network/set-facts.js'

/**
 * A small network that a `judge` stage has trained on gold: how likely a box is right for its phrase, and whether the
 * boxes that it accepts are all that the phrase names.
 */
export const network = judgeKind({
  name: 'network',
  schema: z
    .strictObject({
      judge: z.literal('network'),
      model: z
        .string()
        .min(1)
        .optional()
        .describe('a folder of a judge or the name of a judge stage; else the one it needs'),
      threads: z.number().int().min(0).default(0).describe('threads of a session; 0: as onnxruntime chooses'),
    })
    .describe('a small network that was trained on gold to tell right boxes from wrong ones'),
  model: 'judge',
  needsBoxes: true,
  notHashed: ['model', 'threads'],
  check: async ({ model }) => model !== undefined && readJudgeFolder(model),
  inputs: async () => ({}),
  async open({ threads }, { model }) {
    if (!model) throw new Error('the judge `network` was opened without its model')
    return openNetworkJudge(model.folder, { name: model.name, threads })
  },
})

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
      const probabilities: number[] = []
      for (let at = 0; picture && at < asked.length; at += judgeBatch) {
        const part = asked.slice(at, at + judgeBatch).map(({ question, box }) => ({
          ...{ picture, size: { width, height }, xyxy: box.xyxy },
          ...{ words: question.words, text: question.words.text },
          // A score of 1 is gold's, which no teacher has given.
          scores: box.score < 1 ? scoreFacts(question, box, questions) : undefined,
        }))
        const results = await session.run(boxBatch(part, network, words, judgeBatch))
        const logits = (valueNamed(results, 'logits').data as Float32Array).subarray(0, part.length)
        for (const logit of logits) probabilities.push(logisticOf(right, [logit]))
      }
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
