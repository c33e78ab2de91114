import { readFile, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type ColumnStatistics,
  type DatasetStatistics,
  datasetStatistics,
  type NumberStatistics,
} from '../../src/catalog/dataset-statistics.js'
import { datasetFunnel } from '../../src/catalog/funnel.js'
import { exactStatistics } from '../../src/query/exact-statistics.js'
import { recordPath } from '../../src/rows/family-path.js'
import type { ImageRow } from '../../src/rows/rows.js'
import { createDataset } from '../../src/shards/dataset.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { addImage, addPhrases, addRegions, rowStats } from '../../src/statistics/row-stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { countWords } from '../../src/words/count-words.js'
import { makeSmallDataset } from '../helpers/small-dataset.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const vocabulary = [['dog', 'puppy'], ['tree'], ['no such thing'], ['nothing']]
const options = { top: 1000, vocabulary }

const fromRecords = async (storage: Storage) => datasetStatistics('s', await datasetFunnel(storage), options)

/**
 * Numbers alike but for the last digits of sums; medians are told apart, since those of records are
 * estimates.
 */
function expectAlike(exact: DatasetStatistics, summed: DatasetStatistics) {
  const { medians: exactMedians, rest } = withoutMedians(exact)
  const { medians, rest: other } = withoutMedians(summed)
  expect(differences({ ...rest, exact: false }, other)).toEqual([])
  for (const [name, { median, low, high }] of Object.entries(medians)) {
    // Both lie in the bins that hold the middle.
    expect(exactMedians[name].median, name).toBeGreaterThanOrEqual(low ?? Number.NEGATIVE_INFINITY)
    expect(exactMedians[name].median, name).toBeLessThanOrEqual(high ?? Number.POSITIVE_INFINITY)
    expect(median, name).toBeGreaterThanOrEqual(low ?? Number.NEGATIVE_INFINITY)
    expect(median, name).toBeLessThanOrEqual(high ?? Number.POSITIVE_INFINITY)
  }
}

function withoutMedians({ stages, ...all }: DatasetStatistics) {
  const medians: Record<string, { median: number; low: number | null; high: number | null }> = {}
  const rest = stages.map(({ statistics, ...stage }) => ({
    ...stage,
    statistics: statistics
      // What ingest dropped is in no row.
      .filter(({ column_name }) => column_name !== 'dropped')
      .map((column: ColumnStatistics) => {
        if (column.column_type === 'string_label') return column
        const { median, quartiles: _q, estimated: _, ...numbers } = column.column_statistics
        const { hist, bin_edges } = numbers.histogram
        const binOf = (rank: number) => {
          let below = 0
          return hist.findIndex((own) => {
            below += own
            return below >= rank
          })
        }
        // Of an even number of values the two in the middle may lie in two bins.
        const [bin, next] = [binOf(numbers.count / 2), binOf(Math.floor(numbers.count / 2) + 1)]
        const name = `${stage.family}/${stage.stage} ${column.column_name}`
        if (median !== null) medians[name] = { median, low: bin_edges[bin], high: bin_edges[next + 1] }
        return { ...column, column_statistics: numbers }
      })
      .sort((a, b) => (a.column_name < b.column_name ? -1 : 1)),
  }))
  return { medians, rest: { ...all, stages: rest } }
}

/** Where two values differ by more than the rounding of sums. */
function differences(a: unknown, b: unknown, where = ''): string[] {
  if (typeof a === 'number' && typeof b === 'number')
    return Math.abs(a - b) <= 1e-4 + 1e-6 * Math.abs(a) ? [] : [`${where}: ${a} and ${b}`]
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return a === b ? [] : [`${where}: ${String(a)} and ${String(b)}`]
  const [own, other] = [new Map(Object.entries(a)), new Map(Object.entries(b))]
  return [...new Set([...own.keys(), ...other.keys()])].flatMap((name) =>
    differences(own.get(name), other.get(name), `${where}/${name}`),
  )
}

