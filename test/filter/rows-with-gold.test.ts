import { beforeAll, describe, expect, it } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { calibrateTeacher, countingRules } from '../../src/filter/calibrate-teacher.js'
import { judgeBoxes, type PhraseTargets, rowsWithGold } from '../../src/filter/rows-with-gold.js'
import type { Candidate } from '../../src/filter/rule/rule.js'
import { sweepThresholds } from '../../src/filter/sweep-thresholds.js'
import type { Phrase, Region } from '../../src/rows/rows.js'
import type { Storage } from '../../src/storage/storage.js'
import { groundedDataset } from '../helpers/grounded-dataset.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const left: Xyxy = [0, 0, 20, 20]
const right: Xyxy = [40, 0, 60, 20]
const halfLeft: Xyxy = [0, 0, 20, 10]
const box = (xyxy: Xyxy, phrase = 0, more: Partial<Candidate> = {}): Candidate => {
  return { phrase, xyxy, score: 0.5, label: null, ...more }
}
const targets = (boxes: readonly Xyxy[] | undefined, unsure: readonly Xyxy[] = []): PhraseTargets => {
  return { boxes, named: () => [right], unsure }
}

describe('a box is judged by gold', () => {
  const judged = (boxes: readonly Candidate[], ...of: readonly PhraseTargets[]) =>
    judgeBoxes(boxes, of).map((one) => [one.right, one.target])

  it('right by an IoU of one half with a box of its phrase, the one that it overlaps most', () => {
    expect(judged([box(halfLeft)], targets([left]))).toEqual([[true, left]])
    expect(judged([box([0, 0, 20, 9.9])], targets([left]))).toEqual([[false, undefined]])
    expect(judged([box(left)], targets([right]))).toEqual([[false, undefined]])
    expect(judged([box(left)], targets([halfLeft, left]))).toEqual([[true, left]])
    expect(judged([box(left)], targets([left, halfLeft]))).toEqual([[true, left]])
    expect(judged([box(left)], targets([]))).toEqual([[false, undefined]])
  })

  it('once for each box of gold, of each phrase', () => {
    const twice = [box(left), box(left), box(left, 1)]
    expect(judged(twice, targets([left]), targets([left]))).toEqual([
      [true, left],
      [false, undefined],
      [true, left],
    ])
    // A second one may take what the first left.
    expect(judged([box(left), box(halfLeft)], targets([left, halfLeft]))).toEqual([
      [true, left],
      [true, halfLeft],
    ])
  })

  it('not at all where gold does not know its phrase, or is not sure of the place', () => {
    expect(judged([box(left), box(left, 1)], targets(undefined))).toEqual([])
    expect(judged([box(left)], targets([], [left]))).toEqual([])
    expect(judged([box(left)], targets([left], [left]))).toEqual([[true, left]])
    expect(judged([box(left)], targets([], [right]))).toEqual([[false, undefined]])
  })

  it('by a part of its phrase where it has that for a label', () => {
    const relabelled = { rule: 'contrast', start: 1, end: 2 } as Candidate['relabelled']
    expect(judged([box(right, 0, { relabelled })], targets([left]))).toEqual([[true, right]])
    expect(judged([box(left, 0, { relabelled })], targets([left]))).toEqual([[false, undefined]])
  })
})

const caption = 'a brown dog and a cat'
const phrase = (start: number, end: number, head: string): Phrase => {
  return { caption: 0, text: caption.slice(start, end), start, end, head }
}
const [dog, cat, sheep] = [phrase(0, 11, 'dog'), phrase(16, 21, 'cat'), phrase(2, 11, 'sheep')]
const region = (of: Phrase, index: number, xyxy: Xyxy): Region => {
  const { caption: at, start, end } = of
  return { caption: at, phrase: index, start, end, xyxy, score: 1, origin: 'gold' }
}

