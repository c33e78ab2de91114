import { readFile, truncate, writeFile } from 'node:fs/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { describe, expect, it } from 'vitest'
import { readShard } from '../../src/shards/read-shard.js'
import type { Families, Family, GroundingRow, ImageRow, PhraseRow } from '../../src/shards/rows.js'
import { openStorage } from '../../src/shards/storage.js'
import { writeShard } from '../../src/shards/write-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const storage = openStorage(await temporaryFolder())

const text = fc.string({ unit: 'binary', maxLength: 12 }).map((value) => Buffer.from(value).toString())
const count = fc.integer({ min: 0, max: 2 ** 31 - 1 })
const float = fc.float({ noNaN: true, noDefaultInfinity: true })
const xyxy = fc.tuple(float, float, float, float)

const rowsOf: { [F in Family]: fc.Arbitrary<Families[F]> } = {
  images: fc.record({
    key: text,
    image: fc.record({ bytes: fc.uint8Array({ maxLength: 50 }), path: fc.option(text) }),
    width: count,
    height: count,
    captions: fc.array(fc.record({ text, kind: fc.constantFrom('web', 'gold', 'categories') }), {
      maxLength: 3,
    }),
    url: fc.option(text),
    sha256: text,
    phash: text,
    license: fc.option(text),
    meta: fc.option(text),
  }),
  phrases: fc.record({
    key: text,
    phrases: fc.array(fc.record({ caption: count, text, start: count, end: count, head: text }), {
      maxLength: 3,
    }),
  }),
  proposals: fc.record({
    key: text,
    proposals: fc.array(fc.record({ phrase: count, xyxy, score: float }), { maxLength: 3 }),
    teacher: text,
  }),
  grounding: fc.record({
    key: text,
    regions: fc.array(
      fc.record({
        caption: count,
        phrase: count,
        start: count,
        end: count,
        xyxy,
        score: float,
        origin: text,
      }),
      { maxLength: 3 },
    ),
  }),
  rejects: fc.record({ key: fc.option(text), url: fc.option(text), reason: text, detail: text }),
}

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}

/** Plain data: picture bytes as an array, so that views and copies compare alike. */
const plain = (rows: readonly unknown[]) =>
  JSON.parse(JSON.stringify(rows, (_key, value) => (value instanceof Uint8Array ? Array.from(value) : value)))

