import { describe, expect, it } from 'vitest'
import { ruleStages } from '../../src/filter/rule-stages.js'
import { type RuleConfig, ruleSchema } from '../../src/filter/rules.js'

const boxes = [{ family: 'proposals', stage: 'label', phrases: 'chunk' }] as const
const read = (by: string | undefined, verdicts: Parameters<typeof ruleStages>[1]['verdicts']) =>
  ruleStages([ruleSchema.parse({ rule: 'verdict', by }) as RuleConfig], { boxes, verdicts }, 'Stage "kept"')
    .verdicts

it('a rule calibrates the scores of a stage that is read', () => {
  const rules = (of: string) => [ruleSchema.parse({ rule: 'calibrate', file: 'c.json', of }) as RuleConfig]
  const stages = (of: string) => ruleStages(rules(of), { boxes, verdicts: [] }, 'Stage "kept"')
  expect(stages('label').proposals).toBe('label')
  expect(() => stages('labels')).toThrow(
    'Stage "kept": the rule `calibrate` is for the scores of "labels", which is none of the stages whose boxes are filtered: label.',
  )
})

describe('the verdicts that a filter reads', () => {
  it('are those of its own phrases', () => {
    const own = { stage: 'checked', phrases: 'chunk' }
    const old = { stage: 'old', phrases: undefined }
    const gold = { stage: 'doubts', phrases: 'photos' }
    expect(read(undefined, [own, old])).toEqual(['checked', 'old'])
    expect(read('checked', [own, gold])).toEqual(['checked'])
    for (const by of [undefined, 'doubts'])
      expect(() => read(by, [own, gold])).toThrow(
        'Stage "kept": the rule `verdict` reads verdicts of the same phrases; the boxes of "label" are of "chunk", the verdicts "doubts" of "photos".',
      )
  })

  it('are there: else what makes them is said', () => {
    expect(() => read(undefined, [])).toThrow(/make verdicts of "label" by a verify stage.*groundmill verify/)
    expect(() => read('other', [{ stage: 'checked', phrases: 'chunk' }])).toThrow(
      '"other", which is none of the stages of verdicts that are there: checked',
    )
  })
})
