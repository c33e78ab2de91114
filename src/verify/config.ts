import { z } from 'zod'
import { notAmong } from '../base/schema-words.js'
import { type JudgeConfig, judgeNames, judges } from './judges.js'

/** Keys that a stage has whoever judges. */
const shared = {
  min: z
    .number()
    .min(0)
    .max(1)
    .default(0.05)
    .describe('score of the weakest boxes that the judge is asked about'),
  max_boxes: z
    .number()
    .int()
    .positive()
    .default(20)
    .describe('boxes of one phrase that it is asked about at most, the best first'),
}

/** What is asked of a judge, and of which boxes. */
export type VerifyConfig = JudgeConfig & { readonly min: number; readonly max_boxes: number }

const schemas = judges.map(({ schema }) => schema.extend(shared).describe(schema.description ?? ''))

/** A judge that is not known is told of with those that are. */
const error = (issue: { readonly code?: string; readonly input?: unknown }) =>
  issue.code === 'invalid_union'
    ? notAmong((issue.input as { readonly judge?: unknown } | null)?.judge, judgeNames)
    : undefined

/** A verify stage: the keys of its judge, and those of all. */
export const verifyConfig = z
  .discriminatedUnion('judge', schemas as unknown as readonly [(typeof schemas)[number]], { error })
  .describe('asks a second opinion on boxes and phrases: verdicts') as unknown as z.ZodType<VerifyConfig>

/** Keys that change how fast, or from where, never what is said. */
export const verifyNotHashed = [...new Set(judges.flatMap(({ notHashed }) => notHashed))]