describe('a shard file', () => {
  for (const family of Object.keys(rowsOf) as Family[]) {
    it(`gives back the rows of ${family}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(rowsOf[family] as fc.Arbitrary<Families[Family]>, { maxLength: 6 }),
          async (rows) => {
            const file = await writeShard(storage, family, 'law', '00000', rows)
            expect(file.rows).toBe(rows.length)
            // -0 is told from 0 by neither JSON nor any use of a box.
            expect(plain(await collect(readShard(storage, family, 'law', '00000')))).toEqual(plain(rows))
          },
        ),
        { numRuns: 25 },
      )
    })
  }

  const images: ImageRow[] = Array.from({ length: 1203 }, (_, index) => ({
    key: `0000${index}`,
    image: { bytes: Uint8Array.from([255, 216, index % 256]), path: index % 2 ? 'a.jpg' : null },
    width: 640,
    height: 480,
    captions: [{ text: `Zwei Bäume 🌳 ${index}`, kind: 'web' }],
    url: `http://example.org/${index}`,
    sha256: 'ab',
    phash: 'cd',
    license: null,
    meta: null,
  }))
  const grounding: GroundingRow[] = [
    { key: 'a', regions: [] },
    {
      key: 'b',
      regions: [
        {
          caption: 0,
          phrase: 1,
          start: 2,
          end: 9,
          xyxy: [0.5, 1.25, 30.75, 40],
          score: 0.875,
          origin: 'gold',
        },
      ],
    },
  ]

  it('is cut into row groups, keeps its order, and gives only the columns asked for', async () => {
    await writeShard(storage, 'images', null, '00001', images)
    const buffer = await asyncBufferFromFile(storage.path('images/00001.parquet'))
    const metadata = await parquetMetadataAsync(buffer)
    expect(metadata.row_groups.map((group) => Number(group.num_rows))).toEqual([500, 500, 203])
    const rows = await collect(readShard(storage, 'images', null, '00001', { columns: ['key', 'width'] }))
    expect(rows).toEqual(images.map(({ key, width }) => ({ key, width })))
  })

  it('has the same bytes for the same rows', async () => {
    const first = await writeShard(storage, 'images', null, '00002', images)
    const second = await writeShard(storage, 'images', null, '00003', images)
    expect(second.sha256).toBe(first.sha256)
    expect(first.bytes).toBe((await readFile(storage.path(first.path))).length)
  })

  it('is read by hyparquet', async () => {
    await writeShard(storage, 'grounding', 's', '00001', grounding)
    const file = await asyncBufferFromFile(storage.path('grounding/s/00001.parquet'))
    expect(await parquetReadObjects({ file, compressors })).toEqual(grounding)
  })

  it('is read by DuckDB', async () => {
    await writeShard(storage, 'images', null, '00004', images)
    await writeShard(storage, 'grounding', 's', '00002', grounding)
    const connection = await (await DuckDBInstance.create()).connect()
    const boxes = await connection.runAndReadAll(
      `select key, r.xyxy[3] as x2, r.score as score from (select key, unnest(regions) as r from '${storage.path('grounding/s/00002.parquet')}')`,
    )
    expect(boxes.getRowObjectsJson()).toEqual([{ key: 'b', x2: 30.75, score: 0.875 }])
    const pictures = await connection.runAndReadAll(
      `select count(*) as n, sum(octet_length(image.bytes)) as bytes, captions[1].text as c from '${storage.path('images/00004.parquet')}' where key = '00007' group by c`,
    )
    expect(pictures.getRowObjectsJson()).toEqual([{ n: '1', bytes: '3', c: 'Zwei Bäume 🌳 7' }])
  })

  it('says to Hugging Face datasets what its columns are', async () => {
    await writeShard(storage, 'images', null, '00005', images.slice(0, 1))
    const metadata = await parquetMetadataAsync(
      await asyncBufferFromFile(storage.path('images/00005.parquet')),
    )
    const entry = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')
    const { features } = JSON.parse(entry?.value ?? '{}').info
    expect(features.image).toEqual({ _type: 'Image' })
    expect(features.captions).toEqual([
      { text: { dtype: 'string', _type: 'Value' }, kind: { dtype: 'string', _type: 'Value' } },
    ])
  })

  it('does not appear when its source fails, at the first row or later', async () => {
    for (const good of [0, 700]) {
      async function* failing(): AsyncGenerator<PhraseRow> {
        for (let index = 0; index < good; index++) yield { key: `${index}`, phrases: [] }
        throw new Error('the wire was cut')
      }
      await expect(writeShard(storage, 'phrases', 'p', '00009', failing())).rejects.toThrow(
        'the wire was cut',
      )
    }
    expect(await storage.list('phrases/p')).toEqual([])
  })

  it('is refused with its name when cut in half, not Parquet, or missing', async () => {
    const { bytes } = await writeShard(storage, 'images', null, '00006', images)
    await truncate(storage.path('images/00006.parquet'), bytes >> 1)
    await expect(collect(readShard(storage, 'images', null, '00006'))).rejects.toThrow(
      /00006\.parquet is damaged or cut/,
    )
    await writeFile(storage.path('images/00007.parquet'), 'hello')
    await expect(collect(readShard(storage, 'images', null, '00007'))).rejects.toThrow(
      /00007\.parquet is damaged or cut/,
    )
    await expect(collect(readShard(storage, 'images', null, '00008'))).rejects.toThrow(
      /Cannot read .*00008\.parquet/,
    )
  })
})
