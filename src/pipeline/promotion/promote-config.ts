import { z } from 'zod'
import { metricNames } from '../../evaluate/compare/picture-metrics.js'
import { stageName } from '../../rows/stage-name.js'

const metric = z
  .enum(metricNames)
  .default('recall1')
  .describe('the score that is compared: docs/evaluation.md says what each is')
const level = z
  .number()
  .gt(0)
  .lt(1)
  .describe(
    'share of cases in which the interval of a difference may miss it, half of that on either side: 0.05 for a 95 % interval',
  )

/** What a student must not lose. */
const guard = z.strictObject({
  set: stageName.describe('a held-out set'),
  metric,
  lower_by: z.number().min(0).max(1).default(0).describe('how much lower the student may score, 0 to 1'),
  level: level
    .optional()
    .describe(
      'the whole interval at this level must stay within `lower_by`; else the difference as measured',
    ),
})

/** What promotes a student: by more than the margin, and by more than chance, better on a held-out set. */
export const promoteRule = z
  .strictObject({
    set: stageName.optional().describe('the held-out set that decides'),
    always: z
      .boolean()
      .optional()
      .describe('promotes every student without a comparison, where nothing is held out to compare by'),
    metric,
    margin: z.number().default(0).describe('the student must score more than this much higher, 0 to 1'),
    level: level.default(0.05),
    resamplings: z.number().int().min(100).default(2000).describe('drawings of the paired bootstrap'),
    seed: z.number().int().nonnegative().default(0).describe('seed of the drawings'),
    guards: z.array(guard).default([]).describe('what the student must not lose besides'),
    average: z
      .union([z.boolean(), z.array(z.number().min(0).max(1).multipleOf(0.01, 'expected whole hundredths'))])
      .default(false)
      .describe(
        "the student's share in means of both models that are tried as well; `true`: 0.25, 0.5, 0.75",
      ),
  })
  .describe('what promotes a student: better on a held-out set by more than the margin and beyond chance')

/**
 * The shares of the student in the means that a rule asks for, ascending. 0 and 1 are the teacher and the
 * student, which are there anyway.
 */
export function sharesOf({ average }: Pick<z.infer<typeof promoteRule>, 'average'>): number[] {
  const shares = typeof average === 'boolean' ? (average ? [0.25, 0.5, 0.75] : []) : average
  return [...new Set(shares)].filter((share) => share > 0 && share < 1).sort((a, b) => a - b)
}

export const promoteConfig = promoteRule.extend({
  /** Filled in when rounds are laid out. */
  round: z.number().int().positive().default(1).describe('number of the round'),
  student: stageName.optional().describe('the train stage of the round'),
  means: z.array(stageName).default([]).describe('stages that make means of teacher and student'),
  sets: z.array(stageName).default([]).describe('the held-out sets'),
  teacher: z.string().optional().describe('the folder of the teacher, where it is of no stage'),
  judging: z
    .array(stageName)
    .optional()
    .describe("the round's stages that judge its boxes, and those that these are made of"),
  learned: z.array(stageName).optional().describe('the stages whose pictures are learned from'),
})

export type PromoteConfig = z.infer<typeof promoteConfig>