describe('a dataset beside its gold', () => {
  let storage: Storage
  const stages = { phrases: 'asked', proposals: 'label', gold: { grounding: 'gold', phrases: 'named' } }
  const scores = [0.9, 0.6, 0.3]
  /** Each phrase's boxes: right, right but for the place, and right a second time. */
  const proposals = [0, 1].flatMap((index) => [
    { phrase: index, xyxy: left, score: scores[0] },
    { phrase: index, xyxy: right, score: scores[1] },
    { phrase: index, xyxy: left, score: scores[2] },
  ])

  beforeAll(async () => {
    const picture = { captions: [{ text: caption, kind: 'web' as const }], regions: [] }
    const source = await groundedDataset(await temporaryFolder(), [[picture, picture, picture]])
    storage = source.storage
    const keys = [0, 1, 2].map((at) => `00000${String(at).padStart(4, '0')}`)
    const put = <F extends Parameters<typeof putShard>[1]>(
      family: F,
      stage: string,
      rows: readonly object[],
    ) =>
      putShard(storage, family, stage, '00000', rows.map((row, at) => ({ key: keys[at], ...row })) as never)
    const asked = await put(
      'phrases',
      'asked',
      keys.map(() => ({ phrases: [dog, cat], left_out: [] })),
    )
    const teacher = 'toy'
    await putShard(
      storage,
      'proposals',
      'label',
      '00000',
      keys.map((key) => ({
        key,
        teacher,
        proposals: proposals.map((one) => ({ ...one, label: null })),
      })) as never,
      { phrases: asked.sha256 },
    )
    // Of the first picture gold has both spans, of the second a dog elsewhere, of the third something else.
    await put('phrases', 'named', [
      { phrases: [dog, cat], left_out: [] },
      { phrases: [phrase(8, 11, 'Dog')], left_out: [] },
      { phrases: [sheep], left_out: [] },
    ])
    await put('grounding', 'gold', [
      { regions: [region(dog, 0, left), region(cat, 1, right)] },
      { regions: [region(dog, 0, right), region(dog, 0, right)] },
      { regions: [region(sheep, 0, left)] },
    ])
  })

  it('knows phrases by their span, else by their head, each box once', async () => {
    const rows = []
    for await (const row of rowsWithGold(storage, '00000', { ...stages, rules: [] })) rows.push(row)
    expect(rows.map((row) => row.targets.map(({ boxes }) => boxes))).toEqual([
      [[left], [right]],
      [[right], undefined],
      [undefined, undefined],
    ])
    expect(rows.map(({ asked }) => [...asked])).toEqual([[left.join(), right.join()], [right.join()], []])
    expect(rows.map(({ teacher }) => teacher)).toEqual(['toy', 'toy', 'toy'])
    expect(rows[0].targets[0].named(16, 21)).toEqual([right])
    expect(rows[0].targets[0].named(2, 3)).toEqual([left])
  })

  it('is swept over thresholds: what is kept, and how right that is', async () => {
    const progress: number[] = []
    const points = await sweepThresholds(storage, ['00000'], {
      ...stages,
      values: [0.2, 0.5, 0.7, 0.95],
      rulesAt: (min) => [{ rule: 'score', min }],
      onProgress: (rows) => progress.push(rows),
    })
    expect(points.map(({ value, boxes, phrases, images }) => [value, boxes, phrases, images])).toEqual([
      [0.2, 18, 6, 3],
      [0.5, 12, 6, 3],
      [0.7, 6, 6, 3],
      [0.95, 0, 0, 0],
    ])
    // Judged are both phrases of the first picture and the dog of the second.
    const shares = points.map(({ precision, recall, f1 }) => [precision, recall, f1])
    expect(shares[0]).toEqual([3 / 9, 1, 0.5])
    expect(shares[1]).toEqual([3 / 6, 1, expect.closeTo(2 / 3, 12)])
    expect(shares[2]).toEqual([1 / 3, 1 / 3, expect.closeTo(1 / 3, 12)])
    expect(shares[3]).toEqual([undefined, 0, undefined])
    expect(points[0].precisionInterval?.[0]).toBeLessThanOrEqual(3 / 9)
    expect(points[3].precisionInterval).toBeUndefined()
    expect(progress.length).toBeGreaterThan(0)
    const rulesAt = () => []
    expect(await sweepThresholds(storage, ['00000'], { ...stages, values: [], rulesAt })).toEqual([])
    const aborted = { ...stages, values: [0.5], rulesAt, signal: AbortSignal.abort() }
    await expect(sweepThresholds(storage, ['00000'], aborted)).rejects.toThrow('aborted')
    const { gold: _, ...without } = stages
    const [plain] = await sweepThresholds(storage, ['00000'], { ...without, values: [0.5], rulesAt })
    expect(plain).toEqual({ value: 0.5, boxes: 18, phrases: 6, images: 3 })
  })

  it('says how right scores are, before and after they are fitted, with pictures dealt to halves', async () => {
    const rules = countingRules([{ rule: 'score', min: 0.95 }])
    const options = { ...stages, method: 'isotonic', rules } as const
    const file = await calibrateTeacher(storage, ['00000'], options)
    // The second box on one place is dropped first; then each score is right of some and wrong of others.
    expect(file).toMatchObject({ version: 1, teacher: 'toy', judged: 6 })
    expect(file.bins.reduce((sum, { count }) => sum + count, 0)).toBe(6)
    // 0.9 of 1 in 3 and 0.6 of 2 in 3.
    expect(file.ece.before).toBeCloseTo((0.9 - 1 / 3 + (2 / 3 - 0.6)) / 2, 6)
    const one = calibrateTeacher(storage, ['00000'], {
      ...options,
      gold: { grounding: 'gold', phrases: 'named', byCategory: undefined },
    })
    expect(await one).toEqual(file)
    // Boxes of one picture alone are not enough: the first, or the second.
    const alone = async (keep: number) => {
      const found = await putShard(
        storage,
        'grounding',
        `gold-${keep}`,
        '00000',
        [0, 1, 2].map((at) => ({ key: `00000000${at}`, regions: [] })),
      )
      expect(found.rows).toBe(3)
      const rows = [0, 1, 2].map((at) => ({
        ...{ key: `00000000${at}`, left_out: [] },
        phrases: at === keep ? [dog] : [sheep],
      }))
      await putShard(storage, 'phrases', `named-${keep}`, '00000', rows)
      return calibrateTeacher(storage, ['00000'], {
        ...options,
        gold: { grounding: `gold-${keep}`, phrases: `named-${keep}` },
      })
    }
    await expect(alone(0)).rejects.toThrow('judges 2 proposals')
    await expect(alone(1)).rejects.toThrow('judges 2 proposals')
    const nobody = { ...options, gold: { grounding: 'found', phrases: 'words' } }
    await expect(calibrateTeacher(storage, ['00000'], nobody)).rejects.toThrow('judges 0 proposals')
  })

  it('knows categories by their whole name, and the places of which it is not sure', async () => {
    const categories = 'dog. hot dog. cat'
    const captions = [
      { text: caption, kind: 'web' as const },
      { text: categories, kind: 'categories' as const },
    ]
    const own = (await groundedDataset(await temporaryFolder(), [[{ captions, regions: [] }]])).storage
    const key = '000000000'
    const named = ['dog', 'hot dog', 'cat'].map((text): Phrase => {
      const start = text === 'dog' ? 0 : categories.indexOf(text)
      return { caption: 1, text, start, end: start + text.length, head: text.split(' ').at(-1) as string }
    })
    const put = (stage: string, phrases: readonly Phrase[]) =>
      putShard(own, 'phrases', stage, '00000', [{ key, phrases, left_out: [] }])
    const asked = await put('asked', [dog, sheep])
    await put('named', named)
    const proposals = { key, teacher: 'toy', proposals: [] }
    await putShard(own, 'proposals', 'label', '00000', [proposals], { phrases: asked.sha256 })
    const ignored = [
      { text: 'dog', xyxy: halfLeft, area: 200, crowd: true },
      { text: 'cat', xyxy: right, area: 400, crowd: true },
    ]
    const regions = [region(named[0], 0, left), region(named[1], 1, right), region(named[0], 0, left)]
    await putShard(own, 'grounding', 'gold', '00000', [{ key, regions, ignored }])
    const targetsOf = async (byCategory?: { synonyms: Record<string, string[]> }) => {
      const gold = { ...stages.gold, ...(byCategory && { byCategory }) }
      const rows = []
      for await (const row of rowsWithGold(own, '00000', { ...stages, gold, rules: [] }))
        rows.push(...row.targets)
      return rows.map(({ boxes, unsure }) => [boxes, unsure])
    }
    expect(await targetsOf()).toEqual([
      [[left], [halfLeft]],
      [undefined, []],
    ])
    // Then what means none of them has no box, and words of one's own name them.
    expect(await targetsOf({ synonyms: {} })).toEqual([
      [[left], [halfLeft]],
      [[], []],
    ])
    const synonyms = { cat: ['sheep'], 'hot dog': ['sheep'] }
    expect((await targetsOf({ synonyms }))[1]).toEqual([[right], [right]])
  })
})
