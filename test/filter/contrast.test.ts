import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { datasetFunnel } from '../../src/catalog/funnel.js'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { readExportRows } from '../../src/export/export-rows.js'
import { compareGroundings } from '../../src/filter/compare-groundings.js'
import { createFilter, relabelledBy } from '../../src/filter/filter-proposals.js'
import { judgeBoxes, rowsWithGold } from '../../src/filter/rows-with-gold.js'
import type { Candidate, FilterImage } from '../../src/filter/rule/rule.js'
import { type RuleConfig, ruleSchema } from '../../src/filter/rules.js'
import { whyDropped } from '../../src/filter/why-dropped.js'
import type { ProposalRow } from '../../src/rows/rows.js'
import { readCommit } from '../../src/shards/commit.js'
import { readShard } from '../../src/shards/read-shard.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { emptyStats } from '../../src/statistics/stats.js'
import type { Storage } from '../../src/storage/storage.js'
import { filteredColours, phrasesIn, taughtColours, thingOf, things } from '../helpers/colour-teacher.js'

const shard = '00000'
const caption = '🎉 two small red fire trucks and a ball'
const phrases = phrasesIn(caption, ['two small red fire trucks', 'truck'], ['a ball', 'ball'])
const rows = [
  { caption, phrases },
  { caption: 'a blue ball', phrases: phrasesIn('a blue ball', ['a blue ball', 'ball']) },
]

const taught = (reads: boolean, contrast = 1) => taughtColours(rows, { reads, contrast })

/** Beside each proposal a weaker one around the same thing, which only a threshold drops. */
async function addWeakTwins(storage: Storage): Promise<void> {
  const { inputs = {}, config } = (await readCommit(storage, 'proposals', 'label', shard)) ?? {}
  const found: ProposalRow[] = []
  for await (const row of readShard(storage, 'proposals', 'label', shard)) {
    const proposals = row.proposals.flatMap((box) => {
      const [x1, y1, x2, y2] = box.xyxy
      return [box, { ...box, xyxy: [x1, y1, x2 - 1, y2] as const, score: 0.25 }]
    })
    found.push({ ...row, proposals })
  }
  const task = { storage, stage: 'label', shard, configHash: 'twins', inputs }
  await runShardTask(task, 'proposals', async (write) => ({
    files: { proposals: await write('proposals', found) },
    ...{ unit: 'phrases', in: 2, out: 2, rejected: {}, stats: emptyStats, config },
  }))
}

const textOf = (row: number, { start, end }: { readonly start: number; readonly end: number }) =>
  [...(rows[row]?.caption ?? '')].slice(start, end).join('')

