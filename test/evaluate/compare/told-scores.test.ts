import { expect, it } from 'vitest'
import { scoreTable } from '../../../src/cli/terminal/print-scores.js'
import { cocoAp } from '../../../src/evaluate/coco-ap.js'
import { toldScores } from '../../../src/evaluate/compare/told-scores.js'

it('scores without a value are null in JSON, and a dash with the reason in a table', () => {
  const truth = { image: 0, category: 0, bbox: [0, 0, 50, 50], area: 2500, iscrowd: false } as const
  const scores = { ...cocoAp([truth], []), recall1: -1, nested: { auc: -1, phrases: 0 } }
  const { nested, ...told } = toldScores(scores)
  expect(told).toMatchObject({ ap: 0, ap_small: null, ap_medium: 0, recall1: null })
  expect(nested).toEqual({ auc: null, phrases: 0 })
  const lines = scoreTable(told).split('\n')
  expect(lines.find((line) => line.startsWith('AP small'))).toMatch(/^AP small +- {2}no small boxes$/)
  expect(lines.find((line) => line.startsWith('AP '))).toMatch(/^AP +0\.0 {2}average precision/)
  expect(lines.find((line) => line.startsWith('recall@1'))).toMatch(/ - {2}no phrase of a caption has a box$/)
})
