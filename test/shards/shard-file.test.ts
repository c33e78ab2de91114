import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync } from 'hyparquet'
import { readParquet } from 'parquet-wasm'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import type { Families, Family, GroundingRow, ImageRow, PhraseRow, ProposalRow } from '../../src/rows/rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { adoptFile, oldPath, putShard } from '../helpers/put-shard.js'
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
    fingerprint: fc.option(text),
    license: fc.option(text),
    meta: fc.option(text),
  }),
  selection: fc.record({ key: text, reason: fc.option(text), duplicate_of: fc.option(text) }),
  phrases: fc.record({
    key: text,
    phrases: fc.array(
      fc.record({
        caption: count,
        text,
        start: count,
        end: count,
        head: text,
        expression_end: fc.option(count),
        number: fc.option(fc.constantFrom('singular', 'plural', 'mass')),
        count: fc.option(count),
        attributes: fc.array(fc.record({ kind: text, text }), { maxLength: 2 }),
        kept: fc.option(text),
      }),
      { maxLength: 3 },
    ),
    left_out: fc.array(
      fc.record({ caption: count, text, start: count, end: count, head: text, reason: text }),
      {
        maxLength: 2,
      },
    ),
  }),
  proposals: fc.record({
    key: text,
    proposals: fc.array(
      fc.record({ phrase: count, xyxy, score: float, label: fc.option(text), contrast: fc.option(float) }),
      { maxLength: 3 },
    ),
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
        area: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true })),
      }),
      { maxLength: 3 },
    ),
    ignored: fc.option(
      fc.array(
        fc.record({ text, xyxy, area: fc.double({ min: 0, max: 1e9, noNaN: true }), crowd: fc.boolean() }),
        {
          maxLength: 3,
        },
      ),
    ),
    scale: fc.option(fc.double({ min: 0.001, max: 1000, noNaN: true })),
    disagreement: fc.option(
      fc.array(fc.record({ phrase: fc.integer({ min: 0, max: 5 }), value: float }), { maxLength: 5 }),
    ),
  }),
  verdicts: fc.record({
    key: text,
    verdicts: fc.array(
      fc.record({
        phrase: fc.integer({ min: 0, max: 5 }),
        xyxy: fc.option(fc.tuple(float, float, float, float)),
        verdict: fc.constantFrom('accept', 'reject', 'redraw', 'add', 'complete', 'incomplete', 'unseen'),
        probability: float,
        redrawn: fc.option(fc.tuple(float, float, float, float)),
        ...{ start: fc.option(fc.nat(100)), end: fc.option(fc.nat(100)) },
        ...{ judge: text, person: fc.boolean(), reason: fc.option(text), at: fc.option(text) },
      }),
      { maxLength: 12 },
    ),
  }),
  negatives: fc.record({
    key: text,
    negatives: fc.array(
      fc.record({
        text,
        evidence: fc.constantFrom('gold', 'categories', 'caption', 'attribute', 'verified'),
        phrase: fc.integer({ min: -1, max: 5 }),
        score: fc.option(float),
      }),
      { maxLength: 12 },
    ),
    exhaustive: fc.boolean(),
    partial: fc.array(text, { maxLength: 3 }),
    teacher: fc.option(text),
  }),
  rejects: fc.record({ key: fc.option(text), url: fc.option(text), reason: text, detail: text }),
}

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}

async function footerOf(name: string): Promise<FileMetaData> {
  return parquetMetadataAsync(await asyncBufferFromFile(storage.path(name)))
}

/** Plain data: typed arrays as arrays, so that views and copies compare alike. */
const plain = (rows: readonly unknown[]) =>
  JSON.parse(
    JSON.stringify(rows, (_key, value) => (ArrayBuffer.isView(value) ? Array.from(value as never) : value)),
  )