describe('a teacher with the rule contrast behind it', () => {
  it('keeps what it tells apart under the whole phrase, and the rest under the name', async () => {
    const reader = await filteredColours(await taught(true), 'filter', [
      { rule: 'contrast' },
      { rule: 'score', min: 0.5 },
    ])
    expect(reader.regions.map((regions, row) => regions.map((region) => textOf(row, region)))).toEqual([
      // Its colour is read, and its size is not: "small" would be taught to what may be big.
      ['fire trucks', 'a ball', 'a ball'],
      ['a blue ball'],
    ])
    const blind = await filteredColours(await taught(false), 'filter', [{ rule: 'contrast' }])
    expect(blind.regions.map((regions, row) => regions.map((region) => textOf(row, region)))).toEqual([
      ['fire trucks', 'fire trucks', 'a ball', 'a ball'],
      ['ball', 'ball'],
    ])
    expect(blind.record).toMatchObject({ in: 6, out: 6, rejected: {}, relabelled: { contrast: 4 } })
    // A region's phrase stays what it was: its head is what is tallied.
    expect(blind.record.stats.tallies.heads).toEqual({ truck: 2, ball: 4 })
  })

  it('drops them where that is asked, as any rule does', async () => {
    const { record } = await filteredColours(await taught(false), 'filter', [
      { rule: 'contrast', else: 'drop' },
    ])
    expect(record).toMatchObject({ in: 6, out: 2, rejected: { contrast: 4 } })
    expect(record.relabelled).toBeUndefined()
  })

  it('is refused where the teacher was not asked', async () => {
    const storage = await taught(true, 0)
    await expect(filteredColours(storage, 'filter', [{ rule: 'contrast' }])).rejects.toThrow(
      /"label", shard 00000: .* not asked with other attributes.*set `contrast: 1` .* in the teach stage "label"/,
    )
    const stages = { phrases: 'chunk', proposals: 'label', gold: { grounding: 'gold', phrases: 'chunk' } }
    const rules = [ruleSchema.parse({ rule: 'contrast' })]
    await expect(rowsWithGold(storage, shard, { ...stages, rules }).next()).rejects.toThrow(/not asked/)
  })

  it('is told of by the ledger, the comparison and the export', async () => {
    const storage = await taught(false)
    await addWeakTwins(storage)
    await filteredColours(storage, 'plain', [{ rule: 'score', min: 0.5 }])
    await filteredColours(storage, 'told', [{ rule: 'score', min: 0.5 }, { rule: 'contrast' }])
    const funnel = await datasetFunnel(storage)
    const sums = funnel.flatMap(({ stage, relabelled }) => (stage === 'told' ? [relabelled] : []))
    expect(sums).toEqual([{ contrast: 4 }])
    const source = { name: 'colours', storage, shards: [shard], grounding: 'told', phrases: 'chunk' }
    const exported = []
    for await (const row of readExportRows(source, shard))
      exported.push(row.regions.map(({ text, head }) => `${text} ${head}`))
    expect(exported[1]).toEqual(['ball ball', 'ball ball'])

    const dataset = await openDataset(storage.url)
    const there = await compareGroundings(dataset, ['plain', 'told'], { top: 2 })
    expect(there.sums).toMatchObject({ kept: 2, moved: 0, lost: 4, added: 4 })
    expect(there.why.lost).toEqual(new Map([['relabelled: contrast', 4]]))
    expect(there.why.added).toEqual(new Map([['not_relabelled', 4]]))
    expect(there.reasons).toEqual([
      { reason: 'relabelled: contrast', before: null, after: 4 },
      { reason: 'score', before: 6, after: 6 },
    ])
    const back = await compareGroundings(dataset, ['told', 'plain'], { top: 2 })
    expect(back.why).toEqual({ lost: there.why.added, added: there.why.lost })
  })
})

const image: FilterImage = {
  width: 100,
  height: 100,
  phrases: [
    ...phrasesIn('a red dog and the big dog', ['a red dog', 'dog'], ['the big dog', 'dog']),
    { caption: 1, text: 'a dog', start: 0, end: 5, head: 'dog' },
  ],
}
const box = (phrase: number, score: number, contrast: number | null): Candidate => ({
  ...{ phrase, score, contrast, label: null },
  xyxy: [10, 10, 40, 40],
})
const names = (kept: readonly Candidate[]) => kept.map(({ relabelled }) => relabelled ?? null)
const keep = (rules: readonly object[], given: readonly Candidate[]) =>
  createFilter(rules.map((rule) => ruleSchema.parse(rule)))(given, image).kept

