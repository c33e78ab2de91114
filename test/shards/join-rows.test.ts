import { mkdir, readdir, readlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import type { Caption, GroundingRow, ImageRow, Phrase, PhraseRow, SelectionRow } from '../../src/rows/rows.js'
import { joinRange, joinRows } from '../../src/shards/join-rows.js'
import { ShardRows } from '../../src/shards/shard-rows.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { adoptFile, oldPath, putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const shard = '00000'
const storage = openStorage(join(await temporaryFolder(), 'ds'))

const keysTo = (rows: number) => Array.from({ length: rows }, (_, row) => `k${row}`)

const imageOf = (key: string): ImageRow => ({
  ...{ key, image: { bytes: Buffer.from(`picture ${key}`), path: null }, width: 4, height: 3 },
  ...{ captions: [{ text: `caption ${key}`, kind: 'web' }], url: `http://a/${key}`, sha256: '', phash: '' },
  ...{ license: null, meta: null },
})
const phrasesOf = (key: string): PhraseRow => ({
  key,
  phrases: [{ caption: 0, text: key, start: 8, end: 8 + key.length, head: key }],
})
const regionsOf = (key: string): GroundingRow => ({
  key,
  regions: [
    { caption: 0, phrase: 0, start: 8, end: 9, xyxy: [0, 0, 1, 1], score: 0.5, origin: key, area: null },
  ],
})

const writeImages = (keys: readonly string[]) => putShard(storage, 'images', null, shard, keys.map(imageOf))
const writePhrases = (stage: string, keys: readonly string[]) =>
  putShard(storage, 'phrases', stage, shard, keys.map(phrasesOf))
const writeRegions = (stage: string, keys: readonly string[]) =>
  putShard(storage, 'grounding', stage, shard, keys.map(regionsOf))

const writeSelection = (keys: readonly string[]) => {
  const rows = keys.map((key) => ({ key, reason: `why ${key}`, duplicate_of: null }))
  return putShard(storage, 'selection', 'dedup', shard, rows)
}

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}

/** Files of the dataset that this process has open. */
async function openFiles(): Promise<number> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')),
  )
  return links.filter((path) => path.startsWith(storage.path(''))).length
}

afterEach(async () => {
  if (process.platform === 'linux') expect(await openFiles()).toBe(0)
})

describe('a join', () => {
  it('gives the rows of all families, across their row groups, narrowed to what was asked for', async () => {
    const keys = keysTo(1203)
    await writeImages(keys)
    await writePhrases('chunk', keys)
    await writeRegions('a', keys)
    await writeRegions('b', keys)
    const rows = await collect(
      joinRows(storage, shard, {
        before: { family: 'grounding', stage: 'a' },
        images: { columns: ['captions', 'width'] },
        phrases: { stage: 'chunk', columns: ['phrases'] },
        after: { family: 'grounding', stage: 'b', columns: ['regions'] },
      }),
    )
    expect(rows).toEqual(
      keys.map((key, row) => {
        const { captions, width } = imageOf(key)
        const phrases = phrasesOf(key).phrases.map((phrase) => ({
          ...phrase,
          ...{ expression_end: null, number: null, count: null, attributes: null, kept: null },
        }))
        return {
          ...{ key, row, images: { key, captions, width }, phrases: { key, phrases } },
          ...{
            before: { ...regionsOf(key), ignored: null, scale: null, disagreement: null },
            after: regionsOf(key),
          },
        }
      }),
    )
    expectTypeOf(rows).toEqualTypeOf<
      ({ readonly key: string; readonly row: number } & {
        readonly before: GroundingRow
        readonly images: Pick<ImageRow, 'key' | 'captions' | 'width'>
        readonly phrases: Pick<PhraseRow, 'key' | 'phrases'>
        readonly after: Pick<GroundingRow, 'key' | 'regions'>
      })[]
    >()
  })

  it('has the families that were asked for, and no others', async () => {
    await writeImages(keysTo(3))
    await writePhrases('chunk', keysTo(3))
    const open = (selection?: string, withPictures = false) =>
      joinRows(storage, shard, {
        images: { columns: withPictures ? ['captions', 'image'] : ['captions'] },
        phrases: { stage: 'chunk' },
        selection: selection === undefined ? undefined : { stage: selection, columns: ['reason'] },
      })
    const [first] = await collect(open())
    expect(Object.keys(first ?? {})).toEqual(['key', 'row', 'images', 'phrases'])
    expect(first?.images).toEqual({ key: 'k0', captions: imageOf('k0').captions })
    const [seen] = await collect(open(undefined, true))
    expect(seen && 'image' in seen.images && Buffer.from(seen.images.image.bytes).toString()).toBe(
      'picture k0',
    )
    type Row = NonNullable<typeof first>
    expectTypeOf<Row['phrases']>().toEqualTypeOf<PhraseRow>()
    expectTypeOf<Row['phrases']['phrases']>().toEqualTypeOf<readonly Phrase[]>()
    expectTypeOf<Row['images']['captions']>().toEqualTypeOf<readonly Caption[]>()
    expectTypeOf<Row['selection']>().toEqualTypeOf<Pick<SelectionRow, 'key' | 'reason'> | undefined>()
    expectTypeOf<Row>().not.toHaveProperty('grounding')
    expectTypeOf<Row['images']>().not.toHaveProperty('url')
  })

  it('takes no parts but those of families, stages and columns that there are', () => {
    // Nothing is read before the first row is asked for.
    const join = (make: () => unknown) => expect(make).not.toThrow()
    // @ts-expect-error rejects are not row for row
    join(() => joinRows(storage, shard, { rejects: { stage: 'web' } }))
    // @ts-expect-error a name that is no family must say one
    join(() => joinRows(storage, shard, { gold: { stage: 'web' } }))
    // @ts-expect-error of which stage
    join(() => joinRows(storage, shard, { phrases: {} }))
    // @ts-expect-error a column of another family
    join(() => joinRows(storage, shard, { images: { columns: ['regions'] } }))
  })
})

