import { createHash } from 'node:crypto'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { recordPath } from '../../src/rows/family-path.js'
import { createDataset } from '../../src/shards/dataset.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { boundedCommands } from '../helpers/bounded-commands.js'
import { claimingParquet, levels, type PageClaim } from '../helpers/claiming-parquet.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const commands: Record<string, readonly string[]> = {}

/** A file of a source, and the run that ingests it. */
async function source(name: string, format: string, file: string, bytes: Uint8Array, more = '') {
  const place = join(folder, name.replace(/\W+/g, '-'))
  await mkdir(place, { recursive: true })
  await writeFile(join(place, file), bytes)
  const pipeline = join(place, 'pipeline.yaml')
  await writeFile(
    pipeline,
    `name: a\nstages: [{ name: web, uses: ingest, with: { format: ${format}, path: ${join(place, file)}, limit: 3, fetch: { robots: false, retries: 0, timeout_ms: 1 }${more} } }]\n`,
  )
  commands[name] = ['run', pipeline, '--dataset', join(place, 'run')]
}

const text = (words: string) => {
  const bytes = Buffer.from(words)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return Buffer.concat([length, bytes])
}
const flat = ['url', 'caption'].map((name) => ({ name, repetition: 0 as const }))
const of = (pages: readonly PageClaim[], more = {}) =>
  ['url', 'caption'].map((name) => ({ path: [name], pages, ...more }))
const parquet = (name: string, bytes: Uint8Array) => source(`Parquet: ${name}`, 'parquet', 'a.parquet', bytes)

const optional = flat.map((element) => ({ ...element, repetition: 1 as const }))
const nulls = (rows: number) => of([{ bytes: levels(rows, 0), values: rows }])
await parquet(
  '30 million rows of nulls',
  claimingParquet({ elements: optional, columns: nulls(30e6), rows: 30e6 }),
)
await parquet(
  '4 million rows of nulls',
  claimingParquet({ elements: optional, columns: nulls(4e6), rows: 4e6 }),
)
await parquet(
  'a page that says it is 2 GB unpacked',
  claimingParquet({
    elements: flat,
    columns: of([{ bytes: gzipSync(text('a')), unpacked: 2 ** 31 - 1, values: 1 }], { codec: 2 }),
    rows: 1,
  }),
)
await parquet(
  'a page of 64 MB that says it has 9 bytes',
  claimingParquet({
    elements: flat,
    columns: of([{ bytes: gzipSync(Buffer.alloc(64e6)), unpacked: 9, values: 1 }], { codec: 2 }),
    rows: 1,
  }),
)
await parquet(
  'a dictionary of 2 billion values',
  claimingParquet({
    elements: flat,
    columns: of([
      { type: 2, bytes: text('a'), values: 2e9 },
      { bytes: Buffer.from([1, 4, 0]), values: 2, encoding: 8 },
    ]),
    rows: 2,
  }),
)
await parquet(
  'a value of 1 MB four million times',
  claimingParquet({
    elements: flat,
    columns: of([
      { type: 2, bytes: text('a'.repeat(1e6)), values: 1 },
      // A run of indexes of one bit.
      { bytes: Buffer.from([1, 0x80, 0xa4, 0xe8, 0x03, 0]), values: 4e6, encoding: 8 },
    ]),
    rows: 4e6,
  }),
)
const nest = (depth: number) => [
  ...Array.from({ length: depth }, (_, at) => ({ name: `n${at}`, repetition: 2 as const, children: 1 })),
  { name: 'leaf', repetition: 2 as const },
]
for (const depth of [98, 20_000])
  await parquet(
    `lists in lists, ${depth} deep`,
    claimingParquet({
      elements: [...flat, ...nest(depth)],
      columns: [
        ...of([{ bytes: Buffer.concat([text('a'), text('b')]), values: 2 }]),
        {
          path: nest(depth).map(({ name }) => name),
          pages: [{ bytes: Buffer.concat([levels(2, 0), levels(2, 0)]), values: 2 }],
        },
      ],
      rows: 2,
      top: 3,
    }),
  )
const listed = [
  { name: 'url', repetition: 0 as const },
  { name: 'caption', repetition: 1 as const, children: 1, converted: 3 },
  { name: 'list', repetition: 2 as const, children: 1 },
  { name: 'element', repetition: 1 as const },
]
const lists = (entries: number, repetitions: Uint8Array, rows = 2) =>
  claimingParquet({
    elements: listed,
    columns: [
      { path: ['url'], pages: [{ bytes: Buffer.concat([text('a'), text('b')]), values: 2 }] },
      {
        path: ['caption', 'list', 'element'],
        pages: [{ bytes: Buffer.concat([repetitions, levels(entries, 2)]), values: entries }],
      },
    ],
    rows,
  })