describe('the rule', () => {
  it('takes a score that is by the margin above its contrast', () => {
    const given = [box(0, 0.75, 0.5), box(0, 0.5, 0.5), box(1, 0.25, 0), box(2, 0.125, null)]
    const name = { rule: 'contrast', start: 6, end: 9 }
    const other = { rule: 'contrast', start: 22, end: 25 }
    expect(names(keep([{ rule: 'contrast', margin: 0.25 }], given))).toEqual([null, name, null, null])
    expect(names(keep([{ rule: 'contrast', margin: 0.5 }], given))).toEqual([name, name, other, null])
    expect(names(keep([{ rule: 'contrast', margin: 0 }], given))).toEqual([null, null, null, null])
    // A box of a phrase that has no attribute has no other name.
    expect(names(keep([{ rule: 'contrast' }], [box(2, 0.5, 0.5)]))).toEqual([null])
  })

  it('compares what was rescored alike, and leaves boxes to the rules of their phrase', () => {
    const given = [box(0, 0.8, 0.7), { ...box(0, 0.4, 0.35), xyxy: [10, 10, 40, 39] as const }]
    const soft = { rule: 'soft_nms', min: 0 }
    const [, second] = keep([soft], given)
    expect((second?.score ?? 0) / (second?.contrast ?? 0)).toBeCloseTo(0.4 / 0.35, 10)
    const both = keep(
      [
        { rule: 'contrast', margin: 0.07 },
        { rule: 'nms', iou: 0.5 },
      ],
      given,
    )
    expect(names(both)).toEqual([null])
    const one = keep(
      [
        { rule: 'contrast', margin: 0.5 },
        { rule: 'max_boxes', phrase: 1 },
      ],
      given,
    )
    expect(one).toHaveLength(1)
    expect(names(one)).toEqual([{ rule: 'contrast', start: 6, end: 9 }])
  })

  it('adds up: every box is kept, kept under its name, or dropped with a reason', () => {
    const score = fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10)
    const side = fc.integer({ min: 0, max: 50 })
    const boxes = fc.array(
      fc
        .record({ phrase: fc.nat(2), score, contrast: fc.option(score), x: side, y: side })
        .map(({ x, y, ...rest }): Candidate => ({ ...rest, label: null, xyxy: [x, y, x + 30, y + 30] })),
      { maxLength: 12 },
    )
    const contrast: fc.Arbitrary<RuleConfig> = fc.record({
      ...{ rule: fc.constant('contrast' as const), margin: score },
      else: fc.constantFrom('head' as const, 'drop' as const),
    })
    const rule: fc.Arbitrary<RuleConfig> = fc.oneof(
      contrast,
      score.map((min) => ({ rule: 'score' as const, min })),
      score.map((iou) => ({ rule: 'nms' as const, iou })),
      fc.constant({ rule: 'max_boxes' as const, phrase: 2 }),
    )
    fc.assert(
      fc.property(boxes, fc.array(rule, { maxLength: 4 }), (given, rules) => {
        const { kept, dropped } = createFilter(rules)(given, image)
        const renamed = relabelledBy(kept)
        const sum = (counts: Readonly<Record<string, number>>) =>
          Object.values(counts).reduce((total, count) => total + count, 0)
        const whole = kept.filter(({ relabelled }) => !relabelled).length
        expect(whole + sum(renamed) + sum(dropped)).toBe(given.length)
        for (const { phrase, relabelled } of kept) {
          if (!relabelled) continue
          const own = image.phrases[phrase]
          expect(relabelled.start).toBeGreaterThan(own?.start ?? Infinity)
          expect(relabelled.end).toBeLessThanOrEqual(own?.end ?? 0)
        }
        const told: Record<string, number> = {}
        for (const { reason } of whyDropped(rules)(given, image)) told[reason] = (told[reason] ?? 0) + 1
        const ledger = Object.entries(renamed).map(([name, count]) => [`relabelled: ${name}`, count])
        expect(told).toEqual({ ...dropped, ...Object.fromEntries(ledger) })
      }),
      { numRuns: 300 },
    )
  })
})

it('a box that kept the name is judged by the name', async () => {
  const storage = await taught(false)
  const ofThing = (at: number, start: number, end: number) => ({
    ...{ caption: 0, phrase: 0, start, end, score: 1, origin: 'gold' },
    xyxy: (things[at] as (typeof things)[number]).xyxy,
  })
  // Gold knows the red trucks by the whole phrase, and both by their head.
  const gold = [
    [...phrasesIn(caption, ['two small red fire trucks', 'truck'], ['trucks', 'truck'])],
    phrasesIn('a blue ball', ['ball', 'ball']),
  ]
  const made = { unit: 'rows', in: 2, out: 2, rejected: {}, stats: emptyStats }
  const task = { storage, stage: 'gold', shard, configHash: '', inputs: {} }
  await runShardTask(task, 'grounding', async (write) => ({
    ...made,
    files: {
      phrases: await write(
        'phrases',
        gold.map((list, at) => ({ key: String(at), phrases: list })),
      ),
      grounding: await write('grounding', [
        { key: '0', regions: [ofThing(0, 2, 27), { ...ofThing(1, 21, 27), phrase: 1 }] },
        { key: '1', regions: [ofThing(1, 7, 11)] },
      ]),
    },
  }))
  const rightWith = async (rules: readonly object[]) => {
    const parsed = rules.map((rule) => ruleSchema.parse(rule))
    const stages = { phrases: 'chunk', proposals: 'label', gold: { grounding: 'gold', phrases: 'gold' } }
    const judged = []
    for await (const row of rowsWithGold(storage, shard, { ...stages, rules: parsed })) {
      const { kept } = createFilter(parsed)(row.candidates, row.image)
      judged.push(judgeBoxes(kept, row.targets).map(({ box, right }) => [thingOf(box.xyxy), right]))
    }
    return judged
  }
  expect((await rightWith([]))[0]).toEqual([
    ['red', true],
    ['blue', false],
  ])
  expect((await rightWith([{ rule: 'contrast' }]))[0]).toEqual([
    ['red', true],
    ['blue', true],
  ])
})