describe('exact statistics', () => {
  let made: Awaited<ReturnType<typeof makeSmallDataset>>
  beforeAll(async () => {
    made = await makeSmallDataset()
  })

  it('of rows that the stages made are those of the records, of every family', async () => {
    const exact = await exactStatistics(made.storage, options)
    expect(exact.exact).toBe(true)
    expect(exact.stages.map(({ family, stage }) => `${family}/${stage}`)).toEqual([
      'images/s',
      'phrases/chunk',
      'proposals/label-1',
      'proposals/label-2',
      'grounding/round-1',
      'grounding/round-2',
    ])
    for (const { counts, statistics, not_recorded } of exact.stages) {
      expect(not_recorded).toEqual([])
      expect(statistics.length).toBeGreaterThan(1)
      for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0)
    }
    expectAlike(exact, await fromRecords(made.storage))
    // Some phrases have no box, and some captions no phrase more than others: the bins of zero are not empty.
    const boxes = exact.stages[2].statistics.find(({ column_name }) => column_name === 'boxes_a_phrase')
    const zeros = (boxes?.column_statistics as NumberStatistics | undefined)?.histogram.hist[0]
    expect(zeros).toBeGreaterThan(0)
  })

  it('tell what older records lack, which are read all the same', async () => {
    const path = made.storage.path(recordPath('grounding', 'round-2', '00001'))
    const text = await readFile(path, 'utf8')
    const record = JSON.parse(text)
    const { score } = record.stats.histograms
    record.stats = {
      counts: record.stats.counts,
      histograms: { score: { edges: score.edges, counts: score.counts } },
      tallies: {},
    }
    await writeFile(path, JSON.stringify(record))
    try {
      const summed = await fromRecords(made.storage)
      const stage = summed.stages.find((one) => one.stage === 'round-2')
      const column = (name: string) => stage?.statistics.find(({ column_name }) => column_name === name)
      expect(column('score')).toMatchObject({
        partial: false,
        column_statistics: { min: null, mean: null, std: null, median: null },
      })
      expect(column('heads')).toMatchObject({ partial: true })
      expect(column('aspect')).toMatchObject({ partial: true })
      expect(stage?.not_recorded).toEqual([])
      const exact = await exactStatistics(made.storage, options)
      expect(exact.stages.at(-1)?.statistics.every(({ partial }) => !partial)).toBe(true)
    } finally {
      await writeFile(path, text)
    }
  })

  it('of odd words, hosts and boxes are those of the records as well', async () => {
    const odd = fc.oneof(
      fc.constantFrom(
        'a\u00a0b\u3000c',
        '\u2003',
        'O\u2019Neill\n x',
        'ÉCLAIR éclair',
        '__proto__',
        "it's",
        'İ',
        '\u{1f993} zebra',
      ),
      fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replaceAll('\0', '')),
    )
    const url = fc.oneof(
      fc.constantFrom(
        'https://Example.ORG:8080/a.jpg?x=http://other',
        'http://user:secret@host.example/a@b',
        'HTTP://[2001:DB8::1]:80/x',
        'images/1.jpg',
        '//no.scheme/x',
        'http:///path',
        's3://bucket/key',
        'http://a.example#@b.example',
      ),
      fc.webUrl(),
      odd,
    )
    const row = fc.record({
      captions: fc.array(odd, { maxLength: 3 }),
      url: fc.option(url),
      license: fc.option(odd),
      width: fc.integer({ min: 1, max: 3000 }),
      phrases: fc.array(
        fc.record({ text: odd.filter((text) => countWords(text) > 0), head: odd, at: fc.nat(2) }),
        { maxLength: 4 },
      ),
      boxes: fc.array(
        fc.tuple(
          fc.float({ min: 0, max: 90, noNaN: true }),
          fc.double({ min: Math.fround(0.01), max: 100, noNaN: true }),
          fc.double({ min: 0, max: 1, noNaN: true }),
        ),
        { maxLength: 3 },
      ),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 6 }), async (rows) => {
        const storage = openStorage(await temporaryFolder())
        await createDataset(storage, { name: 's', card: null, shards: ['00000'] })
        const task = { storage, stage: 's', shard: '00000', configHash: '', inputs: {} }
        await runShardTask(task, 'images', async (write) => {
          const stats = rowStats('images', 'phrases', 'grounding')
          const images = rows.map(
            ({ captions, url, license, width }, at): ImageRow => ({
              ...{ key: String(at), image: { bytes: new Uint8Array(at), path: null }, width, height: 77 },
              ...{ captions: captions.map((text) => ({ text, kind: 'web' })), url, license },
              ...{ sha256: '', phash: '', meta: null },
            }),
          )
          const phrases = rows.map(({ phrases, captions }, at) => ({
            key: String(at),
            phrases:
              captions.length === 0
                ? []
                : phrases.map(({ text, head, at: index }) => ({
                    caption: index % captions.length,
                    text,
                    start: 0,
                    end: 1,
                    head,
                  })),
          }))
          const grounding = rows.map(({ boxes }, at) => ({
            key: String(at),
            regions: boxes.map(([x, side, score]) => ({
              ...{ caption: 0, phrase: 0, start: 0, end: 1, score, origin: 'gold' },
              xyxy: [x, x, x + side, x + side / 3] as const,
            })),
          }))
          images.forEach((image, at) => {
            addImage(stats, image)
            addPhrases(stats, image.captions.length, phrases[at].phrases)
            addRegions(stats, image, grounding[at].regions)
          })
          return {
            files: {
              images: await write('images', images),
              phrases: await write('phrases', phrases),
              grounding: await write('grounding', grounding),
            },
            ...{ unit: 'pairs', in: rows.length, out: rows.length, rejected: {}, stats: stats.build() },
          }
        })
        const exact = await exactStatistics(storage, options)
        const both = ['heads', 'origins']
        // Heads of gold are told once, of its phrases.
        expect(
          both.every(
            (name) =>
              exact.stages[0].statistics.filter(({ column_name }) => column_name === name).length === 1,
          ),
        ).toBe(true)
        expectAlike(exact, await fromRecords(storage))
      }),
      { numRuns: 25 },
    )
  })

  it('stop where they are told to', async () => {
    const stop = new AbortController()
    const reason = new Error('stopped')
    const onStage = (_: string, done: number) => {
      if (done === 2) stop.abort(reason)
    }
    await expect(exactStatistics(made.storage, { ...options, signal: stop.signal, onStage })).rejects.toBe(
      reason,
    )
  })
})
