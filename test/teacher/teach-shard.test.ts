import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { ImageRow, Phrase } from '../../src/rows/rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { teachConfig } from '../../src/teacher/config.js'
import { openTeacher } from '../../src/teacher/open-teacher.js'
import { teachShard } from '../../src/teacher/teach-shard.js'
import type { Teacher } from '../../src/teacher/teacher.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { pictures } from './pictures.js'

const folder = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
const storage = openStorage(await temporaryFolder())
const captions = ['a dog and two cats', 'the dog']
const shown = pictures.slice(0, 6)
const images = await Promise.all(
  shown.map(async ({ width, height, data }, index): Promise<ImageRow> => {
    const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer()
    return {
      key: `${index}`,
      image: { bytes, path: null },
      width,
      height,
      captions: captions.map((text) => ({ text, kind: 'web' as const })),
      url: null,
      sha256: '',
      phash: '',
      license: null,
      meta: null,
    }
  }),
)
const phrase = (caption: number, text: string): Phrase => {
  const start = captions[caption].indexOf(text)
  return { caption, text, start, end: start + text.length, head: text.split(' ')[1] }
}
/** The first two are asked in one caption; one picture has none. */
const tail = { expression_end: captions[0].length }
const phrases = [{ ...phrase(0, 'a dog'), ...tail }, phrase(0, 'two cats'), phrase(1, 'the dog')]
await putShard(storage, 'images', null, '00000', images)
await putShard(
  storage,
  'phrases',
  'chunk',
  '00000',
  images.map(({ key }, index) => ({ key, phrases: index === 2 ? [] : phrases })),
)

it('asks in tiles and in templates where the stage says so', async () => {
  const plain = await teach('owlvit', 'plain')
  const small = Math.min(...shown.map(({ width, height }) => Math.max(width, height)))
  const tiles = { tiles: { size: Math.max(32, small - 8), overlap: 0.1 } }
  const tiled = await teach('owlvit', 'tiled', {}, tiles)
  expect(tiled.rows.map(({ key }) => key)).toEqual(plain.rows.map(({ key }) => key))
  expect(tiled.rows).not.toEqual(plain.rows)
  for (const [index, { proposals }] of tiled.rows.entries())
    for (const { xyxy } of proposals) {
      expect(xyxy[2]).toBeLessThanOrEqual(shown[index].width)
      expect(xyxy[3]).toBeLessThanOrEqual(shown[index].height)
    }
  const inTemplates = await teach('owlvit', 'in-templates', {}, { templates: 'best' })
  expect(inTemplates.rows).not.toEqual(plain.rows)
  await expect(teach('detr', 'no-templates', {}, { templates: ['a {}'] })).rejects.toThrow(
    /^templates: detr does not read a phrase as a text of its own/,
  )
})

async function teach(name: string, stage: string, options = {}, more = {}) {
  const teacher = await openTeacher(folder(name), { threads: 1, ...options })
  const config = { ...teachConfig.parse({ floor: 0.3, nms: 0.9, ...more }), phrases: 'chunk' }
  const task = { storage, stage, shard: '00000', configHash: 'c', inputs: {} }
  const { record } = await teachShard(task, config, async () => teacher)
  await teacher.close()
  const rows = []
  for await (const row of readShard(storage, 'proposals', stage, '00000')) rows.push(row)
  return { record, rows }
}

describe('labelling a shard that was stopped', () => {
  /** Boxes all phrases; ends in an error from the n-th picture on. */
  function told(most: number, asked: string[] = []): Teacher {
    return {
      ...{ name: 'told', hash: 't', pictureSide: 100, batch: 2, parallel: 1 },
      maxTokens: Number.POSITIVE_INFINITY,
      tokensOf: (text) => text.length,
      detect: async (queries) => {
        if (asked.length >= most) throw new Error('killed')
        asked.push(...queries.map(({ text }) => text))
        return queries.map(({ picture, phrases }) =>
          phrases.map((_, phrase) => ({
            ...{ phrase, score: 1 / (phrase + 3) },
            xyxy: [0, 0, picture.width / 3, picture.height / 7] as const,
          })),
        )
      },
      close: async () => {},
    }
  }
  const label = (stage: string, teacher: Teacher, keepEvery?: number) =>
    teachShard(
      { storage, stage, shard: '00000', configHash: 'c', inputs: {}, keepEvery },
      { ...teachConfig.parse({}), phrases: 'chunk' },
      async () => teacher,
    )
  const partsOf = async (stage: string) =>
    (await storage.list(`proposals/${stage}`)).filter((name) => name.endsWith('.part'))

  it('goes on behind the groups that were kept, and gives the bytes of a run that nobody stopped', async () => {
    const asked: string[] = []
    const { record: calm } = await label('calm', told(99, asked))
    expect(asked).toHaveLength(10)
    for (const keepEvery of [0, 60_000]) {
      const stage = `stopped-${keepEvery}`
      await expect(label(stage, told(4), keepEvery)).rejects.toThrow('killed')
      // Each group, where there is a part for each; what was not yet kept when it ended, else.
      expect(await partsOf(stage)).toHaveLength(keepEvery === 0 ? 2 : 1)
      const rest: string[] = []
      const { record } = await label(stage, told(99, rest))
      expect(rest).toHaveLength(6)
      const { in: phrasesIn, out, rejected, stats, files } = record
      expect({ phrasesIn, out, rejected, stats }).toEqual({
        ...{ phrasesIn: calm.in, out: calm.out, rejected: calm.rejected, stats: calm.stats },
      })
      for (const family of ['proposals', 'rejects'] as const)
        expect(files[family]?.sha256).toBe(calm.files[family]?.sha256)
      expect(await partsOf(stage)).toEqual([])
    }
  })
})

