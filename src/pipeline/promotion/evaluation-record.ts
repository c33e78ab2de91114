import { z } from 'zod'
import type { Evaluation } from '../../evaluate/evaluate-model.js'
import { attributeKinds } from '../../words/attribute-values.js'

/** Name of the evaluate stage that rounds lay out for a model and a held-out set. */
export const evaluationName = (model: string, set: string): string => `${model}-on-${set}`

/** What a teacher that is of no stage is called in evaluations and reports. */
export const folderTeacher = 'teacher'

/** Folder of a run that holds the records of its evaluate stages. */
export const evaluationFolder = 'evaluations'

/** The record of an evaluate stage in its run. */
export const evaluationRecord = (stage: string): string => `${evaluationFolder}/${stage}.json`

/** What became of the answers, picture by picture, beside that record. */
export const outcomesFile = (stage: string): string => `${evaluationFolder}/${stage}.outcomes.json`

const score = z.number().optional()
const schema = z.looseObject({
  ap: z.number(),
  ap50: z.number(),
  recall1: z.number(),
  recall5: z.number(),
  recall10: z.number(),
  // Older versions did not score presence.
  cgf1: score,
  il_mcc: score,
  false_presence: score,
  attributes: z
    .record(z.enum(attributeKinds), z.looseObject({ phrases: z.number(), auc: z.number() }))
    .optional(),
})

/** Whether what a record holds are scores: it may be damaged, or of a stranger. */
export const isEvaluation = (result: unknown): result is Evaluation => schema.safeParse(result).success

/** Whether an object of that folder is a record. */
export const isEvaluationRecord = (name: string): boolean =>
  name.endsWith('.json') && !name.endsWith('.outcomes.json')
