import { spawnSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { SourceRow } from '../../src/ingest/read/source-row.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { putShard } from '../helpers/put-shard.js'
import { plainRows, rowsByShards, rowsOf } from '../helpers/rows-of.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0
async function file(ending: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, `list-${count++}${ending}`)
  await writeFile(path, content)
  return path
}
const short = ({ url, captions, problem }: SourceRow) => problem?.reason ?? [url, captions[0].text]

describe('a CSV', () => {
  it('has quoted cells over several lines, and loses only the line of a mark that is not closed', async () => {
    const text = [
      'url,caption,by',
      'u1,"a ""red"", wide\r\nwall",x',
      'u2,plain,y',
      'u3,"never closed',
      'u4,after,z',
      'u5,a 5" pipe and a 6" pipe,z',
      'u6,"x"y,z',
      ',no url,z',
      'u7',
    ].join('\r\n')
    const rows = await rowsOf({ format: 'csv', path: await file('.csv', text) })
    expect(rows.map(short)).toEqual([
      ['u1', 'a "red", wide\nwall'],
      ['u2', 'plain'],
      'malformed_row',
      ['u4', 'after'],
      ['u5', 'a 5" pipe and a 6" pipe'],
      'malformed_row',
      'malformed_row',
      'malformed_row',
    ])
    expect(rows.map(({ mark }) => mark.line)).toEqual([2, 4, 5, 6, 7, 8, 9, 10])
    expect(rows[2].problem?.detail).toContain('a quotation mark is not closed')
  })

  it('gives back any cells, from any row on', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', 'é', '🦓', ' '), maxLength: 8 })
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 12 }), async (pairs) => {
        const lines = pairs.map(([url, caption]) => `${quoted(`u${url}`)},${quoted(`c${caption}`)}`)
        const path = await file('.csv', `url,caption\n${lines.join('\n')}\n`)
        const source = { format: 'csv', join: 'no', path }
        const rows = await rowsOf(source)
        expect(rows.map(short)).toEqual(pairs.map(([url, caption]) => [`u${url}`, `c${caption}`]))
        const { mark } = rows[rows.length >> 1]
        expect(await rowsOf(source, mark)).toEqual(rows.slice(rows.length >> 1))
      }),
      { numRuns: 40 },
    )
  })
})

describe('a table', () => {
  it.each([
    ['csv', 'url,caption,by\r\r\nu1,"a dog",x\r\r\nu2,plain,\r\r\n', {}],
    ['tsv', 'url\tcaption\r\r\nu1\ta dog\r\r\nu2\tplain\r\r\n', {}],
    ['tsv', 'url\tcaption\r\r\nu1\t"a dog"\r\r\nu2\tplain\r\r\n', { quoted: true }],
  ])('may have the line ends of Python on Windows (%s)', async (format, text, given) => {
    const rows = await rowsOf({ format, path: await file(`.${format}`, text), ...given })
    expect(rows.map(short)).toEqual([
      ['u1', 'a dog'],
      ['u2', 'plain'],
    ])
  })

  it('of commas loses the row whose caption is cut by one, with a header or without', async () => {
    const rows = ['u1,a dog', 'u2,a dog, a cat', 'u3,a cow,']
    const wanted = [['u1', 'a dog'], 'malformed_row', ['u3', 'a cow']]
    const named = await rowsOf({ format: 'csv', path: await file('.csv', `url,caption\n${rows.join('\n')}`) })
    expect(named.map(short)).toEqual(wanted)
    const source = { format: 'csv', header: false, columns: { url: 0, caption: 1 }, shard_size: 1 }
    const path = await file('.csv', rows.join('\n'))
    expect((await rowsByShards({ ...source, path })).map(short)).toEqual(wanted)
  })

  it.each([
    [
      'csv',
      'url;caption\nu;c',
      /it has: url;caption\. Its cells seem to be parted by ";": save it with commas/,
    ],
    ['csv', 'url\tcaption\nu\tc', /"url\\tcaption"\. .* parted by "\\t": say `format: tsv`/],
    ['tsv', 'url,caption\nu,c', /parted by ",": say `format: csv`/],
    ['tsv', '"url"\t"caption"\n"u"\t"c"', /in quotation marks: say `quoted: true`/],
    ['tsv', ' url\tcaption\nu\tc', /it has: " url", caption/],
    ['csv', 'url,caption,caption\nu,c,d', /has 2 columns "caption": name one by its number \(1, 2\)/],
    ['csv', 'PK\x03\x04\x14\0\x06', /is a ZIP, perhaps a workbook of Excel/],
    ['jsonl', '[{"url":"u","caption":"c"}]', undefined],
    ['json', '{"url":"u","caption":"c"}\n{"url":"u","caption":"c"}', /is it JSON Lines/],
  ])('that is none (%s: %j) says what to do', async (format, text, message) => {
    const rows = rowsOf({ format, path: await file(`.${format}`, text) })
    if (message) await expect(rows).rejects.toThrow(message)
    else expect((await rows)[0].problem?.detail).toContain('`format: json`')
  })
})

