import { beforeAll, describe, expect, it } from 'vitest'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { type CompareOptions, compareGroundings } from '../../src/filter/compare-groundings.js'
import { openRegionReasons } from '../../src/filter/region-reasons.js'
import type { GroundingRow, Region } from '../../src/rows/rows.js'
import { joinRows } from '../../src/shards/join-rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import { groundedDataset, type RegionSpec } from '../helpers/grounded-dataset.js'
import { makeInspectDataset } from '../helpers/inspect-dataset.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const text = '🪁 A Red dog sees a cat'
type Sides = Region['xyxy']
const spec = (start: number, end: number) => (score: number, xyxy: Sides) => {
  return { caption: 0, start, end, score, xyxy, origin: 'toy' } satisfies RegionSpec
}
const [dog, cat] = [spec(2, 11), spec(17, 22)]
const [all, half, far]: readonly Sides[] = [
  [0, 0, 40, 40],
  [0, 0, 40, 20],
  [44, 44, 60, 60],
]

/** Of each picture the regions before and after. */
const pictures: readonly (readonly [before: readonly RegionSpec[], after: readonly RegionSpec[]])[] = [
  [
    [dog(0.96875, all), cat(0, far)],
    [dog(0.96875, all), cat(0, far)],
  ],
  [[dog(0.5, all)], [dog(0.5625, all)]],
  [[dog(0.5, all)], [dog(1, half)]],
  [[dog(0.3125, all)], []],
  [[], [cat(0.25, all), cat(0.75, far)]],
  [
    [dog(0.5, all), cat(0.5, all)],
    [dog(0.5, half), cat(0.5, far)],
  ],
  [[cat(0.6875, all)], []],
  [[cat(0.6875, all)], []],
]

