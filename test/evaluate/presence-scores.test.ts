import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Detection } from '../../src/evaluate/box-table.js'
import type { GroundTruth } from '../../src/evaluate/coco-ap.js'
import { knownCategories, knownOfFile } from '../../src/evaluate/known-categories.js'
import { presenceScores } from '../../src/evaluate/presence-scores.js'
import type { ImageRow, NegativeRow } from '../../src/rows/rows.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { statsBuilder } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const gold = (image: number, category: number, iscrowd = false): GroundTruth => ({
  ...{ image, category, bbox: [0, 0, 10, 10] as const, area: 100, iscrowd },
})
const found = (image: number, category: number, score = 0.9): Detection => ({
  ...{ image, category, bbox: [0, 0, 10, 10] as const, score },
})
const images = [
  { id: 5, file: 'a.jpg' },
  { id: 6, file: 'b.jpg' },
]

describe('presence', () => {
  it('is of every picture and category of COCO, crowds aside', () => {
    const known = knownOfFile({ images })
    const truth = [gold(0, 1), gold(1, 2), gold(1, 3, true), gold(1, 3)]
    // By places. Pairs: 0 with 1, 2 and 3, 1 with 1 and 2; 1 with 3 has a crowd.
    const scores = (detections: readonly Detection[]) =>
      presenceScores(known, [1, 2, 3], truth, detections, 0.5)
    const right = scores([found(0, 1), found(1, 2), found(1, 3)])
    expect(right).toEqual({
      ...{ cgf1: expect.closeTo(1, 3), pmf1: expect.closeTo(1, 3), il_mcc: expect.closeTo(1, 6) },
      false_presence: 0,
    })
    const wrong = scores([found(0, 1), found(1, 2), found(0, 3), found(0, 2, 0.49), found(9, 1), found(0, 8)])
    expect(wrong.false_presence).toBeCloseTo(1 / 3, 9)
    // Two are said to be there rightly, one wrongly, two are rightly not.
    expect(wrong.il_mcc).toBeCloseTo((2 * 2) / Math.sqrt(3 * 2 * 3 * 2), 6)
    expect(wrong.pmf1).toBeCloseTo(1, 3)
  })

  it('is of what LVIS looked for, and of what is boxed exhaustively', () => {
    const lvis = {
      images: [
        { id: 5, negative: [2], notExhaustive: [] },
        { id: 6, negative: [1], notExhaustive: [2] },
      ],
      categories: [],
    }
    const known = knownOfFile({ images, lvis })
    const truth = [gold(5, 1), gold(6, 2)]
    const detections = [found(5, 1), found(5, 3), found(6, 2), found(6, 2), found(6, 3)]
    const scores = presenceScores(known, [1, 2, 3], truth, detections, 0.5)
    expect(scores).toMatchObject({
      il_mcc: expect.closeTo(1, 6),
      pmf1: expect.closeTo(1, 3),
      false_presence: 0,
    })
    const said = presenceScores(known, [1, 2, 3], truth, [...detections, found(6, 1)], 0.5)
    expect(said.false_presence).toBe(0.5)
  })

  it('is -1 where there are no pairs', () => {
    const scores = presenceScores(new Map(), [1], [], [found(1, 1)], 0.5)
    expect(scores).toEqual({ cgf1: -1, pmf1: -1, il_mcc: -1, false_presence: -1 })
    const shown = presenceScores(knownOfFile({ images: images.slice(0, 1) }), [1], [gold(0, 1)], [], 0.5)
    expect(shown.false_presence).toBe(-1)
  })
})

describe('what is known of the pictures of a dataset', () => {
  const keys = ['000000000', '000000001', '000000002']
  const kinds = ['categories', 'gold', 'categories'] as const
  const rows = keys.map(
    (key, at): ImageRow => ({
      ...{ key, image: { bytes: new Uint8Array(1), path: null }, width: 9, height: 9, url: null, sha256: '' },
      ...{ captions: [{ text: 'dog', kind: kinds[at] }], phash: '', license: null, meta: null },
    }),
  )
  const said = (negatives: readonly string[], exhaustive: boolean, partial: readonly string[]) => ({
    negatives: negatives.map((text) => ({ text, evidence: 'categories' as const, phrase: -1, score: null })),
    ...{ exhaustive, partial, teacher: null },
  })
  const negatives: NegativeRow[] = [
    { key: keys[0], ...said(['owl', 'red cat'], false, ['cat']) },
    { key: keys[1], ...said([], true, []) },
    { key: keys[2], ...said([], true, ['dog', 'elk']) },
  ]

  async function dataset(withNegatives: boolean) {
    const own = openStorage(join(await temporaryFolder(), 'ds'))
    const task = { storage: own, stage: 'gold', shard: '00000', configHash: 'c', inputs: {} }
    await putShard(own, 'images', null, '00000', rows)
    await runShardTask(task, 'phrases', async (write) => {
      const empty = keys.map((key) => ({ key, phrases: [] }))
      const phrases = await write('phrases', empty)
      const file = await write('negatives', negatives)
      const files = withNegatives ? { phrases, negatives: file } : { phrases }
      return { files, unit: 'rows', in: 1, out: 1, rejected: {}, stats: statsBuilder().build() }
    })
    return { storage: own, shards: ['00000'], stage: 'gold' }
  }

  it('is what the family of negatives says', async () => {
    const known = await knownCategories(await dataset(true), ['cat', 'dog', 'owl'])
    expect([...known]).toEqual([
      [0, { exhaustive: false, absent: [2], partial: [0] }],
      [1, { exhaustive: true, absent: [], partial: [] }],
      [2, { exhaustive: true, absent: [], partial: [1] }],
    ])
  })

  it('is by the captions where there is none: those of category names are exhaustive', async () => {
    const known = await knownCategories(await dataset(false), ['cat', 'dog', 'owl'])
    expect([...known.values()].map(({ exhaustive }) => exhaustive)).toEqual([true, false, true])
    expect([...known.values()].every(({ absent, partial }) => absent.length + partial.length === 0)).toBe(
      true,
    )
  })
})
