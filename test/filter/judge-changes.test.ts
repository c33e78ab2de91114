import { expect, it } from 'vitest'
import { judgeChanges } from '../../src/filter/judge-changes.js'
import type { StageVerdict } from '../../src/filter/rule/rule.js'

const said = (stage: string, judge: string, verdict: StageVerdict['verdict']): StageVerdict => ({
  ...{ stage, judge, verdict, phrase: 0, xyxy: [0, 0, 9, 9], probability: 0.5, redrawn: null },
  ...{ start: null, end: null, person: false, reason: null, at: null },
})

it('counts what each judge of each stage said of lost and of added regions, each region once', () => {
  const changes = judgeChanges()
  // Both groundings may have been made of the same verdicts.
  changes.add('lost', [said('views', 'teacher', 'reject'), said('views', 'teacher', 'reject')])
  changes.add('lost', [said('views', 'teacher', 'accept'), said('people', 'ann', 'redraw')])
  changes.add('added', [said('people', 'ann', 'add')])
  changes.add('added', [])
  const none = { accepted: 0, rejected: 0 }
  expect(changes.all()).toEqual([
    {
      ...{ stage: 'people', judge: 'ann' },
      ...{ lost: { ...none, rejected: 1 }, added: { ...none, accepted: 1 } },
    },
    { stage: 'views', judge: 'teacher', lost: { accepted: 1, rejected: 1 }, added: none },
  ])
})
