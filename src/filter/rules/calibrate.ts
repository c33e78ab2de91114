import { z } from 'zod'
import { UserError } from '../../base/user-error.js'
import { stageName } from '../../rows/stage-name.js'
import { calibrated } from '../rule/calibration.js'
import { filterRule } from '../rule/filter-rule.js'
import { path } from '../rule/parameters.js'
import { rescored } from '../rule/rescored.js'
import type { Candidate } from '../rule/rule.js'

/**
 * Replaces scores by how often a box of that score is right, as it was measured on gold (`groundmill
 * calibrate`), so that the thresholds of later rules mean the same for every teacher. Drops nothing.
 */
export const calibrate = filterRule({
  name: 'calibrate',
  schema: z
    .strictObject({
      rule: z.literal('calibrate'),
      file: path.describe(
        'what `groundmill calibrate` wrote; scores of later rules are shares of right boxes',
      ),
      of: stageName
        .optional()
        .describe('the stage whose scores are replaced, where several are compared; else those of all'),
      any_teacher: z
        .boolean()
        .default(false)
        .describe('true: also for proposals of another teacher than the one that was measured'),
    })
    .describe('replaces scores by the share of boxes of that score that are right; drops nothing'),
  looksAt: 'itself',
  rescores: true,
  reads: [],
  asks: {
    tools: 'calibrations',
    path: ({ file }) => file,
    checkTeacher({ file, any_teacher, of }, measured, sources) {
      if (any_teacher) return
      const asked = sources.filter(({ stage }) => of === undefined || stage === of)
      const other = asked.find(({ teacher }) => teacher !== measured.teacher)
      if (!other) return
      const { teacher } = other
      throw new UserError(
        `${file} was measured on the scores of "${measured.teacher}", and these proposals are of "${teacher}": calibrate that one, or say \`any_teacher: true\`.`,
      )
    },
  },
  create({ of }, { calibration }) {
    return (candidates, { sources }) => {
      const isMeant = ({ source }: Candidate) =>
        of === undefined || !sources || (source !== undefined && sources[source]?.stage === of)
      return candidates.map((candidate) =>
        isMeant(candidate) ? rescored(candidate, (score) => calibrated(calibration, score)) : candidate,
      )
    }
  },
})
