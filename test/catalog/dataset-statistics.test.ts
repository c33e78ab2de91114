import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  datasetStatistics,
  type NumberStatistics,
  numberStatistics,
} from '../../src/catalog/dataset-statistics.js'
import type { FunnelStage } from '../../src/catalog/funnel.js'
import { readVocabulary } from '../../src/catalog/read-vocabulary.js'
import { hostOf, measures } from '../../src/statistics/measures.js'
import { addPhrases, rowStats } from '../../src/statistics/row-stats.js'
import { type ShardStats, statsBuilder, sumStats } from '../../src/statistics/stats.js'
import { recordWords } from '../../src/statistics/tally.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const stage = (family: FunnelStage['family'], stats: ShardStats, shards = 1): FunnelStage => ({
  ...{
    stage: family,
    family,
    unit: 'rows',
    in: 1,
    out: 1,
    rejected: {},
    joined: 0,
    relabelled: {},
    shards,
    bytes: 1,
    seconds: 1,
  },
  ...{ order: 0, createdAt: '', stats },
  recorded: Object.fromEntries(
    [...Object.keys(stats.histograms), ...Object.keys(stats.tallies)].map((name) => [name, shards]),
  ),
})

describe('statistics of a dataset', () => {
  it('have mean and deviation of the values, and a median from the bins', () => {
    const values = [1, 1, 2, 2, 2, 3, 9, 40]
    const builder = statsBuilder({ n: { edges: [2, 5, 10] } })
    for (const value of values) builder.observe('n', value)
    const own = numberStatistics(builder.build().histograms.n, { type: 'int', least: 0 })
    const mean = values.reduce((all, value) => all + value, 0) / values.length
    const squares = values.reduce((all, value) => all + (value - mean) ** 2, 0)
    expect(own).toEqual({
      ...{ count: 8, nan_count: 0, nan_proportion: 0, min: 1, max: 40, mean, median: 3 },
      std: expect.closeTo(Math.sqrt(squares / 7), 9),
      histogram: { hist: [2, 4, 1, 1], bin_edges: [0, 2, 5, 10, null] },
      quartiles: [expect.any(Number), expect.any(Number)],
      estimated: ['median', 'quartiles'],
    })
    const none = numberStatistics({ edges: [1], counts: [0, 0] }, measures.score)
    expect(none).toMatchObject({ count: 0, min: null, mean: null, median: null, std: null })
    expect(none.histogram.bin_edges).toEqual([0, 1, 1])
  })

  it('say what was not recorded, and what is of some shards alone', () => {
    const old: ShardStats = {
      counts: { phrases: 7 },
      histograms: { words_a_phrase: { edges: [2], counts: [3, 4] } },
      tallies: {},
    }
    const [own] = datasetStatistics('d', [stage('phrases', old)], { top: 5 }).stages
    expect(own.not_recorded).toEqual(['phrases_a_caption', 'heads', 'phrase_texts'])
    const [words] = own.statistics
    expect(words).toMatchObject({ column_name: 'words_a_phrase', partial: false })
    expect(words.column_statistics as NumberStatistics).toMatchObject({
      count: 7,
      min: null,
      mean: null,
      median: null,
    })
    const stats = rowStats('phrases')
    addPhrases(stats, 2, [{ caption: 1, text: 'a dog', head: 'dog' }])
    const both = {
      ...stage('phrases', sumStats([old, stats.build()]), 2),
      recorded: { words_a_phrase: 2, heads: 1 },
    }
    const mixed = datasetStatistics('d', [both], { top: 5 })
    expect(mixed.counts).toEqual({ images: null, captions: null, phrases: 8, regions: null })
    expect(mixed.stages[0].statistics.map(({ column_name, partial }) => [column_name, partial])).toEqual([
      ['words_a_phrase', false],
      ['phrases_a_caption', true],
      ['heads', true],
      ['phrase_texts', true],
    ])
  })

  it('tell of a long tail of heads what is sure and what is estimated, and how much of a vocabulary they name', () => {
    const shards = Array.from({ length: 6 }, (_, shard) => {
      const stats = rowStats('phrases')
      const heads = [
        ...Array.from({ length: recordWords + 500 }, (_, at) => `rare ${shard} ${at}`),
        'dog',
        'dog',
        'dog',
        'cat',
        'cat',
      ]
      for (const head of heads) addPhrases(stats, 1, [{ caption: 0, text: head, head }])
      return stats.build()
    })
    const vocabulary = [['dog', 'puppy'], ['cat'], ['owl'], ['teddy bear']]
    const heads = (parts: readonly ShardStats[]) => {
      const [own] = datasetStatistics('d', [stage('phrases', sumStats(parts), parts.length)], {
        top: 2,
        vocabulary,
      }).stages
      return own.statistics.find(({ column_name }) => column_name === 'heads')?.column_statistics
    }
    const total = 6 * (recordWords + 505)
    expect(heads(shards)).toMatchObject({
      ...{ count: total, frequencies: { dog: 18, cat: 12 }, frequencies_error: 6 },
      estimated: ['n_unique', 'n_once', 'frequencies', 'vocabulary'],
      vocabulary: { categories: 4, seen: 2, several_words: 1, occurrences: 30, share: 30 / total },
    })
    const { n_unique, n_once } = heads(shards) as { n_unique: number; n_once: number }
    expect(Math.abs(n_unique / (6 * (recordWords + 500)) - 1)).toBeLessThan(0.1)
    expect(Math.abs(n_once / (6 * (recordWords + 500)) - 1)).toBeLessThan(0.1)
    // A record is bounded whatever its shard has.
    expect(JSON.stringify(shards[0]).length).toBeLessThan(200_000)
  })
})

describe('a vocabulary', () => {
  it('is a name a line, or the JSON of COCO and LVIS with synonyms', async () => {
    const folder = await temporaryFolder()
    const file = async (text: string) => {
      const path = join(folder, 'vocabulary')
      await writeFile(path, text)
      return readVocabulary(path)
    }
    expect(await file('Dog\n\n  stop sign \r\n')).toEqual([['dog'], ['stop sign']])
    const categories = [
      { id: 1, name: 'bow_(weapon)', synonyms: ['bow_(weapon)', 'longbow'] },
      { name: 'teddy_bear' },
    ]
    expect(await file(JSON.stringify({ categories }))).toEqual([['bow', 'longbow'], ['teddy bear']])
    expect(await file('["a", "b"]')).toEqual([['a'], ['b']])
    // As Python writes it; an entry without a name costs itself alone.
    const odd = '\uFEFF{"info": NaN, "categories": [{"name": null}, 7, {"name": "dog", "synonyms": null}]}'
    expect(await file(odd)).toEqual([['dog']])
    for (const bad of ['\n', '{}', '{"categories": [1]}']) await expect(file(bad)).rejects.toThrow(/expected/)
    await expect(file('[broken')).rejects.toThrow(/is not JSON/)
    await expect(readVocabulary(join(folder, 'none'))).rejects.toThrow(/Cannot read the vocabulary/)
  })
})

describe('hosts', () => {
  it('are of addresses, lower case, without name, password and port', () => {
    const hosts = [
      'https://User:pass@Example.ORG:8080/a@b',
      'http://[::1]:80/',
      's3://bucket/key',
      'images/1.jpg',
      '//x/y',
    ].map(hostOf)
    expect(hosts).toEqual(['example.org', '[::1]', 'bucket', undefined, undefined])
  })
})
