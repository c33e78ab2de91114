import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filterConfig } from '../../src/filter/config.js'
import { createFilter, createRowFilter } from '../../src/filter/filter-proposals.js'
import { numberOf } from '../../src/filter/rule/number-of.js'
import type { Candidate, FilterImage } from '../../src/filter/rule/rule.js'
import type { RegionScorer, RuleTools, TextEmbedder } from '../../src/filter/rule/rule-tools.js'
import { type RuleConfig, ruleSchema } from '../../src/filter/rules.js'
import type { Phrase } from '../../src/rows/rows.js'

const sentence = 'a man in a red coat, two dogs and a dog'
function phrase(text: string, head: string, at = 0, caption = 0): Phrase {
  const start = sentence.indexOf(text, at)
  return { caption, text, start, end: start + text.length, head }
}
const phrases = [
  phrase('a man in a red coat', 'man'),
  phrase('a man', 'man'),
  phrase('a red coat', 'coat'),
  phrase('two dogs', 'dog'),
  phrase('a dog', 'dog'),
]
const image: FilterImage = { width: 100, height: 80, phrases }
const box = (phrase: number, score: number, ...xyxy: [number, number, number, number]): Candidate => ({
  phrase,
  score,
  xyxy,
  label: null,
})
const man = [10, 10, 40, 70] as const
const keep = (rule: object, given: readonly Candidate[], on = image, tools?: RuleTools) =>
  createFilter([ruleSchema.parse(rule)], tools)(given, on)

