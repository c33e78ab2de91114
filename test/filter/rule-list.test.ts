import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { checkTeacher, createRule, namedTools } from '../../src/filter/create-rule.js'
import { createFilter, createRowFilter } from '../../src/filter/filter-proposals.js'
import { filterRule } from '../../src/filter/rule/filter-rule.js'
import type { Candidate } from '../../src/filter/rule/rule.js'
import type { RegionScorer, TextEmbedder } from '../../src/filter/rule/rule-tools.js'
import { asksModel, looksAt, type RuleConfig, ruleNames, ruleSchema, rules } from '../../src/filter/rules.js'
import type { ClipScorer } from '../../src/teacher/region-scorer.js'
import type { TextEncoder } from '../../src/teacher/text-encoder.js'
import { anyCandidate, anyImage, anyRule, anyTools } from '../helpers/any-rule.js'

const root = new URL('../../', import.meta.url)
const textOf = (path: string) => readFileSync(new URL(path, root), 'utf8')

const labels = fc.constantFrom(null, null, 'dog', 'cat', 'an animal')
const candidates = fc.array(anyCandidate(labels), { maxLength: 12 })
const image = { ...anyImage, bytes: new Uint8Array(1) }

async function kept(
  rule: RuleConfig,
  given: readonly Candidate[],
  on = image,
): Promise<readonly Candidate[]> {
  const [filtered] = await createRowFilter([rule], anyTools)([{ candidates: given, image: on }])
  return filtered?.kept ?? []
}
/**
 * What became of boxes, whatever their labels: no two arbitrary ones of the same words differ in them alone.
 */
const plain = (boxes: readonly Candidate[]) =>
  boxes.map(({ phrase, xyxy, score, relabelled }) => `${phrase} ${xyxy} ${score} ${relabelled?.start}`).sort()
/** Boxes inside the picture keep their arrays, through rules that change scores as well. */
const inside = candidates.map((boxes) =>
  boxes.map((box) => ({ ...box, xyxy: box.xyxy.map((side) => Math.min(100, side)) as never })),
)
const scoreOf = (box: Candidate, boxes: readonly Candidate[]) =>
  boxes.find(({ xyxy }) => xyxy === box.xyxy)?.score

/**
 * Runs a law over parameters and boxes, and sums what it answers: always over the same ones, since sums are
 * asserted.
 */
async function times(
  rule: fc.Arbitrary<RuleConfig>,
  law: (rule: RuleConfig, boxes: readonly Candidate[]) => Promise<number>,
): Promise<number> {
  let sum = 0
  await fc.assert(
    fc.asyncProperty(rule, inside, async (config, boxes) => {
      sum += await law(config, boxes)
    }),
    { numRuns: 120, seed: 1 },
  )
  return sum
}

describe.each(rules)('$name is what it says', ({ name, schema, rescores, reads, asks }) => {
  const any = anyRule[name]

  it('has parameters of its name, and refuses those that it does not know', () => {
    expect(schema.shape.rule.value).toBe(name)
    fc.assert(
      fc.property(any, (config) => {
        expect(ruleSchema.parse(config)).toEqual(config)
        expect(Object.keys(ruleSchema.parse(config))[0]).toBe('rule')
        expect(ruleSchema.safeParse({ ...config, unheard_of: 1 }).success).toBe(false)
      }),
    )
  })

  it('looks at the boxes that it says, and at no fewer', async () => {
    const needed = { itself: 0, better: 0, all: 0 }
    const said = new Set<string>()
    await times(any, async (config, boxes) => {
      const whole = await kept(config, boxes)
      said.add(looksAt(config))
      for (const box of boxes) {
        const alone = scoreOf(box, await kept(config, [box]))
        const among = boxes.filter(({ score }) => score >= box.score)
        const amongBetter = scoreOf(box, await kept(config, among))
        const answer = scoreOf(box, whole)
        if (looksAt(config) === 'itself') expect(alone).toBe(answer)
        if (looksAt(config) !== 'all') expect(amongBetter).toBe(answer)
        if (amongBetter !== answer) needed.all++
        else if (alone !== answer && looksAt(config) === 'better') needed.better++
      }
      return 0
    })
    // What it says is no more than there is to say.
    if (said.has('better')) expect(needed.better).toBeGreaterThan(0)
    if (said.has('all')) expect(needed.all).toBeGreaterThan(0)
  })

  it('decides on a box by itself only where it looks at no other', () => {
    fc.assert(
      fc.property(any, (config) => {
        const { keeps } = createRule(config, anyTools)
        if (keeps) expect([looksAt(config), rescores]).toEqual(['itself', false])
      }),
      { numRuns: 20 },
    )
  })

  it('keeps some of what it is given, in its order, with other scores only if it says so', async () => {
    let renamed = 0
    const changed = await times(any, async (config, boxes) => {
      const given = createFilter([])(boxes, image).kept
      const left = await kept(config, boxes)
      const places = left.map((box) => given.findIndex(({ xyxy }) => xyxy === box.xyxy))
      expect(places).not.toContain(-1)
      expect(new Set(places).size).toBe(places.length)
      for (const [at, place] of places.entries()) {
        const { score, contrast, relabelled, origin: _, ...box } = left[at] as Candidate
        expect(given[place]).toMatchObject(box)
        if (!rescores) expect(contrast).toBe(given[place]?.contrast)
        if (relabelled) expect(relabelled.rule).toBe(name)
        renamed += relabelled ? 1 : 0
      }
      if (!rescores) expect(places).toEqual([...places].sort((a, b) => a - b))
      return left.filter((box) => scoreOf(box, given) !== box.score).length
    })
    if (rescores) expect(changed).toBeGreaterThan(0)
    else expect(changed).toBe(0)
    // What is left of a label is looked for by its phrase's attributes, which one rule knows of.
    if (reads.some((what) => what === 'contrast')) expect(renamed).toBeGreaterThan(0)
    else expect(renamed).toBe(0)
  })

  it('gives the same answer to the same boxes', async () => {
    await times(any, async (config, boxes) => {
      expect(await kept(config, boxes)).toEqual(await kept(config, boxes))
      return 0
    })
  })

  it('reads labels only if it says so', async () => {
    const differing = await times(any, async (config, boxes) => {
      const unlabelled = boxes.map((box) => ({ ...box, label: null }))
      const [one, other] = [plain(await kept(config, boxes)), plain(await kept(config, unlabelled))]
      return one.join() === other.join() ? 0 : 1
    })
    if (reads.some((what) => what === 'labels')) expect(differing).toBeGreaterThan(0)
    else expect(differing).toBe(0)
  })

  it('reads what was answered to other attributes only if it says so', async () => {
    const differing = await times(any, async (config, boxes) => {
      const unasked = boxes.map((box) => ({ ...box, contrast: null }))
      const [one, other] = [plain(await kept(config, boxes)), plain(await kept(config, unasked))]
      return one.join() === other.join() ? 0 : 1
    })
    if (reads.some((what) => what === 'contrast')) expect(differing).toBeGreaterThan(0)
    else expect(differing).toBe(0)
  })

  it('reads the picture only if it says so', async () => {
    const failing = await times(any, async (config, boxes) => {
      const without = await kept(config, boxes, anyImage as typeof image).catch(() => undefined)
      if (without !== undefined) expect(without).toEqual(await kept(config, boxes))
      return without === undefined ? 1 : 0
    })
    if (reads.some((what) => what === 'pictures')) expect(failing).toBeGreaterThan(0)
    else expect(failing).toBe(0)
  })

  it('asks for what it says, and takes many pictures at once just where that is a model', () => {
    const [config] = fc.sample(any, 1) as [RuleConfig]
    const named = namedTools([config])
    expect(named.map(({ tools }) => tools)).toEqual(
      asks === null || asks.tools === 'frequency' ? [] : [asks.tools],
    )
    if (named.length > 0) expect(() => createRule(config, {})).toThrow(/was not opened/)
    else expect(() => createRule(config, {})).not.toThrow()
    for (const { tools, path } of named) expect(anyTools[tools]?.has(path)).toBe(true)
    expect('model' in createRule(config, anyTools)).toBe(asksModel(config))
  })
})

