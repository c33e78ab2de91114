import { expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import type { Evaluation } from '../../src/evaluate/evaluate-model.js'
import { decidePromotion, promoteConfig } from '../../src/pipeline/stages/decide-promotion.js'

const teacher = { name: 'start', hash: 'a' }
const student = { name: 'round-1-student', hash: 'b' }
const evaluation = (scores: Partial<Evaluation>) => scores as Evaluation
const decide = (before: Partial<Evaluation>, after: Partial<Evaluation>, set = 'novel') =>
  decidePromotion(
    promoteConfig.parse({ set, metric: 'recall10', margin: 0.25 }),
    teacher,
    student,
    { novel: { teacher: evaluation(before), student: evaluation(after) } },
    {},
  )

it('promotes a student that beats its teacher by the margin', () => {
  const { promoted, teacher: before, student: after } = decide({ recall10: 0.5 }, { recall10: 0.75 })
  expect(promoted).toBe(true)
  expect(before).toEqual({ ...teacher, score: 0.5 })
  expect(after).toEqual({ ...student, score: 0.75 })
  expect(decide({ recall10: 0.5 }, { recall10: 0.74 }).promoted).toBe(false)
})

it('names the record of an older version that lacks the metric', () => {
  const message = (model: string) =>
    new UserError(
      `promote: evaluations/${model}-on-novel.json has no "recall10": an older version wrote it. Remove it and run again, which evaluates ${model} anew, or decide by another metric.`,
    )
  expect(() => decide({ recall1: 0.5 }, { recall10: 0.75 })).toThrow(message('start'))
  expect(() => decide({ recall10: 0.5 }, { recall1: 0.75 })).toThrow(message('round-1-student'))
  expect(() => decide({}, {}, 'seen')).toThrow('promote: set "seen" is not among its sets: novel.')
})