describe('rules', () => {
  it('aspect drops what is too long and thin', () => {
    const given = [box(0, 0.9, 0, 0, 80, 10), box(0, 0.8, 0, 0, 10, 80), box(0, 0.7, 0, 0, 30, 10)]
    expect(keep({ rule: 'aspect', max: 7 }, given).kept).toEqual([given[2]])
    expect(keep({ rule: 'aspect', max: 8 }, given).kept).toEqual(given)
  })

  it('label takes the longest label of the detector that names a phrase', () => {
    const named = ['a hot dog', 'a dog', 'a hot dog bun', 'two Hot-Dogs'].map((text) =>
      phrase(text, text.split(/[ -]/).at(-1)?.toLowerCase() ?? ''),
    )
    const on = { ...image, phrases: named, labels: ['dog', 'hot dog'] }
    const given = named.flatMap((_, at) =>
      ['dog', 'hot dog'].map((label) => ({ ...box(at, 0.9, ...man), label })),
    )
    const kept = (where: FilterImage, common = true) =>
      keep({ rule: 'label', common }, given, where).kept.map(({ phrase: at, label }) => [
        named[at].text,
        label,
      ])
    expect(kept(on)).toEqual([
      ['a hot dog', 'hot dog'],
      ['a dog', 'dog'],
      ['two Hot-Dogs', 'hot dog'],
    ])
    expect(kept(on, false)).toEqual(kept(on))
    // What the detector has no label for cannot be told from its last word, but by names that are common.
    expect(kept({ ...on, labels: ['dog'] }, false)).toContainEqual(['a hot dog', 'dog'])
    expect(kept({ ...on, labels: ['dog'] })).not.toContainEqual(['a hot dog', 'dog'])
  })

  it('border counts the edges that are touched at once', () => {
    const given = [box(0, 0.9, 0, 0, 100, 80), box(0, 0.8, 0.5, 10, 20, 30), box(0, 0.7, 5, 5, 20, 20)]
    expect(keep({ rule: 'border', sides: 1 }, given).kept).toEqual([given[2]])
    expect(keep({ rule: 'border', sides: 4 }, given).kept).toEqual([given[1], given[2]])
    expect(keep({ rule: 'border', sides: 1, margin: 0.1 }, given).kept).toEqual([given[1], given[2]])
  })

  it('duplicate keeps one box of the same words, and another of other words', () => {
    const twice = {
      ...image,
      phrases: [...phrases, phrase('a dog', 'dog', 30), { ...phrases[4], caption: 1 }],
    }
    const given = [box(4, 0.9, ...man), box(5, 0.8, ...man), box(6, 0.7, ...man), box(3, 0.6, ...man)]
    expect(keep({ rule: 'duplicate' }, given, twice).kept).toEqual([given[0], given[2], given[3]])
  })

  it('nested keeps the longer phrase of two that name one box, or the shorter', () => {
    const given = [box(1, 0.9, ...man), box(0, 0.8, ...man), box(2, 0.7, 12, 20, 38, 50), box(3, 0.6, ...man)]
    expect(keep({ rule: 'nested' }, given).kept).toEqual(given.slice(1))
    expect(keep({ rule: 'nested', keep: 'inner' }, given).kept).toEqual([given[0], given[2], given[3]])
  })

  it('head_score and frequency_score hold each head noun to its own score', () => {
    const given = [box(0, 0.5, ...man), box(3, 0.5, ...man), box(2, 0.3, ...man)]
    expect(keep({ rule: 'head_score', min: 0.4, heads: { Dog: 0.6 } }, given).kept).toEqual([given[0]])
    const rule = { rule: 'frequency_score', bounds: [2, 5], rare: 0.2, common: 0.4, frequent: 0.6 }
    const frequency = new Map([
      ['man', 5],
      ['dog', 6],
      ['coat', 2],
    ])
    expect(keep(rule, given, image, { frequency }).kept).toEqual([given[0], given[2]])
    expect(ruleSchema.safeParse({ ...rule, bounds: [5, 2] }).success).toBe(false)
  })

  it('soft_nms lowers scores by overlap, and ranks by what is left', () => {
    const given = [box(0, 0.9, 0, 0, 10, 10), box(0, 0.8, 0, 0, 10, 10), box(0, 0.5, 50, 50, 60, 60)]
    const { kept, dropped } = keep({ rule: 'soft_nms', sigma: 0.5, min: 0.05 }, given)
    expect(kept.map(({ score }) => score)).toEqual([0.9, 0.5, expect.closeTo(0.8 * Math.exp(-2), 12)])
    expect(dropped).toEqual({})
    const linear = { rule: 'soft_nms', method: 'linear', iou: 0.5, min: 0.05 }
    expect(keep(linear, given).kept).toEqual([given[0], given[2]])
    expect(keep(linear, given).dropped).toEqual({ soft_nms: 1 })
    // Another phrase's box is not in the way.
    const apart = given.map((one, at) => ({ ...one, phrase: at }))
    expect(keep(linear, apart).kept).toEqual(apart)
  })

  it('soft_nms with a vanishing sigma is NMS of any overlap', () => {
    const side = fc.integer({ min: 0, max: 40 })
    const any = fc
      .tuple(fc.integer({ min: 1, max: 20 }), side, side)
      .map(([score, x, y]) => box(0, score / 20, x, y, x + 20, y + 20))
    fc.assert(
      fc.property(fc.array(any, { maxLength: 10 }), (given) => {
        const soft = keep({ rule: 'soft_nms', sigma: 1e-9, min: 0.01 }, given).kept
        expect(soft).toEqual(keep({ rule: 'nms', iou: 0 }, given).kept)
      }),
    )
  })

  it('ladder looks for less sure boxes only of what is not found yet', () => {
    const given = [box(0, 0.9, ...man), box(0, 0.4, 60, 10, 90, 70), box(3, 0.4, 60, 10, 90, 70)]
    const passes = [
      { min: 0.5, iou: 0.5 },
      { min: 0.3, iou: 0.5 },
    ]
    expect(keep({ rule: 'ladder', passes }, given).kept).toEqual([given[0], given[2]])
    expect(ruleSchema.safeParse({ rule: 'ladder', passes: passes.toReversed() }).success).toBe(false)
  })

  it('phrase_recall counts the same words once, and captions apart', () => {
    const two = {
      ...image,
      phrases: [phrases[3], phrases[4], { ...phrases[4], text: 'A dog' }, { ...phrases[0], caption: 1 }],
    }
    const given = [box(1, 0.9, ...man), box(3, 0.8, ...man)]
    // Caption 0 says two things of which one is found; caption 1 says one, which is found.
    expect(keep({ rule: 'phrase_recall', min: 0.5 }, given, two).kept).toEqual(given)
    expect(keep({ rule: 'phrase_recall', min: 0.51 }, given, two).kept).toEqual([given[1]])
    expect(keep({ rule: 'phrase_recall', min: 0, max: 0.9 }, given, two).kept).toEqual([given[0]])
  })

  it('number holds a phrase to the number it says', () => {
    const dogs = [box(3, 0.9, 0, 0, 9, 9), box(3, 0.8, 20, 0, 29, 9), box(3, 0.7, 40, 0, 49, 9)]
    const one = [box(4, 0.6, 0, 0, 9, 9), box(4, 0.5, 20, 0, 29, 9)]
    expect(keep({ rule: 'number' }, [...dogs, ...one]).kept).toEqual([dogs[0], dogs[1], ...one])
    expect(keep({ rule: 'number', singular: true }, [...dogs, ...one]).kept).toEqual([
      dogs[0],
      dogs[1],
      one[0],
    ])
    expect(keep({ rule: 'number' }, [dogs[0], ...one]).dropped).toEqual({ number: 1 })
    expect(keep({ rule: 'number', fewer: 'keep' }, [dogs[0]]).kept).toEqual([dogs[0]])
    expect(keep({ rule: 'number', more: 'keep' }, dogs).kept).toEqual(dogs)
    // What the chunker has counted comes before the words.
    const counted = (count: number | null) => ({
      ...image,
      phrases: phrases.map((one, at) => (at === 3 ? { ...one, count } : one)),
    })
    const number = (count: number | null, singular = false) =>
      keep({ rule: 'number', singular }, dogs, counted(count)).kept
    expect(number(3)).toEqual(dogs)
    expect(number(4)).toEqual([])
    expect(number(1)).toEqual(dogs)
    expect(number(1, true)).toEqual([dogs[0]])
    expect(number(null)).toEqual(dogs.slice(0, 2))
    // Without a number one thing is one all the same, but for names of categories and collectives.
    const said = (text: string, more: Partial<Phrase> = {}) => {
      const named = { ...phrases[3], count: null, number: 'singular', text, ...more } as Phrase
      const given = { ...image, phrases: phrases.map((own, at) => (at === 3 ? named : own)) }
      return keep({ rule: 'number', singular: 'noun' }, dogs, given).kept.length
    }
    expect([said('her dog'), said('Dog'), said('the brown dog')]).toEqual([1, 1, 1])
    expect([said('a herd of dog'), said('Several dog')]).toEqual([3, 3])
    expect(said('dogs', { number: 'plural' })).toBe(3)
    expect(said('dog', { kept: 'category' })).toBe(3)
    expect(keep({ rule: 'number' }, dogs, image).kept).toHaveLength(2)
  })

  it('negative drops what a negative prompt fits better', () => {
    const negatives = [box(-1, 0.5, ...man)]
    const given = [box(0, 0.6, ...man), box(1, 0.4, ...man), box(2, 0.3, 60, 10, 90, 70)]
    expect(keep({ rule: 'negative' }, given, { ...image, negatives }).kept).toEqual([given[0], given[2]])
    // A phrase that is named as a negative goes, and takes what it overlaps with it.
    const named = keep({ rule: 'negative', phrases: ['a man in a red coat'] }, given)
    expect(named.kept).toEqual([given[2]])
    expect(keep({ rule: 'negative', phrases: ['COAT'] }, given).kept).toEqual(given.slice(0, 2))
  })

  it('calibrate maps scores and drops nothing', () => {
    const calibration = { method: 'isotonic', scores: [0.2, 0.6], shares: [0.1, 0.9] } as const
    const tools = { calibrations: new Map([['c.json', { teacher: 't', calibration }]]) }
    const given = [box(0, 0.9, ...man), box(1, 0.4, ...man), box(2, 0.1, ...man)]
    const { kept, dropped } = keep({ rule: 'calibrate', file: 'c.json' }, given, image, tools)
    expect(kept.map(({ score }) => score)).toEqual([0.9, expect.closeTo(0.5, 12), 0.1])
    expect(dropped).toEqual({})
    // The stage is named where several are compared; of one that is read alone no box says of which it is.
    const named = { rule: 'calibrate', file: 'c.json', of: 'label' }
    expect(keep(named, given, image, tools).kept).toEqual(kept)
    const sources = ['other', 'label'].map((stage) => ({ stage, teacher: 't' }))
    const [one, other, added] = [{ source: 0 }, { source: 1 }, {}].map((own) => ({
      ...box(1, 0.4, ...man),
      ...own,
    }))
    const several = keep(named, [one!, other!, added!], { ...image, sources }, tools).kept
    expect(several.map(({ score, source }) => [source, score])).toEqual([
      [1, expect.closeTo(0.5, 12)],
      [0, 0.4],
      [undefined, 0.4],
    ])
  })

  it('label takes a label for what it means beside the others of its own detector', () => {
    const phrases = [{ caption: 0, text: 'a show cat', start: 0, end: 10, head: 'cat' }]
    const sources = [['cat', 'show cat'], ['cat']].map((labels) => ({ stage: 's', teacher: 't', labels }))
    const given = [0, 1].map((source) => ({ ...box(0, 0.5, ...man), label: 'cat', source }))
    const { kept } = keep({ rule: 'label' }, given, { ...image, phrases, sources })
    expect(kept.map(({ source }) => source)).toEqual([1])
  })
})