const sourcesOf = (teacher: string) => [{ stage: 'label', teacher }]

describe('the list of rules', () => {
  it('has each name once, and the table of the documentation has all of them', () => {
    expect(new Set(ruleNames).size).toBe(rules.length)
    const table = textOf('docs/filters.md')
    for (const name of ruleNames) expect(table).toMatch(new RegExp(`^\\|.*\`${name}: `, 'm'))
  })

  it('is asked whether what was measured is for a teacher', () => {
    const config: RuleConfig = { rule: 'calibrate', file: 'calibration.json', any_teacher: false }
    expect(() => checkTeacher([config], anyTools, sourcesOf('teacher'))).not.toThrow()
    expect(() => checkTeacher([config], anyTools, sourcesOf('student'))).toThrow(
      'calibration.json was measured on the scores of "teacher", and these proposals are of "student"',
    )
    expect(() =>
      checkTeacher([{ ...config, any_teacher: true }], anyTools, sourcesOf('student')),
    ).not.toThrow()
  })

  it('has the example of CONTRIBUTING, line for line', () => {
    const section = textOf('CONTRIBUTING.md').split('\n## A filter rule\n')[1]?.split('\n## ')[0] ?? ''
    const blocks = [...section.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code as string)
    const [rule, list, test] = blocks
    expect(blocks).toHaveLength(3)
    expect(rule).toBe(textOf('src/filter/rules/aspect.ts'))
    for (const line of list?.trim().split('\n') ?? []) expect(textOf('src/filter/rules.ts')).toContain(line)
    expect(textOf('test/helpers/any-rule.ts')).toContain(test)
  })
})

describe('a rule that is not told whole', () => {
  const whole = {
    name: 'every',
    schema: z.strictObject({ rule: z.literal('every') }),
    looksAt: 'itself',
    rescores: false,
    reads: [],
    asks: null,
    create: () => ({ keeps: () => true }),
  } as const

  it('is no rule to TypeScript', () => {
    expect(filterRule(whole).create({ rule: 'every' }, undefined)).toHaveProperty('keeps')
    const { looksAt: _, ...blind } = whole
    // @ts-expect-error: it must say what it looks at
    filterRule(blind)
    const { reads: __, ...unread } = whole
    // @ts-expect-error: it must say what it reads
    filterRule(unread)
    const { rescores: ___, ...unscored } = whole
    // @ts-expect-error: it must say whether it changes scores
    filterRule(unscored)
    const { asks: ____, ...unasked } = whole
    // @ts-expect-error: it must say what it asks for
    filterRule(unasked)
    // @ts-expect-error: its name is that of its schema
    filterRule({ ...whole, name: 'each' })
    // @ts-expect-error: who asks a model answers later
    filterRule({ ...whole, asks: { tools: 'scorers', path: () => 'clip', checkTeacher: null } })
  })
})

describe('what the teacher room opens', () => {
  it('is what rules ask for', () => {
    expectTypeOf<ClipScorer['score']>().toEqualTypeOf<RegionScorer['score']>()
    expectTypeOf<TextEncoder['embed']>().toEqualTypeOf<TextEmbedder['embed']>()
  })
})