describe('families that are not of the same images', () => {
  const join = () =>
    joinRows(storage, shard, {
      images: { columns: ['width'] },
      phrases: { stage: 'chunk' },
      grounding: { stage: 'filter' },
    })

  /** How many rows come before the error, and what it says. */
  async function failureOf(rows: AsyncIterable<unknown>) {
    let before = 0
    try {
      for await (const _ of rows) before++
    } catch (error) {
      expect(error).toBeInstanceOf(UserError)
      return { before, message: (error as Error).message }
    }
    return undefined
  }
  const said = (source: string, stage: string, row: number) => ({
    before: row,
    message: `${storage.url}: shard 00000 of ${source} does not match its images from row ${row} on: run stage "${stage}" again.`,
  })

  it.each([
    ['another key', ['k0', 'k1', 'x', 'k3'], 2],
    ['one too few', ['k0', 'k1', 'k2'], 3],
    ['none', [], 0],
    ['one too many', ['k0', 'k1', 'k2', 'k3', 'k4'], 4],
    ['another order', ['k0', 'k2', 'k1', 'k3'], 1],
  ])('are told by family, stage and shard: %s', async (_, keys, row) => {
    await writeImages(keysTo(4))
    await writePhrases('chunk', keysTo(4))
    await writeRegions('filter', keys)
    expect(await failureOf(join())).toEqual(said('grounding "filter"', 'filter', row))
    await writePhrases('chunk', keys)
    await writeRegions('filter', keysTo(4))
    expect(await failureOf(join())).toEqual(said('phrases "chunk"', 'chunk', row))
  })

  it('are held against the images wherever these stand, and against the first without them', async () => {
    await writeImages(keysTo(2))
    await writePhrases('chunk', keysTo(3))
    await writeRegions('filter', keysTo(2))
    const last = { phrases: { stage: 'chunk' }, images: { columns: [] } } as const
    expect(await failureOf(joinRows(storage, shard, last))).toEqual(said('phrases "chunk"', 'chunk', 2))
    const without = { phrases: { stage: 'chunk' }, grounding: { stage: 'filter' } } as const
    const { message } = (await failureOf(joinRows(storage, shard, without))) ?? {}
    expect(message).toMatch(
      /of grounding "filter" does not match its phrases "chunk" from row 2 on: run stage "filter" again\./,
    )
  })

  it('join as lists of rows do, or are refused', async () => {
    const lists = fc.tuple(
      fc.integer({ min: 0, max: 30 }),
      fc.option(
        fc.tuple(fc.constantFrom('drop', 'add', 'swap'), fc.constantFrom('phrases', 'grounding'), fc.nat()),
      ),
    )
    await fc.assert(
      fc.asyncProperty(lists, async ([count, change]) => {
        const keys = keysTo(count)
        const own = { phrases: [...keys], grounding: [...keys] }
        if (change) {
          const [how, family, place] = change
          const at = place % (count + 1)
          if (how === 'drop') own[family as 'phrases'].splice(at, 1)
          else own[family as 'phrases'].splice(at, how === 'add' ? 0 : 1, 'other')
        }
        await writeImages(keys)
        await writePhrases('chunk', own.phrases)
        await writeRegions('filter', own.grounding)
        const first = keys
          .concat('')
          .findIndex((key, at) => [own.phrases, own.grounding].some((list) => (list[at] ?? '') !== key))
        const found: unknown[] = []
        const reading = (async () => {
          for await (const { key, row, images, phrases, grounding } of join())
            found.push([key, row, images.width, phrases.phrases[0]?.text, grounding.regions[0]?.origin])
        })()
        if (first === -1) await reading
        else await expect(reading).rejects.toThrow(`from row ${first} on`)
        const whole = first === -1 ? keys : keys.slice(0, first)
        expect(found).toEqual(whole.map((key, row) => [key, row, 4, key, key]))
      }),
      { numRuns: 40 },
    )
  })
})