describe('rules that ask a model', () => {
  const run = (rule: object, given: readonly Candidate[], tools: RuleTools) =>
    createRowFilter(
      [ruleSchema.parse(rule)],
      tools,
    )([{ candidates: given, image: { ...image, bytes: new Uint8Array(1) } }])

  it('agreement keeps a label for the phrases of a caption that mean it', async () => {
    const directions: Record<string, readonly number[]> = {
      person: [1, 0],
      dog: [0, 1],
      'a man in a red coat': [0.9, Math.sqrt(1 - 0.81)],
      'a man': [0.95, Math.sqrt(1 - 0.9025)],
      'two dogs': [0, 1],
      'a dog': [0, 1],
    }
    let asked = 0
    const embedder: TextEmbedder = {
      embed: async (texts) => {
        asked += texts.length
        return texts.map((text) => Float32Array.from(directions[text] ?? [-1, 0]))
      },
    }
    const labelled = (label: string, at: number, score = 0.9) => ({ ...box(at, score, ...man), label })
    const given = [
      ...phrases.map((_, at) => labelled('person', at)),
      ...phrases.map((_, at) => labelled('dog', at, 0.8)),
      box(2, 0.7, ...man),
    ]
    const rule = { rule: 'agreement', model: 'm', min: 0.5 }
    const embedders = new Map([['m', embedder]])
    const names = async (more: object) =>
      (await run({ ...rule, ...more }, given, { embedders }))[0].kept.map(({ label, phrase }) => [
        label,
        phrase,
      ])
    expect(await names({})).toEqual([
      ['person', 1],
      ['dog', 3],
      ['dog', 4],
      [null, 2],
    ])
    expect(await names({ best: false })).toEqual([
      ['person', 0],
      ['person', 1],
      ['dog', 3],
      ['dog', 4],
      [null, 2],
    ])
    expect(asked).toBe(2 * 7)
    // Whatever the cosine, the last word of another label does not agree with what that one names.
    const longer = { ...image, labels: ['dog', 'person', 'two dogs'], bytes: new Uint8Array(1) }
    const [left] = await createRowFilter([ruleSchema.parse(rule)], { embedders })([
      { candidates: given, image: longer },
    ])
    expect(left.kept.map(({ label, phrase }) => [label, phrase])).toEqual([
      ['person', 1],
      ['dog', 4],
      [null, 2],
    ])
  })

  it('clip takes the geometric mean of both scores', async () => {
    const scorer: RegionScorer = {
      score: async (_, regions) =>
        regions.map(({ texts }) => (texts[0]?.endsWith('a dog') ? 0.9 : 0.1) / texts.length),
    }
    const given = [box(0, 0.9, ...man), box(4, 0.4, ...man)]
    const tools = { scorers: new Map([['c', scorer]]) }
    const [{ kept, dropped }] = await run({ rule: 'clip', model: 'c', min: 0.2 }, given, tools)
    expect(kept.map(({ phrase, score }) => [phrase, score])).toEqual([
      [4, expect.closeTo(0.6, 12)],
      [0, expect.closeTo(0.3, 12)],
    ])
    expect(dropped).toEqual({})
    expect((await run({ rule: 'clip', model: 'c', min: 0.5 }, given, tools))[0].dropped).toEqual({ clip: 1 })
    const several = { rule: 'clip', model: 'c', min: 0.2, templates: ['a {}', 'the {}', 'one {}', '{}'] }
    expect((await run(several, given, tools))[0].kept.map(({ score }) => score)).toEqual([
      expect.closeTo(0.3, 12),
    ])
  })

  it('runs pure rules as the plain filter does', async () => {
    const { rules } = filterConfig.parse({
      rules: [{ rule: 'number' }, { rule: 'nms', iou: 0.5 }] as RuleConfig[],
    })
    const given = [
      box(3, 0.9, 0, 0, 9, 9),
      box(3, 0.8, 20, 0, 29, 9),
      box(1, 0.7, ...man),
      box(1, 0.6, ...man),
    ]
    const rows = [given, [], given.slice(1)].map((candidates) => ({ candidates, image }))
    expect(await createRowFilter(rules)(rows)).toEqual(
      rows.map(({ candidates }) => createFilter(rules)(candidates, image)),
    )
  })
})

describe('the number that a phrase says', () => {
  it('is read from its beginning', () => {
    const said: Record<string, number | undefined> = {
      'two dogs': 2,
      'Two small dogs': 2,
      'the three men': 3,
      'all four wheels': 4,
      '12 eggs': 12,
      'a pair of shoes': 2,
      'a couple of giraffes': 2,
      'a dozen eggs': 12,
      'both dogs': 2,
      'a table for two': undefined,
      'a couple': undefined,
      'a 747': undefined,
      '1967 Ford Mustang': undefined,
      two: undefined,
      'several dogs': undefined,
      'a dog': undefined,
      '': undefined,
    }
    for (const [text, number] of Object.entries(said)) expect(numberOf(text), text).toBe(number)
    expect(numberOf('a dog', true)).toBe(1)
    expect(numberOf('one dog', true)).toBe(1)
    expect(numberOf('the dog', true)).toBeUndefined()
    expect(numberOf('two dogs', true)).toBe(2)
  })
})