await parquet('a list of 4 million nulls', lists(4e6, levels(4e6, 1)))
await parquet('lists that begin no row', lists(3, levels(3, 1)))
await parquet('more lists than rows', lists(30, levels(30, 0)))

/** A stranger's dataset of one shard whose grounding is a file that no program of ours has written. */
async function dataset(name: string, bytes: Uint8Array, rows: number) {
  const place = join(folder, name.replace(/\W+/g, '-'))
  const storage = openStorage(place)
  const task = { name: 'd', card: null, shards: ['00000'] }
  await createDataset(storage, task)
  await putShard(storage, 'images', null, '00000', [])
  const { sha256: phrases } = await putShard(storage, 'phrases', 'chunk', '00000', [])
  await putShard(storage, 'grounding', 'g', '00000', [], { phrases })
  const path = recordPath('grounding', 'g', '00000')
  const record = JSON.parse(await readFile(join(place, path), 'utf8'))
  const { grounding } = record.files
  await writeFile(join(place, grounding.path), bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  record.files.grounding = { ...grounding, rows, bytes: bytes.length, sha256 }
  await writeFile(join(place, path), JSON.stringify(record))
  const shared = `Dataset: ${name}`
  commands[`${shared}, stats`] = ['stats', place]
  commands[`${shared}, stats --exact`] = ['stats', place, '--exact']
  commands[`${shared}, query`] = ['query', place, 'select count(*) as n, max(key) as most from grounding']
  commands[`${shared}, export`] = ['export', place, '--format', 'coco', '-o', `${place}-coco`]
}

const key = [{ name: 'key', repetition: 1 as const }]
const keys = (pages: readonly PageClaim[], rows: number, more = {}) =>
  claimingParquet({ elements: key, columns: [{ path: ['key'], pages, ...more }], rows })
await dataset('30 million rows', keys([{ bytes: levels(30e6, 0), values: 30e6 }], 30e6), 30e6)
await dataset('4 million rows', keys([{ bytes: levels(4e6, 0), values: 4e6 }], 4e6), 4e6)
await dataset(
  '2 GB',
  keys([{ bytes: gzipSync(text('a')), unpacked: 2 ** 31 - 1, values: 1 }], 1, { codec: 2 }),
  1,
)
await dataset(
  'lists 20,000 deep',
  claimingParquet({
    elements: nest(20_000),
    columns: [{ path: ['n0'], pages: [{ bytes: levels(2, 0), values: 2 }] }],
    rows: 2,
    top: 1,
  }),
  2,
)

const place = join(folder, 'other')
await mkdir(place)
const file = async (name: string, bytes: Uint8Array | string) => {
  await writeFile(join(place, name), bytes)
  return join(place, name)
}
const header = await open(join(place, 'header.safetensors'), 'w')
const size = Buffer.alloc(8)
size.writeBigUInt64LE(99_000_000n)
await header.write(size)
await header.truncate(99_000_008)
await header.close()
const words = await file('vocab.txt', '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n')
const importing = (path: string) => [
  'import-model',
  path,
  ...['--preset', 'glip-t', '--tokenizer', words, '-o', join(place, 'model')],
]
commands['safetensors: a header of 99 MB'] = importing(join(place, 'header.safetensors'))
// Ten times a list of the one before, forty times over: PROTO 2, a list, and MEMOIZE by BINPUT and BINGET.
const laughs = Buffer.concat([
  Buffer.from([0x80, 2]),
  Buffer.from(']q\0'),
  ...Array.from({ length: 40 }, (_, at) =>
    Buffer.from([0x5d, 0x28, ...Array.from({ length: 10 }, () => [0x68, at]).flat(), 0x65, 0x71, at + 1]),
  ),
  Buffer.from('.'),
])
await source(
  'pickle: lists of lists, 10 to the 40',
  'refcoco',
  'refs(unc).p',
  laughs,
  `, instances: ${await file('instances.json', '{"images": [], "annotations": [], "categories": []}')}, images: ${place}`,
)
commands['pickle: lists of lists as a checkpoint'] = importing(await file('laughs.pth', laughs))
await source('list: 64 MB in one line of gzip', 'tsv', 'a.tsv.gz', gzipSync(Buffer.alloc(64e6, 'a')))
await source(
  'list: 20 million lines of gzip',
  'tsv',
  'a.tsv.gz',
  gzipSync(Buffer.concat([Buffer.from('url\tcaption\n'), Buffer.alloc(80e6, 'u\tc\n')])),
)
function tar(size: string) {
  const head = Buffer.alloc(512)
  head.write('0.jpg')
  head.write(size, 124)
  head.write('ustar', 257)
  head.fill(' ', 148, 156)
  head.write(
    `${head
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  return Buffer.concat([head, Buffer.alloc(2048)])
}
await source('tar: a file of 8 GB in 2 kB', 'webdataset', 'a.tar', tar('77777777777'))
await source('JSON: 200,000 brackets in a line', 'jsonl', 'a.jsonl', Buffer.from(`${'['.repeat(2e5)}\n`))
await source('JSON: 200,000 brackets in a file', 'json', 'a.json', Buffer.from(`[${'{"a":'.repeat(2e5)}`))
const billion = [
  'a: &a0 [x, x]',
  ...Array.from({ length: 40 }, (_, at) => `a${at + 1}: &a${at + 1} [*a${at}, *a${at}]`),
].join('\n')
commands['YAML: lists of lists, 2 to the 40'] = [
  'run',
  await file('laughs.yaml', billion),
  '--dataset',
  join(place, 'run'),
]
commands['YAML: as a card'] = ['datasets', await file('card.yaml', billion)]

/** What each ends with: its code, and words of its last line. */
const ends: Readonly<Record<string, readonly [code: number, words: RegExp]>> = {
  'Parquet: 30 million rows of nulls': [2, /a\.parquet says that it has 30000000 rows in \d+ bytes/],
  'Parquet: 4 million rows of nulls': [2, /nothing came of the 3 pairs of "web" \(malformed_row 3\)/],
  'Parquet: a page that says it is 2 GB unpacked': [
    2,
    /a\.parquet is damaged: \d+ bytes of it ask for more than/,
  ],
  'Parquet: a page of 64 MB that says it has 9 bytes': [2, /a\.parquet is damaged: /],
  'Parquet: a dictionary of 2 billion values': [2, /a\.parquet is damaged: a page has not 2000000000 values/],
  'Parquet: a value of 1 MB four million times': [2, /nothing came of the 3 pairs of "web" \(bad_url 3\)/],
  'Parquet: lists in lists, 98 deep': [2, /nothing came of the 2 pairs of "web" \(bad_url 2\)/],
  'Parquet: lists in lists, 20000 deep': [
    2,
    /a\.parquet is damaged or cut short \(a schema of more than 100 levels\)/,
  ],
  'Parquet: a list of 4 million nulls': [2, /a\.parquet is damaged: row 0 does not begin where it should/],
  'Parquet: lists that begin no row': [2, /a\.parquet is damaged: row 0 does not begin where it should/],
  'Parquet: more lists than rows': [1, /a\.parquet is damaged: there are not 2 rows/],
  ...ofDataset('30 million rows', /says that it has 30000000 rows/),
  ...ofDataset('4 million rows', /cannot be read|has no column|is damaged/),
  ...ofDataset('2 GB', /cannot be read|has no column|is damaged/),
  ...ofDataset('lists 20,000 deep', /a schema of more than 100 levels/),
  'safetensors: a header of 99 MB': [2, /header\.safetensors.* announces a header of 99000000 bytes/],
  'pickle: lists of lists, 10 to the 40': [
    2,
    /refs\(unc\)\.p is not a pickle of plain data: it stands for more than/,
  ],
  'pickle: lists of lists as a checkpoint': [2, /laughs\.pth/],
  'list: 64 MB in one line of gzip': [2, /a\.tsv\.gz: its first line, .*: line over 1 MiB/],
  'list: 20 million lines of gzip': [2, /nothing came of the 3 pairs of "web" \(bad_url 3\)/],
  'tar: a file of 8 GB in 2 kB': [2, /a\.tar is damaged or not a tar: it is cut short within "0\.jpg"/],
  'JSON: 200,000 brackets in a line': [2, /nothing came of the 1 pair of "web" \(malformed_row 1\)/],
  'JSON: 200,000 brackets in a file': [2, /a\.json is not JSON: it is nested deeper than 2000/],
  'YAML: lists of lists, 2 to the 40': [2, /laughs\.yaml: not YAML: /],
  'YAML: as a card': [2, /card\.yaml: not YAML: /],
}

function ofDataset(name: string, words: RegExp) {
  const ways = ['stats --exact', 'query', 'export'].map((way) => [`Dataset: ${name}, ${way}`, [2, words]])
  // Its records alone are read.
  return { [`Dataset: ${name}, stats`]: [0, / pictures, /], ...Object.fromEntries(ways) }
}

describe('a file that is made to take the machine', async () => {
  const { ends: found } = await boundedCommands(commands, { megabytes: 700, seconds: 90 })

  it.each(Object.keys(commands))('does not take it. %s', (name) => {
    const { code, said } = found[name]!
    const [wanted, words] = ends[name]!
    expect(said).toMatch(words)
    expect(said).not.toMatch(/^\s+at /m)
    expect(code).toBe(wanted)
  })
})
