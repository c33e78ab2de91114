import { z } from 'zod'
import type { Evaluation } from '../../evaluate/evaluate-model.js'
import { attributeKinds } from '../../words/attribute-values.js'

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
