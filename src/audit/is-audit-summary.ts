import { z } from 'zod'
import type { AuditSummary } from './audit-labels.js'

const share = z.number().nullable()
const interval = z.tuple([z.number(), z.number()]).nullable()

const schema = z.looseObject({
  pictures: z.number(),
  unnamed: z.array(z.looseObject({ head: z.string(), labels: z.number() })).optional(),
  kinds: z.array(
    z.looseObject({
      dimension: z.string(),
      kind: z.string(),
      judged: z.number(),
      precision: share,
      interval,
      chance: share,
      score: share,
      recall: share,
      recallInterval: interval,
      phraseRecall: share,
      ece: share,
      eceInterval: interval,
    }),
  ),
})

/** Whether what an audit's record holds is its summary: it may be damaged, or of a stranger. */
export const isAuditSummary = (result: unknown): result is AuditSummary => schema.safeParse(result).success
