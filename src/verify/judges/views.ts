import { z } from 'zod'
import { agreedThings, disagreementOf } from '../../filter/rule/agree.js'
import type { Verdict } from '../../rows/rows.js'
import { sessionKeys } from '../../teacher/config.js'
import { type AskedPicture, boxVerdict, type Judge, type Judged, phraseVerdict } from '../judge/judge.js'
import { judgeKind } from '../judge/judge-kind.js'

const share = z.number().min(0).max(1)

/**
 * The teacher itself, asked again: about the mirrored picture, smaller ones, and the phrase in other words. What is
 * there is found again; what is a teacher's guess often is not (test-time augmentation; the
 * consistency of views is the signal of CSD, Jeong et al. 2019, and of Soft Teacher, Xu et al. 2021).
 */
export const views = judgeKind({
  name: 'views',
  schema: z
    .strictObject({
      judge: z.literal('views'),
      model: z
        .string()
        .min(1)
        .optional()
        .describe('the teacher: a model folder or the name of a train stage; else the train stage it needs'),
      flip: z.boolean().default(true).describe('whether the mirrored picture is a view'),
      scales: z
        .array(z.number().min(0.1).lt(1))
        .max(8)
        .default([0.7])
        .describe('shares of its sides to which the picture is shrunk, a view each'),
      templates: z
        .array(z.string().regex(/^[^{}]*\{\}[^{}]*$/, 'expected a text with {} once, where the phrase goes'))
        .max(8)
        .default(['{}', 'a photo of {}'])
        .describe('texts in which a phrase is asked for without its caption, a view each; {} is the phrase'),
      iou: share.default(0.5).describe('overlap (IoU) from which a box of a view is the box that is judged'),
      floor: share.default(0.05).describe('score from which a box of a view counts'),
      ...sessionKeys,
    })
    .describe(
      'the teacher, asked again in other views: the mean score with which they find the box again; one run of it a view',
    ),
  model: 'teacher',
  needsBoxes: true,
  notHashed: ['model', 'threads', 'device', 'sessions', 'open_sizes'],
  check: async () => {},
  inputs: async () => ({}),
  async open(config, { model, notice }): Promise<Judge> {
    if (!model) throw new Error('the judge views was given no model')
    const [{ openTeacher }, { decodePicture }, { askViews }, { boxSupport }] = await Promise.all([
      import('../../teacher/open-teacher.js'),
      import('../../pictures/picture.js'),
      import('../views/ask-views.js'),
      import('../views/box-support.js'),
    ])
    const { flip, scales, templates, iou, floor } = config
    const teacher = await openTeacher(model.folder, {
      ...config,
      ...{ name: model.name, ...(notice && { notice }) },
    })
    if (teacher.hash !== model.hash) {
      await teacher.close()
      throw new Error(`${model.folder} holds another model than when this stage began: run the stage again.`)
    }
    const options = { flip, scales, templates, floor, nms: 0.6, max_boxes: 20 }
    return {
      // One more is prepared while the sessions are at work.
      ...{ name: model.name, parallel: teacher.parallel + 1 },
      async judge({ key, bytes, captions, phrases, questions }: AskedPicture): Promise<Judged> {
        if (questions.every(({ boxes }) => boxes.length === 0)) return { verdicts: [] }
        const picture = await decodePicture(bytes, teacher.pictureSide, key)
        const answers = await askViews(teacher, picture, captions, phrases, options)
        const verdicts = questions.flatMap(({ phrase, boxes }): Verdict[] => {
          if (boxes.length === 0) return []
          const own = boxes.map((box) => {
            const support = boxSupport(box, phrase, answers, iou)
            return boxVerdict(teacher.name, phrase, box, probabilityOf(support))
          })
          const found = answers.flatMap((answer, source) =>
            (answer[phrase] ?? []).map((box) => ({ ...box, phrase, source })),
          )
          const things = agreedThings(
            found.sort((a, b) => b.score - a.score),
            answers.length,
            iou,
          )
          // Where no view finds anything they agree, and what was found is lost.
          const agreement = things.length > 0 ? 1 - disagreementOf(things, phrase).value : 0
          return [...own, phraseVerdict(teacher.name, phrase, agreement)]
        })
        return { verdicts }
      },
      close: () => teacher.close(),
    }
  },
})

/** The mean of the scores with which the views have the box again: it tells more than how many have it. */
const probabilityOf = (support: readonly number[]): number =>
  Math.min(1, support.reduce((sum, score) => sum + score, 0) / support.length)