describe('a TSV', () => {
  const text = [
    'language\turl\tcaption',
    'en\tu1\t"A ""red"" square on grey"',
    'en\tu2\t"A green square,',
    '\tseen from above"',
    'en\tu3\tplain 5" square',
    'en\t"u4\tnever closed',
    'en\tu5\tafter',
  ].join('\r\n')

  it('whose cells are quoted is read so where that is said, from any row on', async () => {
    const source = { format: 'tsv', quoted: true, path: await file('.tsv', `\uFEFF${text}`), shard_size: 2 }
    const rows = await rowsOf(source)
    expect(rows.map(short)).toEqual([
      ['u1', 'A "red" square on grey'],
      ['u2', 'A green square,\n\tseen from above'],
      ['u3', 'plain 5" square'],
      'malformed_row',
      ['u5', 'after'],
    ])
    expect(rows.map(({ mark }) => mark.line)).toEqual([2, 3, 5, 6, 7])
    expect(await rowsByShards(source)).toEqual(rows)
    for (const [index, { mark }] of rows.entries())
      expect(await rowsOf(source, mark)).toEqual(rows.slice(index))
  })

  it('is taken as it is written where nothing is said, with a word where a cell seems to be cut', async () => {
    const rows = await rowsOf({ format: 'tsv', path: await file('.tsv', text) })
    expect(rows.slice(0, 2).map(short)).toEqual([
      ['u1', '"A ""red"" square on grey"'],
      ['u2', '"A green square,'],
    ])
    expect(rows[2].problem?.detail).toMatch(/2 columns, 3 needed \(a line of a quoted cell\? .*quoted: true/)
  })

  it('never lets a mark that is not closed take more than a MiB with it', async () => {
    const line = `u\t${'x'.repeat(1000)}\n`
    const path = await file('.tsv', `url\tcaption\nu\t"open\n${line.repeat(3000)}u\tclosed"\n`)
    const rows = await rowsOf({ format: 'tsv', quoted: true, join: 'no', path })
    expect(rows).toHaveLength(3002)
    expect(rows.filter(({ problem }) => problem).map(({ mark }) => mark.line)).toEqual([2])
  })

  it.each([
    ['\n', '\n'],
    ['\r\n', '\r\n'],
    ['\r', '\r'],
    ['\n', ''],
  ])('may have lines that end in %j, the last in %j', async (end, last) => {
    const source = {
      format: 'tsv',
      path: await file('.tsv', ['url\tcaption', 'u1\tone', 'u2\ttwo'].join(end) + last),
      shard_size: 1,
    }
    const rows = await rowsOf(source)
    expect(rows.map(short)).toEqual([
      ['u1', 'one'],
      ['u2', 'two'],
    ])
    expect(await rowsByShards(source)).toEqual(rows)
  })

  it.each(['\uFEFF', ''])(
    'of UTF-16 is read, from any row, with a mark before it or without',
    async (mark) => {
      const text = `${mark}url\tcaption\r\nu1\téins\r\nu2\ttwo\r\n`
      const source = {
        format: 'tsv',
        path: await file('.tsv', Buffer.from(text, 'utf16le')),
        shard_size: 1,
      }
      const rows = await rowsOf(source)
      expect(rows.map(short)).toEqual([
        ['u1', 'éins'],
        ['u2', 'two'],
      ])
      expect(await rowsByShards(source)).toEqual(rows)
    },
  )
})

describe('a JSON', () => {
  it('of objects keeps the columns asked for, and goes on from any row', async () => {
    const values = Array.from({ length: 9 }, (_, index) => ({
      link: `u${index}`,
      words: [`c"${index}]}`, ' ', 'é\u2028🦓'],
      sizes: { wide: [index, { deep: ']' }] },
      by: index % 2 === 0 ? 'me' : '',
    }))
    const path = await file('.json', `\uFEFF${JSON.stringify([...values, 5], null, 1)}`)
    const columns = { url: 'link', caption: 'words', license: 'by', meta: ['sizes'] }
    const rows = await rowsOf({ format: 'json', path, columns })
    expect(rows).toHaveLength(10)
    expect(rows[9].problem?.reason).toBe('malformed_row')
    expect(rows[3]).toMatchObject({ url: 'u3', license: null, meta: { sizes: values[3].sizes } })
    expect(rows[4].license).toBe('me')
    expect(rows[3].captions.map(({ text }) => text)).toEqual(['c"3]}', 'é\u2028🦓'])
    expect(await rowsOf({ format: 'json', path, columns }, rows[4].mark)).toEqual(rows.slice(4))
    await expect(rowsOf({ format: 'json', path })).rejects.toThrow(
      /row 0 has no key "url"; it has: link, words, sizes, by/,
    )
  })

  it('of columns is the list of SBU', async () => {
    const text = '{"user_ids": [1, 2, 3], "image_urls": ["u1", "u2", "u3"], "captions": ["one", "", "three"]}'
    const columns = { url: 'image_urls', caption: 'captions' }
    const source = { format: 'json', path: await file('.json.gz', gzipSync(text)), columns, shard_size: 1 }
    const rows = await rowsOf(source)
    expect(rows.map(short)).toEqual([['u1', 'one'], 'empty_caption', ['u3', 'three']])
    expect(await rowsByShards(source)).toEqual(rows)
    await expect(rowsOf({ ...source, columns: { url: 'urls', caption: 'captions' } })).rejects.toThrow(
      'has no column "urls"; it has: user_ids, image_urls, captions',
    )
    const uneven = await file('.json', '{"image_urls": ["u1"], "captions": ["one", "two"]}')
    await expect(rowsOf({ ...source, path: uneven })).rejects.toThrow(
      '"image_urls" ends after 1 values, "captions" has more',
    )
  })

  it.each([
    ['[{"url": "u", "caption": "c"}', /is cut short, after 29 bytes/],
    ['[{"url": "u", "caption": }]', /is not JSON: byte 1: /],
    ['[] []', /more behind its end, at byte 3/],
    ['text', /begins with neither \[ nor \{/],
    ['"text"', /begins with neither \[ nor \{/],
    ['\n', /is not JSON: it is empty/],
    ["{'url': ['u']}", /its first key, at byte 1, is not in double quotes/],
    ['version https://git-lfs.github.com/spec/v1', /it is a pointer of Git LFS, .*git lfs pull/],
    ['[{"a":\n\n x}]', /^[^\n]*is not JSON: byte 1: [^\n]*$/],
  ])('%j is no JSON', async (text, message) => {
    await expect(rowsOf({ format: 'json', path: await file('.json', text) })).rejects.toThrow(message)
  })
})

describe('a compressed list', () => {
  const text = `url\tcaption\n${Array.from({ length: 5000 }, (_, index) => `u${index}\tcaption ${index}`).join('\n')}\n`
  it('reads as the plain one, also shard by shard', async () => {
    const plain = await rowsOf({ format: 'tsv', path: await file('.tsv', text) })
    // Two members, as concatenated files have.
    const half = text.indexOf('u2500')
    const bytes = Buffer.concat([gzipSync(text.slice(0, half)), gzipSync(text.slice(half))])
    const source = { format: 'tsv', path: await file('.tsv.gz', bytes), shard_size: 700 }
    const strip = (rows: readonly SourceRow[]) => rows.map(({ mark, url, captions }) => [mark, url, captions])
    expect(strip(await rowsOf(source))).toEqual(strip(plain))
    expect(strip(await rowsByShards(source))).toEqual(strip(plain))
    // Out of order, where no reader waits at the mark.
    expect(strip(await rowsOf(source, plain[3000].mark))).toEqual(strip(plain.slice(3000)))
  })

  it('may be zstd, and is damaged where it is cut', async () => {
    // zstd -19 of a header and three rows.
    const frame = Buffer.from(
      'KLUv/SQwgQEAdXJsCWNhcHRpb24KdTEJb25lIHplYnJhCnUyCXR3byB6ZWJyYXMKdTMJdGhyZWUK7y9pmw==',
      'base64',
    )
    const rows = await rowsOf({ format: 'tsv', path: await file('.tsv.zst', frame) })
    expect(rows.map(short)).toEqual([
      ['u1', 'one zebra'],
      ['u2', 'two zebras'],
      ['u3', 'three'],
    ])
    for (const [ending, bytes] of [
      ['.tsv.zst', frame.subarray(0, 30)],
      ['.tsv.gz', gzipSync(text).subarray(0, 900)],
    ] as const) {
      await expect(rowsOf({ format: 'tsv', path: await file(ending, bytes) })).rejects.toThrow(
        /list-\d+\.tsv\.\w+ is damaged or cut short/,
      )
    }
  })
})

describe('a list of several files', () => {
  it('is a folder or a pattern, file after file', async () => {
    const path = join(folder, 'parts')
    await mkdir(join(path, 'deep'), { recursive: true })
    const part = (name: string) => `url\tcaption\n${name}-1\ta\n${name}-2\tb\n`
    for (const name of ['a', 'b']) await writeFile(join(path, `${name}.tsv`), part(name))
    await writeFile(join(path, 'c.tsv.gz'), gzipSync(part('c')))
    await writeFile(join(path, 'deep', '007.tsv'), part('d'))
    await writeFile(join(path, 'notes.md'), 'none')
    const urls = async (pattern: string) =>
      (await rowsOf({ format: 'tsv', path: join(path, pattern) })).map(({ url }) => url)
    expect(await urls('.')).toEqual(['a-1', 'a-2', 'b-1', 'b-2', 'c-1', 'c-2'])
    expect(await urls('{a,c}.tsv*')).toEqual(['a-1', 'a-2', 'c-1', 'c-2'])
    expect(await urls('**/*.tsv')).toEqual(['a-1', 'a-2', 'b-1', 'b-2', 'd-1', 'd-2'])
    expect(await urls('deep/{005..010}.tsv')).toEqual(['d-1', 'd-2'])
    await expect(urls('*.csv')).rejects.toThrow(/No file matches/)
    await expect(rowsOf({ format: 'csv', path })).rejects.toThrow(/has no files that end in \.csv/)

    const source = { format: 'tsv', path, shard_size: 1 }
    const whole = await rowsOf(source)
    expect(await rowsByShards(source)).toEqual(whole)
    expect(whole[2].mark.file).toBe(1)
    expect(await rowsOf(source, whole[3].mark)).toEqual(whole.slice(3))
  })
})

const colours = ['#c33', '#3c3', '#33c']
const pictures = await Promise.all(
  colours.map((background, index) =>
    sharp({ create: { width: 40 + index, height: 30, channels: 3, background } })
      .jpeg()
      .toBuffer(),
  ),
)

describe('a WebDataset', () => {
  const long = 'd'.repeat(120)
  async function tar(format: string, compressed: boolean): Promise<string> {
    const inside = join(folder, `samples-${count++}`)
    const files: [string, string | Uint8Array][] = [
      [`${long}/0001.jpg`, pictures[0]],
      [`${long}/0001.txt`, 'first'],
      [`${long}/0001.json`, JSON.stringify({ url: 'http://host/1', caption: 'other', n: 1 })],
      ['0002.rgb.png', pictures[1]],
      ['0002.json', JSON.stringify({ caption: 'second é', license: 'free', n: 2 })],
      ['0003.txt', 'no picture'],
      ['0004.jpg', pictures[2]],
      ['0004.json', '[1]'],
      ['README', 'in no sample'],
      ['0005.jpg', pictures[2]],
    ]
    await mkdir(join(inside, long), { recursive: true })
    for (const [name, bytes] of files) await writeFile(join(inside, name), bytes)
    const path = join(folder, `samples-${count++}.tar${compressed ? '.gz' : ''}`)
    const flags = [compressed ? '-czf' : '-cf', path, `--format=${format}`, '-C', inside]
    const { status, stderr } = spawnSync('tar', [...flags, ...files.map(([name]) => name)])
    expect(status, String(stderr)).toBe(0)
    return path
  }

  it.each([
    ['gnu', false],
    ['pax', false],
    ['ustar', false],
    ['gnu', true],
  ])('of GNU tar in the form %s (gzip: %s) gives pictures and captions', async (format, compressed) => {
    const path = await tar(format, compressed)
    const source = { format: 'webdataset', path, columns: { meta: ['n'] }, shard_size: 2 }
    const rows = await rowsOf(source)
    expect(rows.map((row) => row.problem?.reason ?? row.captions.map(({ text }) => text))).toEqual([
      ['first'],
      ['second é'],
      'malformed_row',
      'malformed_row',
      'empty_caption',
    ])
    expect(rows[0]).toMatchObject({ url: 'http://host/1', meta: { key: `${long}/0001`, n: 1 } })
    expect(rows[1]).toMatchObject({ url: null, license: 'free', meta: { key: '0002', n: 2 } })
    expect(Buffer.from((await rows[0].load?.()) ?? []).equals(pictures[0])).toBe(true)
    expect(Buffer.from((await rows[1].load?.()) ?? []).equals(pictures[1])).toBe(true)
    expect(plainRows(await rowsByShards(source))).toEqual(plainRows(rows))
    const captioned = await rowsOf({ ...source, columns: { caption: 'json.caption' } })
    expect(captioned[0].captions[0].text).toBe('other')

    const { images, rejects, records } = await ingestAll(join(folder, `tar-${count++}`), source)
    expect(images.map(({ width, captions }) => [width, captions[0].text])).toEqual([
      [40, 'first'],
      [41, 'second é'],
    ])
    expect(rejects).toHaveLength(3)
    expect(records.map((record) => record.in)).toEqual([2, 2, 1])
  })

  /** A tar of small files, whatever their names: some that no file system holds together. */
  const tarOf = (files: readonly (readonly [string, string | Uint8Array])[]) =>
    Buffer.concat(
      files.flatMap(([name, content]) => {
        const bytes = Buffer.from(content)
        const header = Buffer.alloc(512)
        header.write(name, 0)
        header.write(bytes.length.toString(8).padStart(11, '0'), 124)
        header.write('        ', 148)
        header.write('0', 156)
        header.write(
          header
            .reduce((sum, byte) => sum + byte, 0)
            .toString(8)
            .padStart(6, '0'),
          148,
        )
        header.write('\0 ', 154)
        return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]
      }),
    )

  it('tells of members that are one sample by the dots of their names', async () => {
    const [jpg] = pictures
    const path = await file(
      '.tar',
      tarOf([
        ['./v1.0/a.JPG', jpg],
        ['./v1.0/a.TXT', 'capitals'],
        ['b.5mm.jpg', jpg],
        ['b.5mm.txt', 'five'],
        ['b.7mm.jpg', jpg],
        ['b.7mm.txt', 'seven'],
        ['._c.jpg', 'of macOS'],
        ['c.jpg', jpg],
        ['c.txt', 'first'],
        ['c.txt', 'second'],
        ['d.1.jpg', jpg],
        ['d.1.txt', 'no field txt'],
        ['e.jpg', jpg],
        ['e.seg.png', jpg],
        ['e.txt', 'with a mask'],
      ]),
    )
    const rows = await rowsOf({ format: 'webdataset', path })
    expect(rows.map((row) => row.problem?.reason ?? row.captions[0].text)).toEqual([
      'capitals',
      'duplicate_member',
      'duplicate_member',
      'empty_caption',
      'duplicate_member',
    ])
    expect(rows[1].problem?.detail).toContain('b.5mm.jpg and b.7mm.jpg are of one sample')
    expect(rows[2].problem?.detail).toContain('c.txt and c.txt')
    expect(rows[3].problem?.detail).toContain('among its fields 1.jpg, 1.txt')
    const named = await rowsOf({ format: 'webdataset', path, columns: { image: 'JPG' } })
    expect(named[4].captions[0].text).toBe('with a mask')
  })

  it('may be a .tgz, several one behind the other, and without what fills the last block', async () => {
    const [jpg] = pictures
    const pair = (name: string) =>
      tarOf([
        [`${name}.jpg`, jpg],
        [`${name}.txt`, name],
      ])
    const captions = async (path: string) =>
      (await rowsOf({ format: 'webdataset', path })).map(({ captions }) => captions[0].text)
    expect(await captions(await file('.tgz', gzipSync(pair('a'))))).toEqual(['a'])
    const twice = Buffer.concat([pair('a'), Buffer.alloc(10_240), pair('b'), Buffer.alloc(1024)])
    expect(await captions(await file('.tar', twice))).toEqual(['a', 'b'])
    expect(await captions(await file('.tar', pair('a').subarray(0, -300)))).toEqual(['a'])
    const hidden = await file('.tar', gzipSync(pair('a')))
    await expect(rowsOf({ format: 'webdataset', path: hidden })).rejects.toThrow(
      /it is gzip, so name it \.tar\.gz/,
    )
  })

  it('tells of captions that cannot be read, and of pictures that are not decoded', async () => {
    const [jpg] = pictures
    const path = await file(
      '.tar',
      tarOf([
        ['a.jpg', jpg],
        ['a.txt', Buffer.from('caf\xe9', 'latin1')],
        ['b.jpg', jpg],
        ['b.txt', 'x'.repeat(1 << 21)],
        ['c.bmp', 'BM'],
        ['c.txt', 'c'],
        ['d.jpg', jpg],
        ['d.json', Buffer.from('{"caption":"caf\xe9"}', 'latin1')],
      ]),
    )
    const rows = await rowsOf({ format: 'webdataset', path })
    expect(rows.map(({ problem }) => problem?.detail.replace(/.*tar [abd]: /, ''))).toEqual([
      expect.stringMatching(/^a\.txt is not UTF-8/),
      'b.txt is over 1 MiB',
      undefined,
      expect.stringMatching(/^d\.json is not UTF-8/),
    ])
  })

  it('may hold JSON as Python writes it, ids of all their digits with it', async () => {
    const [jpg] = pictures
    const json = '{"caption": "a dog", "aesthetic": NaN, "id": 9007199254740993, "by": null}'
    const path = await file(
      '.tar',
      tarOf([
        ['a.jpg', jpg],
        ['a.json', json],
      ]),
    )
    const source = { format: 'webdataset', path, columns: { meta: ['aesthetic', 'id'] } }
    const { images, rejects } = await ingestAll(join(folder, `tar-${count++}`), source)
    expect(rejects).toEqual([])
    expect(images[0].meta).toBe('{"key":"a","aesthetic":null,"id":9007199254740993}')
  })

  it('that is cut or is none is named', async () => {
    const path = await file('.tar', Buffer.alloc(2000, 'x'))
    await expect(rowsOf({ format: 'webdataset', path })).rejects.toThrow(
      /not a tar: there is no header at byte 0/,
    )
    const whole = await readFile(await tar('ustar', false))
    const cut = await file('.tar', whole.subarray(0, 600))
    await expect(rowsOf({ format: 'webdataset', path: cut })).rejects.toThrow(/cut short/)
  })
})

describe('pictures in Parquet', () => {
  it("of Hugging Face datasets' form are found by the metadata, and read only when wanted", async () => {
    const storage = openStorage(join(folder, 'own'))
    const row = (index: number) => ({
      key: `00000000${index}`,
      image: { bytes: index === 1 ? new Uint8Array(0) : pictures[index], path: null },
      width: 1,
      height: 1,
      captions: [],
      url: 'u',
      sha256: '',
      phash: '',
      license: index === 0 ? 'free' : null,
      meta: `caption ${index}`,
    })
    await putShard(storage, 'images', null, '00000', [0, 1, 2].map(row))
    const source = {
      format: 'parquet',
      path: storage.path('images'),
      columns: { caption: 'meta', license: 'license' },
    }
    const { images, rejects } = await ingestAll(join(folder, 'again'), source)
    expect(images.map(({ width, captions, license }) => [width, captions[0].text, license])).toEqual([
      [40, 'caption 0', 'free'],
      [42, 'caption 2', null],
    ])
    expect(rejects.map(({ reason }) => reason)).toEqual(['missing_file'])
  })

  it('may be plain bytes, with captions in a list', async () => {
    const path = join(folder, 'plain.parquet')
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    const hex = pictures[0].toString('hex')
    await connection.run(
      `COPY (SELECT from_hex('${hex}') AS jpg, ['a', '', 'b'] AS sentences, 7 AS n) TO '${path}' (FORMAT parquet)`,
    )
    connection.closeSync()
    const source = { format: 'parquet', path, columns: { image: 'jpg', meta: ['n'] } }
    const { images } = await ingestAll(join(folder, 'plain'), source)
    expect(
      images.map(({ width, captions, meta }) => [width, captions.map(({ text }) => text), meta]),
    ).toEqual([[40, ['a', 'b'], '{"n":7}']])
  })

  /** A file of the rows that a query gives, with the features that Hugging Face datasets would write into it. */
  async function written(query: string, features?: object): Promise<string> {
    const path = join(folder, `pictures-${count++}`, 'part.parquet')
    await mkdir(join(path, '..'))
    const connection = await (await DuckDBInstance.create(':memory:')).connect()
    const note = JSON.stringify({ info: { features } })
    const notes = features ? `, KV_METADATA {huggingface: '${note}'}` : ''
    await connection.run(`COPY (${query}) TO '${path}' (FORMAT parquet${notes})`)
    connection.closeSync()
    return path
  }
  const [first, second] = pictures.map((bytes) => `from_hex('${bytes.toString('hex')}')`)
  const image = { _type: 'Image' }
  const widths = async (path: string, given: object = {}) => {
    const source = { format: 'parquet', path, ...given }
    const { images, rejects, records } = await ingestAll(join(folder, `read-${count++}`), source)
    const dropped = records[0].stats.tallies.dropped ?? {}
    return [...images.map(({ width }) => width), ...rejects.map(({ reason }) => reason), dropped]
  }

  it.each([
    [
      'a list, of which the first is taken',
      '[{bytes: $2, path: NULL}, {bytes: $1, path: NULL}]',
      { _type: 'List', feature: image },
      { other_picture: 1 },
    ],
    ['a sequence as it was written before', '[NULL, {bytes: $2, path: NULL}]', [image], {}],
    [
      'a list of lists of bytes',
      '[[$2], [$1, $1]]',
      { _type: 'Sequence', feature: { _type: 'Sequence', feature: image } },
      { other_picture: 2 },
    ],
    [
      'a struct in a struct',
      '{mask: {bytes: $1, path: NULL}, photo: {bytes: $2, path: NULL}}',
      { mask: { _type: 'Value' }, photo: image },
      {},
    ],
    [
      'a sequence of structs',
      '{photo: [{bytes: $2, path: NULL}], n: [1]}',
      { _type: 'Sequence', feature: { photo: image } },
      {},
    ],
  ])('may be in %s', async (_, value, feature, dropped) => {
    const column = value.replaceAll('$1', first).replaceAll('$2', second)
    const query = `SELECT ${column} AS pictures, 'c' AS caption`
    const path = await written(query, { caption: { _type: 'Value' }, pictures: feature })
    expect(await widths(path)).toEqual([41, dropped])
  })

  it('may be a field of a struct that the configuration names', async () => {
    const path = await written(`SELECT {small: ${first}, large: ${second}} AS photo, 'c' AS caption`)
    expect(await widths(path, { columns: { image: 'photo.large' } })).toEqual([41, {}])
    await expect(widths(path, { columns: { image: 'picture.large' } })).rejects.toThrow(
      /has no column "picture\.large"; it has: photo, caption/,
    )
  })

  it('may be files of the folder that the rows name, and no others', async () => {
    const names = [
      'in/1.jpg',
      'in\\1.jpg',
      'in/2.jpg',
      '../plain.parquet',
      '/etc/hostname',
      'hf://a/b@c/1.jpg',
    ]
    const rows = names.map((name) => `SELECT {bytes: NULL::BLOB, path: '${name}'} AS image, 'c' AS caption`)
    const path = await written(rows.join(' UNION ALL '), { image })
    await mkdir(join(path, '../in'))
    await writeFile(join(path, '../in/1.jpg'), pictures[1])
    const { images, rejects } = await ingestAll(join(folder, `read-${count++}`), { format: 'parquet', path })
    expect(images.map(({ width }) => width)).toEqual([41, 41])
    expect(rejects.map(({ reason, detail }) => [reason, detail.replace(/.*"image" /, '')])).toEqual([
      ['missing_file', expect.stringContaining('in/2.jpg: there is no such file or folder')],
      [
        'outside_folder',
        expect.stringMatching(/^holds no bytes, only the path \.\.\/plain\.parquet: .* is not in /),
      ],
      [
        'outside_folder',
        expect.stringMatching(/^holds no bytes, only the path \/etc\/hostname: .* is not in /),
      ],
      [
        'missing_file',
        'holds no bytes, only the path hf://a/b@c/1.jpg: name a column of addresses as columns.url',
      ],
    ])
  })

  it('may be files of the folder of the source, and structs without the metadata', async () => {
    const row = "SELECT {bytes: NULL::BLOB, path: 'in/9.jpg'} AS photo, 'c' AS caption"
    const path = await written(row)
    const root = join(path, '../..')
    await mkdir(join(root, 'in'), { recursive: true })
    await writeFile(join(root, 'in/9.jpg'), pictures[1])
    const name = path.slice(root.length + 1).split('/')[0]
    expect(await widths(path)).toEqual(['missing_file', {}])
    expect(await widths(`${root}/${name}*/*.parquet`)).toEqual([41, {}])
  })

  it('keep captions that are no text, and columns of one name, from being taken for others', async () => {
    const path = await written(
      `SELECT ${first} AS image, from_hex('636166e9') AS caption, from_hex('ff00') AS raw, 123.45::DECIMAL(10,4) AS price
      UNION ALL SELECT ${first}, from_hex('636166'), from_hex('ff00'), 9.1`,
    )
    const columns = { image: 'image', meta: ['raw', 'price'] }
    const rows = await rowsOf({ format: 'parquet', path, columns })
    expect(rows[0].problem?.detail).toContain('its caption is not UTF-8')
    expect(rows[1]).toMatchObject({ captions: [{ text: 'caf' }], meta: { raw: '/wA=', price: 9.1 } })
    expect(rows[0].meta).toEqual({ raw: '/wA=', price: 123.45 })
  })

  it('may be texts that name files and addresses', async () => {
    const path = await written(
      "SELECT 'http://host/1.jpg' AS image, 'c' AS caption UNION ALL SELECT '1.jpg', 'd'",
      { image },
    )
    await writeFile(join(path, '../1.jpg'), pictures[1])
    const rows = await rowsOf({ format: 'parquet', path })
    expect(rows.map(({ url }) => url)).toEqual(['http://host/1.jpg', null])
    expect(Buffer.from((await rows[1].load?.()) ?? []).equals(pictures[1])).toBe(true)
    const based = await rowsOf({ format: 'parquet', path, base_url: 'http://other/' })
    expect(based.map(({ url }) => url)).toEqual(['http://host/1.jpg', '1.jpg'])
  })

  it('come with meta of every type', async () => {
    const path = await written(
      `SELECT 'u' AS url, 'c' AS caption, 9007199254740993 AS id, 1.25::DECIMAL(10,2) AS price,
        TIMESTAMP '2020-01-02 03:04:05.678' AS at, 'NaN'::DOUBLE AS score, [1, NULL] AS list`,
    )
    const meta = ['id', 'price', 'at', 'score', 'list']
    const [row] = await rowsOf({ format: 'parquet', path, columns: { meta } })
    expect(JSON.stringify(row.meta)).toBe(
      '{"id":"9007199254740993","price":1.25,"at":"2020-01-02T03:04:05.678Z","score":null,"list":[1,null]}',
    )
  })
})