describe('the files of a join', () => {
  const parts = { images: { columns: ['captions'] }, phrases: { stage: 'chunk' } } as const

  it.skipIf(process.platform !== 'linux')(
    'are open while it reads, and closed when its reader breaks off',
    async () => {
      await writeImages(keysTo(700))
      await writePhrases('chunk', keysTo(700))
      let rows = 0
      for await (const _ of joinRows(storage, shard, parts)) {
        if (rows++ === 0) expect(await openFiles()).toBe(2)
        if (rows === 600) break
      }
      expect(await openFiles()).toBe(0)
      const half = joinRows(storage, shard, parts)
      await half.next()
      await half.return()
      expect(await openFiles()).toBe(0)
    },
  )

  it('are closed when one is missing, when rows do not match, and on a signal', async () => {
    await writeImages(keysTo(3))
    await writePhrases('chunk', ['k0', 'x', 'k2'])
    const missing = joinRows(storage, shard, { ...parts, grounding: { stage: 'nowhere' } })
    await expect(collect(missing)).rejects.toThrow(UserError)
    await expect(collect(joinRows(storage, shard, parts))).rejects.toThrow('from row 1 on')
    const controller = new AbortController()
    const stopped = (async () => {
      for await (const _ of joinRows(storage, shard, parts, { signal: controller.signal }))
        controller.abort(new Error('stopped'))
    })()
    await expect(stopped).rejects.toThrow('from row 1 on')
    await writePhrases('chunk', keysTo(3))
    let rows = 0
    const last = (async () => {
      for await (const _ of joinRows(storage, shard, parts, { signal: controller.signal })) rows++
    })()
    await expect(last).rejects.toThrow('stopped')
    expect(rows).toBe(0)
  })
})

describe('a range of rows', () => {
  const parts = {
    images: { columns: ['url'] },
    selection: { stage: 'dedup', columns: ['reason'] },
    grounding: { stage: 'filter', columns: ['regions'] },
  } as const

  it('is what the whole join has there', async () => {
    await writeImages(keysTo(1100))
    await writeSelection(keysTo(1100))
    await writeRegions('filter', keysTo(1100))
    const all = await collect(joinRows(storage, shard, parts))
    const reader = new ShardRows(storage)
    for (const [start, end] of [
      [0, 3],
      [499, 502],
      [1000, 2000],
      [1100, 1200],
    ] as const)
      expect(await joinRange(reader, shard, parts, { start, end })).toEqual(all.slice(start, end))
    await reader.close()
  })

  it('is refused with the same words where families do not match', async () => {
    await writeImages(keysTo(10))
    await writeSelection(keysTo(10))
    const read = async (keys: readonly string[], start: number) => {
      await writeRegions('filter', keys)
      const reader = new ShardRows(storage)
      try {
        return await joinRange(reader, shard, parts, { start, end: start + 5 })
      } finally {
        await reader.close()
      }
    }
    const other = keysTo(10).with(7, 'x')
    expect(await read(other, 0)).toHaveLength(5)
    const words = (row: number) =>
      `shard 00000 of grounding "filter" does not match its images from row ${row} on: run stage "filter" again.`
    await expect(read(other, 5)).rejects.toThrow(words(7))
    await expect(read(keysTo(8), 5)).rejects.toThrow(words(8))
    await expect(read(keysTo(12), 10)).rejects.toThrow(words(10))
  })
})

it.each([
  ['no labels', 'phrase: p.phrase, xyxy: p.xyxy, score: p.score', { label: null, contrast: null }],
  ['no contrast', 'phrase: p.phrase, xyxy: p.xyxy, score: p.score, label: p.label', { contrast: null }],
])('proposals of older files, which had %s, come as rows of this version', async (_, fields, lacking) => {
  await writeImages(keysTo(2))
  const proposals = [
    { phrase: 0, xyxy: [0, 0, 1, 1] as const, score: 0.5, label: 'dog' },
    { phrase: 1, xyxy: [0, 0, 2, 2] as const, score: 0.25, label: null },
  ]
  const rows = keysTo(2).map((key) => ({ key, teacher: 'old', proposals }))
  const file = await putShard(storage, 'proposals', 'label', shard, rows)
  const old = storage.path(oldPath('proposals', 'old', shard))
  await mkdir(dirname(old), { recursive: true })
  const connection = await (await DuckDBInstance.create()).connect()
  await connection.run(
    `copy (select key, teacher,
        list_transform(proposals, lambda p: {${fields}}) as proposals
      from '${storage.path(file.path)}') to '${old}'`,
  )
  await adoptFile(storage, 'proposals', 'old', shard)
  const parts = { images: { columns: [] }, proposals: { stage: 'old' } } as const
  const found = await collect(joinRows(storage, shard, parts))
  expect(found.map((row) => row.proposals)).toEqual(
    rows.map((row) => ({ ...row, proposals: proposals.map((one) => ({ ...one, ...lacking })) })),
  )
  const reader = new ShardRows(storage)
  expect(await joinRange(reader, shard, parts, { start: 0, end: 2 })).toEqual(found)
  await reader.close()
  const teachers = { proposals: { stage: 'old', columns: ['teacher'] } } as const
  expect((await collect(joinRows(storage, shard, teachers))).map((row) => row.proposals)).toEqual([
    { key: 'k0', teacher: 'old' },
    { key: 'k1', teacher: 'old' },
  ])
})
