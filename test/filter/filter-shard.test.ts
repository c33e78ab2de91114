import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { UserError } from '../../src/base/user-error.js'
import { filterConfig } from '../../src/filter/config.js'
import { createRowFilter } from '../../src/filter/filter-proposals.js'
import { filterShard, joinedRows, labelsOfStages } from '../../src/filter/filter-shard.js'
import { ruleSchema } from '../../src/filter/rules.js'
import type {
  GroundingRow,
  ImageRow,
  PhraseRow,
  Proposal,
  ProposalRow,
  Verdict,
  VerdictRow,
} from '../../src/rows/rows.js'
import { amendConfig } from '../../src/shards/amend-shard.js'
import { readCommit } from '../../src/shards/commit.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const image = (key: string): ImageRow => ({
  key,
  image: { bytes: new Uint8Array([1]), path: null },
  width: 100,
  height: 50,
  captions: [{ text: 'a dog and a cat', kind: 'web' }],
  url: null,
  sha256: '',
  phash: '',
  license: null,
  meta: null,
})
const phrases: PhraseRow['phrases'] = [
  { caption: 0, text: 'a dog', start: 0, end: 5, head: 'dog' },
  { caption: 0, text: 'a cat', start: 10, end: 15, head: 'cat' },
]
const proposals: readonly ProposalRow[] = [
  {
    key: 'a',
    teacher: 'toy',
    proposals: [
      { phrase: 0, xyxy: [0, 0, 20, 20], score: 0.5, label: null },
      { phrase: 0, xyxy: [1, 0, 20, 20], score: 0.25, label: null },
      { phrase: 1, xyxy: [50, 0, 120, 25], score: 0.75, label: null },
      { phrase: 1, xyxy: [120, 0, 130, 25], score: 0.75, label: null },
    ],
  },
  { key: 'b', teacher: 'toy', proposals: [] },
  {
    key: 'c',
    teacher: 'toy',
    proposals: [
      { phrase: 0, xyxy: [0, 0, 40, 40], score: 0.125, label: null },
      { phrase: 1, xyxy: [0, 0, 40, 40], score: 0.125, label: null },
    ],
  },
]

async function dataset(rows: readonly ProposalRow[], keys = ['a', 'b', 'c']): Promise<Storage> {
  const storage = openStorage(await temporaryFolder())
  await putShard(storage, 'images', null, '00000', keys.map(image))
  await putShard(
    storage,
    'phrases',
    'chunk',
    '00000',
    keys.map((key) => ({ key, phrases })),
  )
  await putShard(storage, 'proposals', 'label', '00000', rows)
  return storage
}

const taskOf = (storage: Storage) => ({
  storage,
  stage: 'filter',
  shard: '00000',
  configHash: 'c',
  inputs: { proposals: 'p' },
})
const config = {
  ...filterConfig.parse({
    rules: [
      { rule: 'nms', iou: 0.5 },
      { rule: 'score', min: 0.2 },
    ],
  }),
  phrases: 'chunk',
  proposals: 'label',
}

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const row of rows) list.push(row)
  return list
}

