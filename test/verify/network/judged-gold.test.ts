import { beforeAll, describe, expect, it } from 'vitest'
import type { Xyxy } from '../../../src/boxes/xyxy.js'
import type { Phrase, Proposal } from '../../../src/rows/rows.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { type JudgeSource, readJudgedGold } from '../../../src/verify/network/judge-pictures.js'
import { putShard } from '../../helpers/put-shard.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const phraseOf = (text: string, more: Partial<Phrase> = {}): Phrase => ({
  ...{ caption: 0, text, start: 0, end: text.length, head: text, number: 'singular', count: null, ...more },
})
const phrases = [phraseOf('dog'), phraseOf('two cats', { number: 'plural', count: 2 }), phraseOf('bird')]
const boxes: readonly Xyxy[] = [
  [0, 0, 10, 10],
  [20, 0, 30, 10],
  [40, 0, 50, 10],
  [60, 0, 70, 10],
]
const proposal = (phrase: number, at: number, score: number): Proposal => ({
  ...{ phrase, xyxy: boxes[at] as Xyxy, score, label: null, contrast: null },
})
const proposals = [
  ...[proposal(0, 1, 0.5), proposal(0, 0, 0.9)],
  ...[proposal(1, 1, 0.8), proposal(1, 2, 0.7), proposal(1, 3, 0.2)],
  ...[proposal(2, 0, 0.5), proposal(2, 3, 0.45)],
]

let source: JudgeSource
beforeAll(async () => {
  const storage = openStorage(await temporaryFolder())
  const shards = ['00000', '00001']
  for (const shard of shards) {
    const keys = Array.from({ length: 10 }, (_, at) => `${shard}000${at}`)
    await putShard(
      ...([storage, 'images', null, shard] as const),
      keys.map((key) => ({
        ...{ key, image: { bytes: new Uint8Array([1]), path: null }, width: 100, height: 50 },
        captions: [{ text: 'dog', kind: 'gold' as const }],
        ...{ url: null, sha256: '', phash: '', license: null, meta: null },
      })),
    )
    await putShard(
      ...([storage, 'phrases', 'gold', shard] as const),
      keys.map((key) => ({ key, phrases })),
    )
    const regionOf = (phrase: number, at: number) => ({
      ...{ caption: 0, phrase, start: 0, end: 3, xyxy: boxes[at] as Xyxy, score: 1, origin: 'gold' },
    })
    await putShard(
      ...([storage, 'grounding', 'gold', shard] as const),
      // The first picture has no box.
      keys.map((key, at) => ({
        key,
        regions: at === 0 ? [] : [regionOf(0, 0), regionOf(1, 1), regionOf(1, 2)],
      })),
    )
    await putShard(
      ...([storage, 'proposals', 'label', shard] as const),
      keys.map((key) => ({ key, teacher: 't', proposals })),
    )
  }
  source = { name: 'gold', storage, shards, phrases: 'gold', grounding: 'gold', proposals: 'label' }
})

const all = { pictures: 1000, hold_out: 0.25, seed: 1 }

describe('gold that a judge is trained on', () => {
  it('has its boxes by phrase, and what a teacher proposed, the best first', async () => {
    const pictures = await readJudgedGold(source, all)
    expect(pictures).toHaveLength(18)
    const [one] = pictures
    expect(one).toMatchObject({ width: 100, height: 50, absent: [] })
    expect(one?.phrases.map(({ phrase, truth }) => [phrase, truth])).toEqual([
      [0, [boxes[0]]],
      [1, [boxes[1], boxes[2]]],
    ])
    expect(one?.phrases[0]?.boxes.map(({ score }) => Number(score.toFixed(2)))).toEqual([0.9, 0.5])
  })

  it('is drawn by the keys, whatever the order, and so is what is kept back', async () => {
    const keysOf = async (changes: Partial<JudgeSource>, options: Partial<typeof all> = {}) =>
      (await readJudgedGold({ ...source, ...changes }, { ...all, ...options })).map(
        ({ key, isHeldOut }) => `${key} ${isHeldOut}`,
      )
    const few = await keysOf({}, { pictures: 5 })
    expect(few).toHaveLength(5)
    expect(await keysOf({ shards: ['00001', '00000'] }, { pictures: 5 })).toEqual(few)
    expect(new Set(few.map((key) => key.slice(0, 5))).size).toBe(2)
    expect(await keysOf({}, { pictures: 5, seed: 2 })).not.toEqual(few)
    const held = (await keysOf({})).filter((key) => key.endsWith('true')).length
    expect(held).toBeGreaterThan(0)
    expect(held).toBeLessThan(10)
  })
})
