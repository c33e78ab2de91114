import { describe, expect, it } from 'vitest'
import { chunkShard } from '../../src/nlp/chunk-shard.js'
import { chunkConfig } from '../../src/nlp/config.js'
import type { Caption, ImageRow } from '../../src/rows/rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const storage = openStorage(await temporaryFolder())
const web = (text: string): Caption => ({ text, kind: 'web' })
const captions: readonly (readonly Caption[])[] = [
  [web('🦓 A red zebra by a photo of a red zebra'), web('a  Red zebra'), { text: 'a dog', kind: 'gold' }],
  [
    web('  \u200b '),
    web('for sale'),
    web('Zwei große Hunde spielen im Schnee mit einem Ball'),
    { text: 'person. stop sign. photo', kind: 'categories' },
  ],
  [],
  [web('a cat, a dog, a bird and one very big old brown horse')],
]
const images = captions.map(
  (list, index): ImageRow => ({
    key: `00000${index}`,
    image: { bytes: new Uint8Array([1]), path: null },
    width: 1,
    height: 1,
    captions: list,
    url: null,
    sha256: '',
    phash: '',
    license: null,
    meta: null,
  }),
)
await putShard(storage, 'images', null, '00000', images)

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}

const task = { storage, stage: 'phrases', shard: '00000', configHash: 'c', inputs: { images: 'i' } }

describe('the phrases of a shard', async () => {
  const progress: number[] = []
  const { record } = await chunkShard(
    { ...task, onProgress: (rows) => progress.push(rows) },
    chunkConfig.parse({ max_words: 5, max_phrases: 2 }),
  )
  const rows = await collect(readShard(storage, 'phrases', 'phrases', '00000'))
  const rejects = await collect(readShard(storage, 'rejects', 'phrases', '00000'))

  it('are one row an image in the same order, their spans exact in the stored captions', () => {
    expect(rows.map(({ key }) => key)).toEqual(images.map(({ key }) => key))
    expect(rows.map(({ phrases }) => phrases.map(({ caption, text }) => `${caption} ${text}`))).toEqual([
      ['0 A red zebra', '0 a red zebra', '1 a  Red zebra', '2 a dog'],
      ['3 person', '3 stop sign', '3 photo'],
      [],
      ['0 a cat', '0 a dog'],
    ])
    rows.forEach(({ phrases }, image) => {
      for (const { caption, text, start, end } of phrases) {
        expect([...captions[image][caption].text].slice(start, end).join('')).toBe(text)
      }
    })
  })

  it('say what they are of, and stand beside those that are left out', () => {
    expect(rows[3].phrases[0]).toEqual({
      caption: 0,
      text: 'a cat',
      start: 0,
      end: 5,
      head: 'cat',
      expression_end: 5,
      number: 'singular',
      count: 1,
      attributes: [],
      kept: 'animal',
    })
    expect(rows[0].phrases[0].attributes).toEqual([{ kind: 'colour', text: 'red' }])
    expect(
      rows.flatMap(({ left_out }) => (left_out ?? []).map(({ text, reason }) => `${text}: ${reason}`)),
    ).toEqual([
      'a photo: depiction',
      'sale: abstract_head',
      'a bird: too_many',
      'one very big old brown horse: too_long',
    ])
    rows.forEach(({ left_out }, image) => {
      for (const { caption, text, start, end } of left_out ?? []) {
        expect([...captions[image][caption].text].slice(start, end).join('')).toBe(text)
      }
    })
  })

  it('come with a reject for every caption that has none, and with sums that add up', () => {
    expect(rejects.map(({ key, reason, detail }) => [key, reason, detail])).toEqual([
      ['000001', 'empty_caption', 'caption 0: "  \u200b "'],
      ['000001', 'no_phrase', 'caption 1: "for sale"'],
      ['000001', 'not_english', 'caption 2: "Zwei große Hunde spielen im Schnee mit einem Ball"'],
    ])
    const { unit, in: given, out, rejected } = record
    expect({ unit, given, out, rejected }).toEqual({
      unit: 'captions',
      given: 8,
      out: 5,
      rejected: { empty_caption: 1, no_phrase: 1, not_english: 1 },
    })
    expect(progress).toEqual([1, 2, 3, 4])
  })

  it('are of captions alone where the configuration says so', async () => {
    const config = chunkConfig.parse({ categories: false })
    const { record: own } = await chunkShard({ ...task, stage: 'captions' }, config)
    const [, second] = await collect(readShard(storage, 'phrases', 'captions', '00000'))
    expect(second.phrases).toEqual([])
    // The one that is not read is none without phrases.
    expect(own.stats.histograms.phrases_a_caption.counts.reduce((a, b) => a + b)).toBe(7)
    expect(own).toMatchObject({ in: 7, rejected: { empty_caption: 1, no_phrase: 1, not_english: 1 } })
  })

  it('come with statistics', () => {
    const { counts, tallies, histograms } = record.stats
    expect(counts).toEqual({ phrases: 9 })
    // Seven differ within their pictures, six in all.
    expect(Object.keys(tallies.phrase_texts)).toHaveLength(6)
    expect(tallies.left_out).toEqual({ abstract_head: 1, depiction: 1, too_long: 1, too_many: 1 })
    expect(tallies.heads).toEqual({ zebra: 3, dog: 2, cat: 1, person: 1, photo: 1, sign: 1 })
    // Edges 1, 2, 3, 4, 5, 7, 10: captions with 0, 1, 2, 3 phrases.
    expect(histograms.phrases_a_caption.counts).toEqual([3, 2, 2, 1, 0, 0, 0, 0])
    // Edges 2, 3, 4, 5, 7: phrases of 1, 2, 3 words.
    expect(histograms.words_a_phrase.counts).toEqual([2, 4, 3, 0, 0, 0])
  })

  it('are not made again for the same configuration and inputs', async () => {
    expect((await chunkShard(task, chunkConfig.parse({}))).skipped).toBe(true)
  })
})

describe('the configuration of chunking', () => {
  it('has defaults and takes no unknown key', () => {
    expect(chunkConfig.parse({})).toEqual({
      mode: 'phrases',
      max_words: 10,
      max_phrases: 40,
      max_ngrams: 300,
    })
    expect(() => chunkConfig.parse({ max_word: 3 })).toThrow(/max_word/)
    expect(() => chunkConfig.parse({ max_words: 0 })).toThrow()
  })
})
