import { describe, expect, it } from 'vitest'
import { readSetOption } from '../../src/base/set-option.js'
import { UserError } from '../../src/base/user-error.js'
import { setFilter } from '../../src/filter/set-filter.js'

const rules = [
  { rule: 'label' },
  { rule: 'score', min: 0.4 },
  { rule: 'nms', iou: 0.5 },
  { rule: 'frequency_score', rare: 0.2, common: 0.3, frequent: 0.4 },
]

/** What `--set` makes of a filter, and what was said. */
function changed(option: string, config: Record<string, unknown> = { rules }, from = 1) {
  const copy = structuredClone(config)
  const said: string[] = []
  setFilter(copy, readSetOption(option), from, (text) => said.push(text))
  return { ...copy, said } as { rules: Record<string, unknown>[]; box_loss?: boolean; said: string[] }
}

describe('a key of a rule', () => {
  it('is named by its rule, or by its place', () => {
    for (const option of ['kept.score.min=0.3', 'kept.rules.1.min=0.3']) {
      const { rules: after, said } = changed(option)
      expect(after[1]).toEqual({ rule: 'score', min: 0.3 })
      expect([after.length, said]).toEqual([4, []])
    }
    expect(changed('score.min=0.3', { rules }, 0).rules[1]).toEqual({ rule: 'score', min: 0.3 })
    expect(changed('rounds.filter.nms.iou=0.6', { rules }, 2).rules[2]).toEqual({ rule: 'nms', iou: 0.6 })
  })

  it('may lie within what a rule has by default', () => {
    const parts = changed('kept.frequency_score.bounds.1=500').rules[3] as { bounds: number[] }
    expect(parts.bounds[1]).toBe(500)
    expect(changed('kept.label.synonyms.person=[goalkeeper]').rules[0]).toEqual({
      rule: 'label',
      common: true,
      synonyms: { person: ['goalkeeper'] },
    })
    expect(changed('kept.score={min: 0.2}').rules[1]).toEqual({ rule: 'score', min: 0.2 })
  })

  it('may be of a rule that is not there: it is added at the end, and said', () => {
    const { rules: after, said } = changed('kept.max_boxes.phrase=3')
    expect(after.at(-1)).toEqual({ rule: 'max_boxes', phrase: 3 })
    expect(said).toEqual([
      'the rule max_boxes was not among the rules: it is added at the end, behind frequency_score (--set kept.max_boxes.phrase=3)',
    ])
    // Where no rules are said, those by default are changed.
    expect(changed('kept.score.min=0.3', {}).rules.map(({ rule }) => rule)).toEqual([
      ...['area', 'score', 'nms', 'max_boxes', 'max_boxes_image'],
    ])
  })

  it('stands beside the keys of the filter itself', () => {
    expect(changed('kept.box_loss=false').box_loss).toBe(false)
    expect(changed('kept.rules=[{rule: score, min: 0.9}]').rules).toEqual([{ rule: 'score', min: 0.9 }])
  })

  const twice = [...rules, { rule: 'score', min: 0.6 }]
  it.each([
    [
      'kept.rules.bogus=7',
      rules,
      /no rule and no key bogus\..* kept\.RULE\.KEY, such as kept\.score\.min; the rules here are label, score/,
    ],
    ['kept.rules.score.min=0.3', rules, /named by its rule alone: kept\.score\.min\./],
    ['kept.scor.min=0.3', rules, /Did you mean "score"\?/],
    ['kept.score.mim=0.3', rules, /the rule score has no key mim\. Did you mean "min"\? It has: min\./],
    ['kept.score.rule=nms', rules, /has no key rule/],
    ['kept.score=0.3', rules, /a key of the rule score is expected: kept\.score\.min=…/],
    ['kept.rules.7.min=0.3', rules, /there is no rule 7: they are 0 label, 1 score, 2 nms/],
    ['kept.1.min=0.3', rules, /no rule and no key 1/],
    ['kept.score.min.x=1', rules, /kept\.score\.min is 0\.4, which has no key x/],
    [
      'kept.score.min=0.3',
      twice,
      /2 of the rules are named score: .*Say which: kept\.rules\.1\.min or kept\.rules\.4\.min\./,
    ],
  ])('is refused where it cannot be: %s', (option, given, message) => {
    const refused = () => changed(option, { rules: given })
    expect(refused).toThrow(UserError)
    expect(refused).toThrow(message)
  })
})