describe('what changed from one grounding to another', () => {
  let compare: (
    options?: Partial<CompareOptions>,
    names?: [string, string],
  ) => ReturnType<typeof compareGroundings>
  let url: string
  beforeAll(async () => {
    url = await temporaryFolder()
    const specs = (regions: readonly RegionSpec[]) => ({
      captions: [{ text, kind: 'web' as const }],
      regions,
    })
    const shards = [pictures.slice(0, 6), pictures.slice(6)].map((own) =>
      own.map(([before]) => specs(before)),
    )
    // A shard that has the first grounding alone is left out.
    const { storage } = await groundedDataset(url, [...shards, [specs([dog(0.5, all)])]])
    for (const [shard, own] of [
      ['00000', pictures.slice(0, 6)],
      ['00001', pictures.slice(6)],
    ] as const) {
      const rows: GroundingRow[] = []
      let row = 0
      for await (const { key } of readShard(storage, 'images', null, shard)) {
        const [, after] = own[row++]
        rows.push({ key, regions: after.map((region) => ({ ...region, phrase: 0 })) })
      }
      await putShard(storage, 'grounding', 'other', shard, rows)
    }
    const dataset = await openDataset(url)
    compare = (options = {}, names = ['found', 'other']) =>
      compareGroundings(dataset, names, { top: 10, ...options })
  })

  it('is counted by region, by score and by phrase, each region once', async () => {
    const { sums, meanIou, scores, phrases, phrasesError, why, reasons, mostChanged } = await compare()
    expect(sums).toEqual({ kept: 3, rescored: 1, moved: 2, lost: 4, added: 3, images: 8, changed: 6 })
    expect(meanIou).toBe(0.5)
    expect(scores.map(({ from }) => from)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    const binned = scores.map(({ kept, moved, lost, added }) => [kept, moved, lost, added])
    const none = [0, 0, 0, 0]
    expect(binned).toEqual([
      [1, 0, 0, 0],
      none,
      [0, 0, 0, 1],
      [0, 0, 1, 0],
      none,
      [1, 1, 1, 1],
      [0, 0, 2, 0],
      [0, 0, 0, 1],
      none,
      [1, 1, 0, 0],
    ])
    expect(phrases).toEqual([
      ['a cat', { lost: 3, added: 3, moved: 0 }],
      ['a red dog', { lost: 1, added: 0, moved: 2 }],
    ])
    expect(phrasesError).toBe(0)
    expect(why).toEqual({ lost: new Map([['unknown', 4]]), added: new Map([['unknown', 3]]) })
    expect([reasons, mostChanged]).toEqual([[], []])
    expect((await compare({ top: 1 })).phrases).toHaveLength(1)
  })

  it('is the same the other way round, lost for added, and nothing between a grounding and itself', async () => {
    const { sums, meanIou } = await compare({}, ['other', 'found'])
    expect(sums).toEqual({ kept: 3, rescored: 1, moved: 2, lost: 3, added: 4, images: 8, changed: 6 })
    expect(meanIou).toBe(0.5)
    const same = await compare({ pictures: 5 }, ['found', 'found'])
    expect(same.sums).toEqual({ kept: 10, rescored: 0, moved: 0, lost: 0, added: 0, images: 9, changed: 0 })
    expect(same.meanIou).toBeNull()
    expect(same.mostChanged).toEqual([])
  })

  it('is shown by the pictures that changed most, of equal ones the first', async () => {
    const { mostChanged } = await compare({ pictures: 10 })
    expect(mostChanged.map(({ shard, row, changes }) => [shard, row, changes])).toEqual([
      ['00000', 5, 3],
      ['00000', 4, 2],
      ['00000', 2, 1],
      ['00000', 3, 1],
      ['00001', 0, 1],
      ['00001', 1, 1],
    ])
    expect([mostChanged[1].before.length, mostChanged[1].after.length]).toEqual([0, 2])
    expect((await compare({ pictures: 1 })).mostChanged).toEqual(mostChanged.slice(0, 1))
  })

  it('says why it does not know why, ends when it is told to, and refuses what there is not', async () => {
    const { notes } = await compare()
    expect(notes).toHaveLength(2)
    expect(notes[0]).toMatch(/"other" does not say its rules/)
    expect(notes[1]).toMatch(/"found" does not say its rules/)
    await expect(compare({ signal: AbortSignal.abort() })).rejects.toThrow('aborted')
    await expect(compare({}, ['found', 'never'])).rejects.toThrow('never')
    await expect(compare({}, ['never', 'found'])).rejects.toThrow('never')
  })
})

describe('why a filter lacks a box of another', () => {
  it('is the rule that dropped the nearest of its phrase, by what the filters counted', async () => {
    const { url, storage, shards } = await makeInspectDataset(await temporaryFolder(), { pictures: 12 })
    const dataset = await openDataset(url)
    const { why, reasons, notes } = await compareGroundings(dataset, ['round-1-filter', 'round-2-filter'], {
      top: 1,
    })
    expect(notes).toEqual([])
    expect(reasons.map(({ reason }) => reason)).toEqual(reasons.map(({ reason }) => reason).sort())
    for (const { reason, before, after } of reasons) {
      const countIn = (name: string) =>
        dataset.stages.find(({ stage }) => stage === name)?.rejected[reason] ?? null
      expect([reason, before, after]).toEqual([reason, countIn('round-1-filter'), countIn('round-2-filter')])
    }
    for (const reason of why.lost.keys())
      expect(['not_proposed', 'score', 'nms', 'nested', 'number', 'phrase_recall']).toContain(reason)
    // Of its own proposals a filter knows for each box that it does not have which rule dropped it.
    const { rows } = await openRegionReasons(dataset, 'round-1-filter')
    const known = new Set<string>()
    const parts = {
      proposals: { family: 'proposals', stage: 'round-1-label' },
      phrases: { family: 'phrases', stage: 'phrases' },
      kept: { family: 'grounding', stage: 'round-1-filter' },
    } as const
    const [shard] = shards
    const reasonsOf = rows(shard)
    for await (const { proposals, phrases, kept } of joinRows(storage, shard, parts)) {
      const { reasonOf } = (await reasonsOf.next()).value
      for (const { phrase, xyxy, score } of proposals.proposals) {
        const isInside = xyxy[0] >= 0 && xyxy[1] >= 0 && xyxy[2] <= 96 && xyxy[3] <= 72
        if (!isInside) continue
        if (kept.regions.some((region) => region.phrase === phrase && region.xyxy.join() === xyxy.join()))
          continue
        const { caption, start, end } = phrases.phrases[phrase]
        const reason = reasonOf({ caption, phrase, start, end, xyxy, score, origin: 'toy' })
        known.add(reason)
        if (score < 0.5) expect(reason).toBe('score')
      }
      // Where nothing was proposed, nothing was dropped.
      const { caption, start, end } = phrases.phrases[0]
      const nowhere = {
        caption,
        phrase: 0,
        start,
        end,
        xyxy: [-9, -9, -5, -5] as const,
        score: 1,
        origin: 'toy',
      }
      expect(reasonOf(nowhere)).toBe('not_proposed')
    }
    expect([...known]).toEqual(expect.arrayContaining(['score', 'nms']))
    for (const reason of known) expect(['score', 'nms', 'phrase_recall']).toContain(reason)
  })
})
