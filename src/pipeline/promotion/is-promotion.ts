import { z } from 'zod'
import { isEvaluation } from './is-evaluation.js'
import type { Promotion } from './promotion.js'

const named = { name: z.string(), hash: z.string() }
const scored = z.looseObject({ ...named, score: z.number() })
const comparison = {
  set: z.string(),
  metric: z.string(),
  teacher: z.number(),
  candidate: z.number(),
  difference: z.number(),
  interval: z.tuple([z.number(), z.number()]).nullable(),
}
const guard = z.looseObject({
  ...comparison,
  lower_by: z.number(),
  by_interval: z.boolean().optional(),
  holds: z.boolean(),
})
const evaluation = z.custom(isEvaluation)

const schema = z.looseObject({
  round: z.int().nonnegative(),
  promoted: z.boolean(),
  reason: z.string(),
  margin: z.number(),
  level: z.number(),
  resamplings: z.number(),
  seed: z.number(),
  teacher: scored,
  student: scored,
  next: z.looseObject(named),
  candidates: z.array(
    z.looseObject({ ...named, ...comparison, guards: z.array(guard), passes: z.boolean() }),
  ),
  scores: z.record(
    z.string(),
    z.looseObject({
      teacher: evaluation,
      student: evaluation,
      means: z.record(z.string(), evaluation).optional(),
    }),
  ),
})

/** Whether what a round's record holds is a decision: it may be damaged, or of a stranger. */
export const isPromotion = (result: unknown): result is Promotion => schema.safeParse(result).success