describe('labelling a shard', () => {
  it.each(['grounding-dino', 'owlvit', 'owlv2'])(
    'with %s gives boxes inside each picture, row for row',
    async (name) => {
      const { rows, record } = await teach(name, name)
      expect(rows.map(({ key }) => key)).toEqual(images.map(({ key }) => key))
      expect(record.in).toBe(15)
      expect(rows[2].proposals).toEqual([])
      expect(rows.flatMap(({ proposals }) => proposals).length).toBeGreaterThan(20)
      rows.forEach(({ proposals, teacher }, index) => {
        expect(teacher).toBe(name)
        for (const { phrase, xyxy, score, label } of proposals) {
          expect(label).toBeNull()
          expect(phrase).toBeLessThan(3)
          expect(score).toBeGreaterThanOrEqual(0.3)
          expect(Math.min(...xyxy)).toBeGreaterThanOrEqual(0)
          expect(xyxy[2]).toBeLessThanOrEqual(shown[index].width)
          expect(xyxy[3]).toBeLessThanOrEqual(shown[index].height)
        }
      })
    },
  )

  it.each([
    ['phrase', ['a dog', 'two cats', 'the dog']],
    ['expression', ['a dog and two cats', 'two cats', 'the dog']],
    ['attributes', ['dog', 'two cats', 'dog']],
  ] as const)('asks for the words that stand for a phrase: %s', async (ask, expected) => {
    const asked: string[] = []
    const answer = { xyxy: [0, 0, 8, 8] as const, score: 0.9 }
    const teacher: Teacher = {
      ...{ name: 'fake', hash: '', pictureSide: 64, batch: 1, parallel: 1, maxTokens: 99 },
      tokensOf: () => 1,
      async detect(queries) {
        for (const { text, phrases } of queries) asked.push(...phrases.map((span) => text.slice(...span)))
        return queries.map(({ phrases }) => phrases.map((_, phrase) => ({ phrase, ...answer })))
      },
      async close() {},
    }
    const config = { ...teachConfig.parse({ ask }), phrases: 'chunk' }
    const task = { storage, stage: `ask-${ask}`, shard: '00000', configHash: ask, inputs: {} }
    await teachShard(task, config, async () => teacher)
    expect(asked.slice(0, 3)).toEqual(expected)
    for await (const { key, proposals } of readShard(storage, 'proposals', task.stage, '00000'))
      expect(proposals.map(({ phrase }) => phrase)).toEqual(key === '2' ? [] : [0, 1, 2])
  })

  it('gives the same file whatever runs at once', async () => {
    const one = await teach('detr', 'one')
    const three = await teach('detr', 'three', { sessions: 3 })
    expect(three.record.files.proposals?.sha256).toBe(one.record.files.proposals?.sha256)
  })

  it('with a detector of fixed labels gives every box, with its label, for every phrase', async () => {
    const { rows } = await teach('detr', 'detr')
    const [{ proposals }] = rows
    const of = (index: number) =>
      proposals.filter(({ phrase }) => phrase === index).map(({ phrase: _, ...box }) => box)
    expect(of(0).length).toBeGreaterThan(0)
    expect(of(1)).toEqual(of(0))
    expect(of(2)).toEqual(of(0))
    for (const { label } of of(0)) expect(['person', 'dog', 'traffic light', 'N/A']).toContain(label)
  })

  it('asks for negative prompts in every picture that it looks at, beside the phrases', async () => {
    const plain = await teach('owlvit', 'without-negatives')
    const negatives = ['a cat', 'red dog']
    const { rows, record } = await teach('owlvit', 'with-negatives', {}, { negatives })
    const against = rows.map(({ proposals }) => proposals.filter(({ phrase }) => phrase === -1))
    expect(against.flat().length).toBeGreaterThan(0)
    for (const { label } of against.flat()) expect(negatives).toContain(label)
    expect(against[2]).toEqual([])
    rows.forEach(({ key, proposals }, index) => {
      expect(
        proposals.filter(({ phrase }) => phrase >= 0),
        key,
      ).toEqual(plain.rows[index].proposals)
    })
    expect(record.in).toBe(plain.record.in)
    expect(record.stats.counts.negatives).toBe(against.flat().length)
  })
})