describe('filtering a shard', () => {
  it('writes what is kept row for row, and a reject for each picture and reason', async () => {
    const storage = await dataset(proposals)
    const progress: number[] = []
    const { record } = await filterShard(
      { ...taskOf(storage), onProgress: (rows) => progress.push(rows) },
      config,
    )
    const region = { caption: 0, origin: 'toy', area: null }
    const rest = { ignored: null, scale: null, disagreement: null }
    expect(await all(readShard(storage, 'grounding', 'filter', '00000'))).toEqual([
      {
        key: 'a',
        ...rest,
        regions: [
          { ...region, phrase: 1, start: 10, end: 15, xyxy: [50, 0, 100, 25], score: 0.75 },
          { ...region, phrase: 0, start: 0, end: 5, xyxy: [0, 0, 20, 20], score: 0.5 },
        ],
      },
      { key: 'b', regions: [], ...rest },
      { key: 'c', regions: [], ...rest },
    ])
    expect(await all(readShard(storage, 'rejects', 'filter', '00000'))).toEqual([
      { key: 'a', url: null, reason: 'outside', detail: '1 of 4 proposals' },
      { key: 'a', url: null, reason: 'nms', detail: '1 of 4 proposals' },
      { key: 'c', url: null, reason: 'score', detail: '2 of 2 proposals' },
    ])
    expect(record).toMatchObject({ unit: 'proposals', in: 6, out: 2 })
    expect(record.rejected).toEqual({ outside: 1, nms: 1, score: 2 })
    expect(record.stats.counts).toEqual({ grounded_images: 1, regions: 2 })
    expect(record.stats.tallies).toEqual({ heads: { cat: 1, dog: 1 }, origins: { toy: 2 } })
    for (const { counts } of [record.stats.histograms.score, record.stats.histograms.area_share])
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2)
    expect(record.stats.histograms.regions_an_image.counts).toEqual([2, 0, 1, ...new Array(9).fill(0)])
    expect(progress).toEqual([1, 2, 3])
    expect((await filterShard(taskOf(storage), config)).skipped).toBe(true)
  })

  it('gives the same bytes however the proposals of a picture are ordered', async () => {
    const turned = proposals.map((row) => ({ ...row, proposals: [...row.proposals].reverse() }))
    const [one, other] = await Promise.all(
      [proposals, turned].map(async (rows) => filterShard(taskOf(await dataset(rows)), config)),
    )
    expect(other.record.files.grounding?.sha256).toBe(one.record.files.grounding?.sha256)
  })

  it('keeps of columns what the rules keep of rows', async () => {
    const draw = random('columns')
    const xyxy = () => {
      const [x, y] = [120 * draw.next() - 10, 60 * draw.next() - 5]
      return [x, y, x + 30 * draw.next(), y + 30 * draw.next()] as const
    }
    const box = (label: string | null, contrast: number | null, phrase = Number(draw.next() < 0.5)) => ({
      ...{ phrase, xyxy: xyxy(), score: draw.next(), label, contrast },
    })
    const boxes = (count: number, make: () => Proposal) => Array.from({ length: count }, make)
    const storage = await dataset([
      { key: 'a', teacher: 'toy', proposals: boxes(40, () => box(null, null)) },
      {
        ...{ key: 'b', teacher: 'toy' },
        proposals: boxes(60, () => box(draw.pick([null, 'dog', 'cat']), draw.pick([null, 0.1, 0.8]))),
      },
      {
        ...{ key: 'c', teacher: 'toy' },
        proposals: [
          ...boxes(20, () => box(null, draw.next())),
          { ...box('a logo', null, -1), xyxy: [0, 0, 50, 50], score: 1 },
        ],
      },
    ])
    const names = [
      { rule: 'label' },
      { rule: 'area', min: 0.005 },
      { rule: 'score', min: 0.1 },
      { rule: 'negative', iou: 0.01 },
      { rule: 'nms', iou: 0.5 },
      { rule: 'aspect', max: 3 },
    ]
    const stages = { ...config, rules: names.map((rule) => ruleSchema.parse(rule)) }
    const rows = await all(joinedRows(taskOf(storage), stages))
    const filtered = await createRowFilter(stages.rules)(rows)
    const { record } = await filterShard(taskOf(storage), stages)
    const sum = (reason: string) => filtered.reduce((sum, { dropped }) => sum + (dropped[reason] ?? 0), 0)
    const reasons = ['outside', ...names.map(({ rule }) => rule)]
    expect(record.rejected).toEqual(Object.fromEntries(reasons.map((reason) => [reason, sum(reason)])))
    expect(Math.min(...Object.values(record.rejected))).toBeGreaterThan(0)
    expect(record.in).toBe(120)
    const regions = (await all(readShard(storage, 'grounding', 'filter', '00000'))).map((row) => row.regions)
    const plain = (list: readonly Pick<Proposal, 'phrase' | 'xyxy' | 'score'>[]) =>
      list.map(({ phrase, xyxy, score }) => ({ phrase, xyxy: [...xyxy], score }))
    expect(regions.map(plain)).toEqual(filtered.map(({ kept }) => plain(kept)))
  })

  it('takes a detector of fixed labels only with the rule that reads them', async () => {
    const xyxy = [0, 0, 20, 20] as const
    const labelled = (label: string) => [0, 1].map((phrase) => ({ phrase, xyxy, score: 0.5, label }))
    const rows: ProposalRow[] = [
      {
        key: 'a',
        teacher: 'detr',
        proposals: [...labelled('dog'), ...labelled('kitten'), ...labelled('car')],
      },
      { key: 'b', teacher: 'detr', proposals: labelled('car') },
      { key: 'c', teacher: 'detr', proposals: [] },
    ]
    await expect(filterShard(taskOf(await dataset(rows)), config)).rejects.toThrow(
      /"label" are of a detector with a fixed list of labels.*put `{ rule: label }` first/,
    )
    const storage = await dataset(rows)
    const rules = filterConfig.parse({ rules: [{ rule: 'label', synonyms: { kitten: ['cat'] } }] }).rules
    const { record } = await filterShard(taskOf(storage), { ...config, rules })
    const kept = (await all(readShard(storage, 'grounding', 'filter', '00000'))).map(({ regions }) =>
      regions.map(({ phrase }) => phrase),
    )
    expect(kept).toEqual([[0, 1], [], []])
    expect(record).toMatchObject({ in: 8, out: 2, rejected: { label: 6 } })
  })

  it('reads boxes of several stages by the labels of each, and those that a person added', async () => {
    const found = (phrase: number, label: string | null, x = 0): Proposal => ({
      ...{ phrase, label, score: 0.5 },
      xyxy: [x, 0, x + 20, 20],
    })
    const rows = (teacher: string, own: readonly Proposal[]) =>
      ['a', 'b', 'c'].map((key): ProposalRow => ({ key, teacher, proposals: key === 'a' ? own : [] }))
    const storage = await dataset(rows('first', [found(0, 'animal'), found(1, 'cat')]))
    const second = rows('second', [found(0, 'dog'), found(1, 'cat', 60)])
    await putShard(storage, 'proposals', 'other', '00000', second)
    const recorded = (stage: string, labels: readonly string[]) =>
      amendConfig({ ...taskOf(storage), stage, configHash: 'put', inputs: {} }, 'proposals', (before) => ({
        ...before,
        labels,
      }))
    await recorded('label', ['animal', 'cat'])
    await recorded('other', ['dog', 'cat'])
    const read = { ...config, others: [{ family: 'proposals' as const, stage: 'other' }] }
    const labels = await labelsOfStages({ storage, shard: '00000' }, read)
    expect([...labels]).toEqual([
      ['label', ['animal', 'cat']],
      ['other', ['dog', 'cat']],
    ])
    const regions = ['a', 'b', 'c'].map((key): GroundingRow => {
      const region = { caption: 0, phrase: 1, start: 10, end: 15, score: 1, area: null }
      const own = (x: number, origin: string) => ({ ...region, xyxy: [x, 0, x + 20, 20] as const, origin })
      // Ann has left it fewer words.
      const anns = { ...own(60, 'review:ann'), start: 12 }
      return { key, regions: key === 'a' ? [anns, own(0, 'second')] : [], ignored: null }
    })
    await putShard(storage, 'grounding', 'reviewed', '00000', regions)
    const verdict: Verdict = {
      ...{ phrase: 0, xyxy: [30, 0, 50, 20], verdict: 'add', probability: 1, redrawn: null, start: null },
      ...{ end: null, judge: 'bob', person: true, reason: null, at: null },
    }
    const said = ['a', 'b', 'c'].map((key): VerdictRow => ({ key, verdicts: key === 'a' ? [verdict] : [] }))
    await putShard(storage, 'verdicts', 'people', '00000', said)
    const rules = filterConfig.parse({
      rules: [{ rule: 'label' }, { rule: 'consensus' }, { rule: 'verdict', unjudged: 'keep' }],
    }).rules
    const reviewed = { family: 'grounding' as const, stage: 'reviewed' }
    await filterShard(taskOf(storage), {
      ...{ ...config, rules, verdicts: ['people'] },
      others: [...read.others, reviewed],
    })
    const [row] = await all(readShard(storage, 'grounding', 'filter', '00000'))
    const told = row?.regions.map(({ phrase, xyxy, origin, start, end }) => [
      phrase,
      xyxy[0],
      origin,
      start,
      end,
    ])
    expect(told).toEqual([
      [0, 30, 'review:bob', 0, 5],
      [1, 60, 'review:ann', 12, 15],
      [1, 0, 'first+second', 10, 15],
    ])
  })

  it('refuses proposals that are not of these pictures and phrases, and leaves no record', async () => {
    const [first, ...rest] = proposals
    const cases: ProposalRow[][] = [
      [...rest, first],
      [first, rest[0]],
      [...proposals, { ...first, key: 'd' }],
      [{ ...first, proposals: [{ phrase: 2, xyxy: [0, 0, 1, 1], score: 1, label: null }] }, ...rest],
    ]
    for (const rows of cases) {
      const storage = await dataset(rows)
      await expect(filterShard(taskOf(storage), config)).rejects.toThrow(UserError)
      expect(await readCommit(storage, 'grounding', 'filter', '00000')).toBeUndefined()
    }
  })

  it('compares several teachers and a grounding, and stores how far they disagree', async () => {
    const storage = await dataset(proposals)
    const found = (phrase: number, xyxy: Proposal['xyxy'], score: number) => ({
      ...{ phrase, xyxy, score, label: null, contrast: null },
    })
    const other = (key: string, own: Proposal[] = []): ProposalRow => ({
      key,
      teacher: 'other',
      proposals: own,
    })
    await putShard(storage, 'proposals', 'second', '00000', [
      other('a', [found(0, [0, 0, 20, 20], 0.25)]),
      ...[other('b'), other('c')],
    ])
    const drawn = (key: string, origin: string | undefined): GroundingRow => {
      const rest = { caption: 0, phrase: 0, start: 0, end: 5, score: 1 }
      return { key, regions: origin ? [{ ...rest, xyxy: [0, 0, 20, 20], origin }] : [] }
    }
    await putShard(storage, 'grounding', 'drawn', '00000', [
      ...[drawn('a', 'hand'), drawn('b', undefined), drawn('c', undefined)],
    ])
    const { rules } = filterConfig.parse({ rules: [{ rule: 'consensus', least: 3, relative: false }] })
    const others = [
      { family: 'proposals', stage: 'second' },
      { family: 'grounding', stage: 'drawn' },
    ] as const
    const { record } = await filterShard(taskOf(storage), { ...config, rules, others })
    const [first, second, third] = await all(readShard(storage, 'grounding', 'filter', '00000'))
    // Found by all three: 0.5, 0.25 and 1.
    const [kept] = first?.regions ?? []
    expect(kept).toMatchObject({ phrase: 0, xyxy: [0, 0, 20, 20], origin: 'toy+other+hand' })
    expect(kept?.score).toBeCloseTo(1.75 / 3, 6)
    const apart = (row: GroundingRow | undefined) =>
      row?.disagreement?.map(({ phrase, value }) => [phrase, Number(value.toFixed(4))])
    // By (best - mean) * 3 / 2 in shares of the best; what one alone found is as far apart as can be.
    expect(apart(first)).toEqual([
      [0, 0.625],
      [1, 1],
    ])
    expect(apart(second)).toEqual([])
    expect(apart(third)).toEqual([
      [0, 1],
      [1, 1],
    ])
    expect(record).toMatchObject({ in: 8, out: 1, rejected: { outside: 1 } })
    expect(record.config).toMatchObject({ others })
    expect(record.stats.counts).toMatchObject({ compared_phrases: 4 })
    expect(record.stats.histograms.disagreement?.counts.reduce((sum, count) => sum + count, 0)).toBe(4)
    expect(record.stats.tallies.origins).toEqual({ 'toy+other+hand': 1 })
    const stray = [other('a', [found(2, [0, 0, 9, 9], 1)]), other('b'), other('c')]
    await putShard(storage, 'proposals', 'stray', '00000', stray)
    await expect(
      filterShard(
        { ...taskOf(storage), stage: 'astray' },
        { ...config, rules, others: [{ family: 'proposals', stage: 'stray' }] },
      ),
    ).rejects.toThrow(/stray/)
  })

  it('reads verdicts, and takes the boxes that people have added, and they alone', async () => {
    const storage = await dataset(proposals)
    const said = (changes: Partial<Verdict>): Verdict => ({
      ...{ phrase: 0, xyxy: [0, 0, 20, 20], verdict: 'accept', probability: 0.75, redrawn: null },
      ...{ start: null, end: null, judge: 'net', person: false, reason: null, at: null, ...changes },
    })
    const added: Partial<Verdict> = { verdict: 'add', probability: 1, xyxy: [60, 10, 90, 40], phrase: 1 }
    const verdicts = (rows: readonly Verdict[][]) =>
      ['a', 'b', 'c'].map((key, at): VerdictRow => ({ key, verdicts: rows[at] ?? [] }))
    await putShard(
      ...([storage, 'verdicts', 'judged', '00000'] as const),
      verdicts([[said({}), said({ ...added, xyxy: [30, 10, 50, 40] })]]),
    )
    const person = { person: true, judge: 'Ann' }
    await putShard(
      ...([storage, 'verdicts', 'people', '00000'] as const),
      verdicts([
        [said({ ...added, ...person })],
        [],
        [said({ probability: 0, xyxy: [0, 0, 40, 40], ...person })],
      ]),
    )
    const { rules } = filterConfig.parse({ rules: [{ rule: 'verdict' }] })
    const stages = { ...config, rules, verdicts: ['judged', 'people'] }
    const { record } = await filterShard(taskOf(storage), stages)
    const rows = await all(readShard(storage, 'grounding', 'filter', '00000'))
    expect(
      rows.map(({ regions }) =>
        regions.map(({ phrase, xyxy, score, origin }) => [phrase, xyxy, score, origin]),
      ),
    ).toEqual([
      [
        [1, [60, 10, 90, 40], 1, 'review:Ann'],
        [0, [0, 0, 20, 20], 0.5, 'toy'],
        // Nearly the box that was judged.
        [0, [1, 0, 20, 20], 0.25, 'toy'],
      ],
      [],
      [],
    ])
    expect(rows.every(({ disagreement }) => disagreement === null)).toBe(true)
    expect(record.stats.tallies.origins).toEqual({ toy: 2, 'review:Ann': 1 })
    expect(record).toMatchObject({ in: 7, out: 3, rejected: { outside: 1, verdict: 3 } })
    expect(record.config).toMatchObject({ verdicts: ['judged', 'people'] })
    await putShard(...([storage, 'verdicts', 'stray', '00000'] as const), verdicts([[said({ phrase: 2 })]]))
    await expect(
      filterShard({ ...taskOf(storage), stage: 'astray' }, { ...stages, verdicts: ['stray'] }),
    ).rejects.toThrow(/stray/)
  })
})