describe('a shard file', () => {
  for (const family of Object.keys(rowsOf) as Family[]) {
    it(`gives back the rows of ${family}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(rowsOf[family] as fc.Arbitrary<Families[Family]>, { maxLength: 6 }),
          async (rows) => {
            const file = await putShard(storage, family, 'law', '00000', rows)
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
    { key: 'a', regions: [], ignored: null, scale: null, disagreement: null },
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
          area: 1234.567891011,
        },
      ],
      ignored: [{ text: 'dog', xyxy: [0, 1, 2, 3.5], area: 0.1, crowd: true }],
      scale: 0.3,
      disagreement: null,
    },
  ]

  it('is cut into row groups, keeps its order, and gives only the columns asked for', async () => {
    const { path } = await putShard(storage, 'images', null, '00001', images)
    const { row_groups } = await footerOf(path)
    expect(row_groups.map((group) => Number(group.num_rows))).toEqual([500, 500, 203])
    const rows = await collect(readShard(storage, 'images', null, '00001', { columns: ['key', 'width'] }))
    expect(rows).toEqual(images.map(({ key, width }) => ({ key, width })))
  })

  it('stores pictures as they are, in row groups of bounded bytes, however large they are', async () => {
    const large = Array.from({ length: 45 }, (_, index) => ({
      ...images[index],
      image: { bytes: Buffer.alloc(index === 20 ? 20e6 : 1e6, index), path: null },
    }))
    const { path } = await putShard(storage, 'images', null, '00010', large)
    const { row_groups } = await footerOf(path)
    expect(row_groups.length).toBeGreaterThan(2)
    for (const { columns, total_byte_size } of row_groups) {
      expect(Number(total_byte_size)).toBeLessThan(37e6)
      const bytes = columns.find(({ meta_data }) => meta_data?.path_in_schema.join('.') === 'image.bytes')
      expect(bytes?.meta_data).toMatchObject({ codec: 'UNCOMPRESSED', encodings: ['PLAIN', 'RLE'] })
      expect(bytes?.meta_data?.dictionary_page_offset).toBeUndefined()
      expect(bytes?.meta_data?.statistics).toBeUndefined()
      const url = columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === 'url')
      expect(url?.meta_data).toMatchObject({ codec: 'ZSTD' })
    }
    let index = 0
    for await (const { image } of readShard(storage, 'images', null, '00010')) {
      expect(Buffer.compare(image.bytes, large[index++].image.bytes)).toBe(0)
    }
    expect(index).toBe(large.length)
  })

  it('gives back columns that take several pages', async () => {
    const of = (row: number): ProposalRow => ({
      key: `${row}`,
      proposals: Array.from({ length: row % 400 }, (_, index) => {
        const x = Math.fround(row + index / 1000)
        const contrast = index % 3 ? x : null
        const label = index % 2 ? `${x}` : null
        return { phrase: index, xyxy: [x, x + 1, x + 2, x + 3], score: x, label, contrast }
      }),
      teacher: 't',
    })
    const rows = Array.from({ length: 500 }, (_, row) => of(row))
    const { path } = await putShard(storage, 'proposals', 'pages', '00000', rows)
    const { row_groups } = await footerOf(path)
    const scores = row_groups[0].columns.find(
      ({ meta_data }) => meta_data?.path_in_schema.at(-1) === 'score',
    )?.meta_data
    // Encoded by a dictionary until that is full, and plainly from there on.
    expect(scores?.encodings).toEqual(expect.arrayContaining(['PLAIN', 'RLE_DICTIONARY']))
    const read = await collect(readShard(storage, 'proposals', 'pages', '00000'))
    expect(read).toEqual(
      rows.map((row) => ({
        ...row,
        proposals: row.proposals.map((proposal) => ({ ...proposal, xyxy: proposal.xyxy.map(Math.fround) })),
      })),
    )
  })

  it('has the same bytes for the same rows, however they arrive', async () => {
    async function* late() {
      for (const [index, image] of images.entries()) {
        if (index % 97 === 0) await new Promise(setImmediate)
        yield image
      }
    }
    const first = await putShard(storage, 'images', null, '00002', images)
    const second = await putShard(storage, 'images', null, '00003', late())
    expect(second.sha256).toBe(first.sha256)
    const bytes = await readFile(storage.path(first.path))
    expect(first).toMatchObject({ rows: images.length, bytes: bytes.length })
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(first.sha256)
  })

  it('keeps a mark of byte order with which a text begins', async () => {
    const rows = ['\uFEFF', '\uFEFF\uFEFFa', 'a\uFEFF'].map((key) => ({ key, phrases: [], left_out: null }))
    await putShard(storage, 'phrases', 'marks', '00000', rows)
    expect(await collect(readShard(storage, 'phrases', 'marks', '00000'))).toEqual(rows)
  })

  it('is read by parquet-wasm, null and empty told apart', async () => {
    const { path } = await putShard(storage, 'grounding', 's', '00001', grounding)
    const bytes = await readFile(storage.path(path))
    const table = tableFromIPC(readParquet(bytes).intoIPCStream())
    expect(plain(table.toArray().map((row) => row.toJSON()))).toEqual(plain(grounding))
    const some = await putShard(storage, 'images', null, '00011', images.slice(0, 2))
    const pictures = readParquet(await readFile(storage.path(some.path)))
    const paths = tableFromIPC(pictures.intoIPCStream()).getChild('image')?.toArray()
    expect(paths.map((image: { path: string | null }) => image.path)).toEqual([null, 'a.jpg'])
  })

  it('of phrases reads as it was written before phrases said more', async () => {
    const older = openStorage(await temporaryFolder())
    await cp(fileURLToPath(new URL('fixtures/older', import.meta.url)), older.url, { recursive: true })
    await adoptFile(older, 'phrases', 'chunk', '00000')
    expect(await collect(readShard(older, 'phrases', 'chunk', '00000'))).toEqual([
      { key: 'a', phrases: [{ caption: 0, text: 'a red dog', start: 2, end: 11, head: 'dog' }] },
      { key: 'b', phrases: [] },
    ])
  })

  it('of phrases that say nothing more has nulls, and its old columns for older readers', async () => {
    const phrases = [{ caption: 0, text: 'a red dog', start: 2, end: 11, head: 'dog' }]
    const { path } = await putShard(storage, 'phrases', 'gold', '00000', [{ key: 'a', phrases }])
    const connection = await (await DuckDBInstance.create()).connect()
    const read = await connection.runAndReadAll(
      `select p.caption, p.text, p.start, p."end", p.head, p.count, p.attributes, left_out
        from (select unnest(phrases) as p, left_out from '${storage.path(path)}')`,
    )
    expect(read.getRowObjectsJson()).toEqual([
      { ...phrases[0], count: null, attributes: null, left_out: null },
    ])
  })

  it('that DuckDB has written anew reads the same, in both versions of its pages', async () => {
    const connection = await (await DuckDBInstance.create()).connect()
    const bare = fc.record({ caption: count, text, start: count, end: count, head: text })
    const written = fc.sample(
      fc.record({
        key: text,
        phrases: fc.array(
          fc.oneof(
            bare,
            rowsOf.phrases.map(({ phrases }) => phrases[0] ?? null),
          ),
          {
            maxLength: 4,
          },
        ),
      }),
      3000,
    )
    const rows = written.map(({ key, phrases }, index) => ({
      key,
      phrases: phrases.filter((phrase) => phrase !== null) as PhraseRow['phrases'],
      left_out: index % 3 === 0 ? null : [],
    }))
    const file = await putShard(storage, 'phrases', 'ours', '00000', rows)
    const ours = await collect(readShard(storage, 'phrases', 'ours', '00000'))
    const unsaid = { expression_end: null, number: null, count: null, attributes: null, kept: null }
    expect(ours).toEqual(
      rows.map((row) => ({ ...row, phrases: row.phrases.map((phrase) => ({ ...unsaid, ...phrase })) })),
    )
    for (const version of ['v1', 'v2']) {
      const path = storage.path(oldPath('phrases', version, '00000'))
      await mkdir(dirname(path), { recursive: true })
      await connection.run(
        `copy (from '${storage.path(file.path)}') to '${path}' (parquet_version '${version}')`,
      )
      await adoptFile(storage, 'phrases', version, '00000')
      expect(await collect(readShard(storage, 'phrases', version, '00000'))).toEqual(ours)
    }
  })

  it('of pictures without a struct reads as null', async () => {
    const connection = await (await DuckDBInstance.create()).connect()
    const path = storage.path('images/00030.parquet')
    await connection.run(
      `copy (select * from (values
        ('a', {bytes: 'x'::blob, path: null::varchar}), ('b', null), ('c', {bytes: null, path: 'c.jpg'})
      ) as t(key, image)) to '${path}' (format parquet)`,
    )
    await adoptFile(storage, 'images', null, '00030')
    expect(plain(await collect(readShard(storage, 'images', null, '00030')))).toEqual([
      { key: 'a', image: { bytes: [120], path: null } },
      { key: 'b', image: null },
      { key: 'c', image: { bytes: null, path: 'c.jpg' } },
    ])
  })

  it('without rows is whole, with all its columns', async () => {
    const connection = await (await DuckDBInstance.create()).connect()
    for (const family of Object.keys(rowsOf) as Family[]) {
      const file = await putShard(storage, family, 'none', '00000', [])
      expect(file.rows).toBe(0)
      expect(await collect(readShard(storage, family, 'none', '00000'))).toEqual([])
      const described = await connection.runAndReadAll(`describe from '${storage.path(file.path)}'`)
      const [row] = fc.sample(rowsOf[family] as fc.Arbitrary<Families[Family]>, 1)
      const columns = described.getRowObjectsJson().map(({ column_name }) => column_name)
      expect(columns.sort()).toEqual(Object.keys(row).sort())
    }
  })

  it('keeps boxes to the last bit of float32, as DuckDB reads them', async () => {
    const boxes = fc.sample(xyxy, 200)
    const rows = boxes.map((box, index) => ({
      key: `${index}`,
      proposals: [{ phrase: 0, xyxy: box, score: box[0], label: null }],
      teacher: 't',
    }))
    const { path } = await putShard(storage, 'proposals', 's', '00001', rows)
    const connection = await (await DuckDBInstance.create()).connect()
    const read = await connection.runAndReadAll(
      `select proposals[1].xyxy as box from '${storage.path(path)}' order by key::int`,
    )
    // Through JSON, which has one zero.
    expect(read.getRowObjectsJson().map(({ box }) => plain(box as never))).toEqual(plain(boxes))
  })

  it('is not written from rows that are not of its family', async () => {
    const [image] = images
    for (const [row, message] of [
      [{ ...image, width: undefined }, /column width, value 0: expected an int32, got undefined/],
      [{ ...image, width: 2 ** 31 }, /column width.*2147483648/],
      [{ ...image, height: 1.5 }, /column height.*1.5/],
      [{ ...image, sha256: null }, /column sha256, value 0: expected a string, got null/],
      [{ ...image, image: { bytes: 'x', path: null } }, /column image.bytes, value 0: expected bytes/],
      [{ ...image, captions: [{ text: 'x' }] }, /column captions.kind, value 0: expected a string/],
      [{ ...image, captions: null }, /column captions, value 0: expected a list/],
    ] as const) {
      await expect(putShard(storage, 'images', null, '00012', [row as never])).rejects.toThrow(message)
    }
    for (const [part, message] of [
      [{ xyxy: [1, 2, 3] }, /proposals.xyxy, value 0: expected 4 values/],
      [{ xyxy: [1, 2, 3, Number.NaN] }, /proposals.xyxy, value 3: expected a finite number, got NaN/],
      [{ score: Number.POSITIVE_INFINITY }, /proposals.score.*Infinity/],
    ] as const) {
      const proposal = { phrase: 0, xyxy: [1, 2, 3, 4], score: 1, ...part }
      const row = { key: 'a', proposals: [proposal], teacher: 't' }
      await expect(putShard(storage, 'proposals', 's', '00012', [row as never])).rejects.toThrow(message)
    }
    for (const start of ['images/00012', 'proposals/s/00012'])
      expect(await storage.listBeginning(start)).toEqual([])
  })

  it('is read by DuckDB', async () => {
    const pictureFile = await putShard(storage, 'images', null, '00004', images)
    const boxFile = await putShard(storage, 'grounding', 's', '00002', grounding)
    const connection = await (await DuckDBInstance.create()).connect()
    const boxes = await connection.runAndReadAll(
      `select key, r.xyxy[3] as x2, r.score as score from (select key, unnest(regions) as r from '${storage.path(boxFile.path)}')`,
    )
    expect(boxes.getRowObjectsJson()).toEqual([{ key: 'b', x2: 30.75, score: 0.875 }])
    const pictures = await connection.runAndReadAll(
      `select count(*) as n, sum(octet_length(image.bytes)) as bytes, captions[1].text as c from '${storage.path(pictureFile.path)}' where key = '00007' group by c`,
    )
    expect(pictures.getRowObjectsJson()).toEqual([{ n: '1', bytes: '3', c: 'Zwei Bäume 🌳 7' }])
  })

  it('says to Hugging Face datasets what its columns are', async () => {
    const { path } = await putShard(storage, 'images', null, '00005', images.slice(0, 1))
    const metadata = await footerOf(path)
    const entry = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')
    const { features } = JSON.parse(entry?.value ?? '{}').info
    expect(features.image).toEqual({ _type: 'Image' })
    expect(features.captions).toEqual([
      { text: { dtype: 'string', _type: 'Value' }, kind: { dtype: 'string', _type: 'Value' } },
    ])
    // Where a field may not be null, datasets 4 and later take no notice of its feature.
    const [, ...fields] = metadata.schema
    expect(fields.filter(({ repetition_type }) => repetition_type === 'REQUIRED')).toEqual([])
  })

  it('does not appear when its source fails, at the first row or later', async () => {
    let closed = 0
    for (const good of [0, 700]) {
      async function* failing(): AsyncGenerator<PhraseRow> {
        try {
          for (let index = 0; index < good; index++) yield { key: `${index}`, phrases: [] }
          throw new Error('the wire was cut')
        } finally {
          closed++
        }
      }
      await expect(putShard(storage, 'phrases', 'p', '00009', failing())).rejects.toThrow('the wire was cut')
    }
    expect(closed).toBe(2)
    expect(await readdir(storage.path('phrases/p'))).toEqual([])
  })

  it('does not appear when fewer rows or bytes reach the disk than it has', async () => {
    const rows = ['a', 'b'].map((key) => ({ key, phrases: [] }))
    const { path } = await putShard(storage, 'phrases', 's', '00020', rows.slice(1))
    const short = await readFile(storage.path(path))
    for (const [bytes, message] of [
      [short, '1 of 2 rows were written'],
      [short.subarray(0, -4), 'damaged or cut short'],
    ] as const) {
      const lossy: Storage = {
        ...storage,
        async writeAside(name, chunks) {
          for await (const _chunk of chunks);
          return storage.writeAside(name, ReadableStream.from([bytes]))
        },
      }
      await expect(putShard(lossy, 'phrases', 's', '00021', rows)).rejects.toThrow(message)
    }
    expect(await storage.listBeginning('phrases/s/00021')).toEqual([])
  })

  it('lets go of its source when a row is refused or the disk is full', async () => {
    let closed = 0
    function* endless(bad: number): Generator<PhraseRow> {
      try {
        for (let index = 0; ; index++)
          yield { key: index === bad ? (null as never) : `${index}`, phrases: [] }
      } finally {
        closed++
      }
    }
    await expect(putShard(storage, 'phrases', 'p', '00010', endless(700))).rejects.toThrow(/column key/)
    const full: Storage = {
      ...storage,
      async writeAside(_name, chunks) {
        for await (const _chunk of chunks) throw new Error('the disk is full')
        throw new Error('nothing came')
      },
    }
    await expect(putShard(full, 'phrases', 'p', '00010', endless(-1))).rejects.toThrow('the disk is full')
    expect(closed).toBe(2)
  })

  it('is refused with its name when cut in half, not Parquet, or missing', async () => {
    const { path, bytes } = await putShard(storage, 'images', null, '00006', images)
    await truncate(storage.path(path), bytes >> 1)
    await expect(collect(readShard(storage, 'images', null, '00006'))).rejects.toThrow(
      /00006-[0-9a-f]{16}\.parquet is damaged or cut/,
    )
    await writeFile(storage.path('images/00007.parquet'), 'hello')
    await adoptFile(storage, 'images', null, '00007')
    await expect(collect(readShard(storage, 'images', null, '00007'))).rejects.toThrow(
      /00007\.parquet is damaged or cut/,
    )
    await expect(collect(readShard(storage, 'images', null, '00008'))).rejects.toThrow(
      /shard 00008 of images is not there: run its stage first/,
    )
    await putShard(storage, 'phrases', 's', '00006', [{ key: 'a', phrases: [] }])
    await expect(
      collect(readShard(storage, 'phrases', 's', '00006', { columns: ['regions' as never] })),
    ).rejects.toThrow(/00006-[0-9a-f]{16}\.parquet has no column "regions": it is not a shard of phrases/)
  })

  it('is read or refused with its name, whatever bit of it is wrong', async () => {
    const proposals = (row: number) =>
      Array.from({ length: row % 7 }, (_, phrase) => ({
        phrase,
        xyxy: [row, phrase, row + 1, phrase + 1] as const,
        score: phrase / 7,
        label: phrase % 2 ? 'dog' : null,
      }))
    const rows = Array.from({ length: 700 }, (_, row) => ({
      key: `${row}`,
      proposals: proposals(row),
      teacher: 't',
    }))
    const { path: name, bytes } = await putShard(storage, 'proposals', 's', '00008', rows)
    const whole = await readFile(storage.path(name))
    let refused = 0
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes - 1), fc.nat(7), async (at, bit) => {
        const lost = Buffer.from(whole)
        lost[at] ^= 1 << bit
        await writeFile(storage.path(name), lost)
        const outcome = await collect(readShard(storage, 'proposals', 's', '00008')).catch((error) => error)
        if (Array.isArray(outcome)) return
        refused++
        expect(outcome).toBeInstanceOf(UserError)
        expect(outcome.message).toMatch(/00008-[0-9a-f]{16}\.parquet (is damaged or cut short|has no column)/)
      }),
      { numRuns: 200 },
    )
    expect(refused).toBeGreaterThan(20)
  })

  it('is refused with its name where the inside of a page is lost', async () => {
    const rows = images.map(({ key }, index) => ({
      key,
      phrases: [{ caption: 0, text: `tree ${index * 7919}`, start: 0, end: 6 + index, head: 'tree' }],
    }))
    const { path: name, bytes } = await putShard(storage, 'phrases', 's', '00007', rows)
    const whole = await readFile(storage.path(name))
    for (const at of [0.1, 0.3, 0.5]) {
      const lost = Buffer.from(whole)
      lost.fill(0, Math.floor(bytes * at), Math.floor(bytes * (at + 0.1)))
      await writeFile(storage.path(name), lost)
      await expect(collect(readShard(storage, 'phrases', 's', '00007'))).rejects.toThrow(
        /00007-[0-9a-f]{16}\.parquet is damaged or cut short/,
      )
    }
  })
})
