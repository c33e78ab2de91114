import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { NotFetched, withoutFetching } from '../../../src/hub/without-fetching.js'
import type { IngestConfig } from '../../../src/ingest/config.js'
import { ingestConfig } from '../../../src/ingest/config.js'
import { openSource } from '../../../src/ingest/open-source.js'
import { planIngest } from '../../../src/ingest/plan-ingest.js'
import { patternOf } from '../../../src/ingest/read/name-pattern.js'
import { hubFiles, s3Files } from '../../../src/ingest/read/remote-files.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { parseS3, s3Client } from '../../../src/storage/s3-client.js'
import { hubHome } from '../../helpers/hub-home.js'
import { s3Server } from '../../helpers/s3-server.js'
import { sourceSamples } from '../../helpers/source-samples.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

let hub: Awaited<ReturnType<typeof hubHome>>
let s3: Awaited<ReturnType<typeof s3Server>>
let folder: string
let samples: Awaited<ReturnType<typeof sourceSamples>>
beforeAll(async () => {
  hub = await hubHome()
  s3 = await s3Server()
  folder = await temporaryFolder()
  samples = await sourceSamples(folder)
  const files: Record<string, Buffer> = {}
  const bucket = openStorage(s3.url('lists'))
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = relative(folder, path)
    if (!entry.isFile() || !/^(pairs|packed|quoted|samples\.|parts|columns)/.test(name)) continue
    files[name] = await readFile(path)
    await bucket.write(name, files[name])
  }
  hub.add('org/lists', files, { type: 'dataset' })
})

const names = [
  'tsv',
  'tsv in gzip',
  'tsv with quoted cells',
  'tsv of several files',
  'csv',
  'csv in gzip',
  'jsonl',
  'json',
  'json in gzip',
  'parquet',
  'webdataset as tar',
  'webdataset as tar.gz',
]

const configOf = (name: string, at: (path: string) => string): IngestConfig => {
  const sample = samples[name] as { readonly format: string; readonly path: string }
  return ingestConfig.parse({ ...sample, path: at(relative(folder, sample.path)), shard_size: 5 })
}

/** What is said of rows, without where they are, and their pictures. */
async function rowsOf(
  config: IngestConfig,
  from?: Parameters<Awaited<ReturnType<typeof openSource>>['rows']>[0],
) {
  const source = await openSource(config)
  try {
    const rows = []
    for await (const { place, problem, load, ...row } of source.rows(from)) {
      expect(place).toContain(config.format === 'webdataset' ? 'samples.tar' : '/')
      const picture = load && Buffer.from(await load()).toString('utf8')
      rows.push({ ...row, problem: problem?.reason, picture })
    }
    return rows
  } finally {
    await source.close()
  }
}

describe.each([
  ['a bucket', names, (path: string) => s3.url(`lists/${path}`)],
  // Of the Hub they are files of this machine when they are read.
  [
    'the Hub',
    ['tsv of several files', 'parquet', 'webdataset as tar'],
    (path: string) => `hf://datasets/org/lists/${path}`,
  ],
] as const)('lists of %s', (_, tried, at) => {
  test.each(tried)('%s: the rows of a file of this machine, from any mark on', async (name) => {
    const local = await rowsOf(configOf(name, (path) => join(folder, path)))
    const config = configOf(name, at)
    expect(local.length).toBeGreaterThan(20)
    expect(await rowsOf(config)).toEqual(local)
    const middle = local[13]?.mark
    expect(await rowsOf(config, middle)).toEqual(local.slice(13))
    const source = await openSource(config)
    const plan = await planIngest(source)
    await source.close()
    expect(plan.rows).toBe(local.length)
    expect(plan.shards[1]?.mark).toEqual(local[5]?.mark)
  })

  test('a pattern and a folder name several', async () => {
    const count = async (path: string) =>
      (await rowsOf(ingestConfig.parse({ format: 'tsv', path: at(path) }))).length
    expect(await count('parts/{a,c}.tsv')).toBe(46)
    expect(await count('parts/*')).toBe(69)
    expect(await count('**/[a-z].nothing').catch((error: Error) => error.message)).toContain(
      'No file matches',
    )
    expect(await count('nowhere').catch((error: Error) => error.message)).toContain(
      'has no files that end in .tsv',
    )
  })

  test('formats that read files of this machine alone say so', async () => {
    const coco = ingestConfig.parse({ format: 'coco', images: folder, instances: at('instances.json') })
    await expect(openSource(coco)).rejects.toThrow('the format coco reads files of this machine')
  })
})

test('files of the Hub are fetched when they are read, and not before', async () => {
  const parts = await hubFiles('hf://datasets/org/lists/parts', ['.tsv'])
  expect(parts.map(({ place }) => place.replace(/@[\da-f]{40}/, ''))).toEqual([
    'hf://datasets/org/lists/parts/a.tsv',
    'hf://datasets/org/lists/parts/b.tsv.gz',
    'hf://datasets/org/lists/parts/c.tsv',
  ])
  hub.add(
    'org/more',
    { 'a.tsv': 'url\tcaption\nu\tc\n', 'b.tsv': 'url\tcaption\nv\td\n' },
    { type: 'dataset' },
  )
  const config = ingestConfig.parse({ format: 'tsv', path: 'hf://datasets/org/more' })
  const source = await openSource(config)
  const asked = (path: string) =>
    hub.requests.some((one) => one.path.includes(`org/more/resolve`) && one.path.endsWith(path))
  // What the files are known by is known without them.
  await source.hash()
  expect(asked('a.tsv')).toBe(false)
  const looked = withoutFetching(async () => (await source.rows().next()).value)
  await expect(looked).rejects.toThrow(NotFetched)
  await expect(looked).rejects.toMatchObject({ bytes: 32 })
  const rows = source.rows()
  await rows.next()
  expect([asked('a.tsv'), asked('b.tsv')]).toEqual([true, false])
  await source.close()
})

test('a plan of Parquet files of the Hub reads their footers, and the column by which rows join', async () => {
  const bytes = await readFile(join(folder, 'pairs.parquet'))
  hub.add('org/tables', { 'a.parquet': bytes, 'b.parquet': bytes }, { type: 'dataset' })
  const source = await openSource(ingestConfig.parse({ format: 'parquet', path: 'hf://datasets/org/tables' }))
  const from = hub.requests.length
  expect((await planIngest(source)).rows).toBe(46)
  const asked = hub.requests.slice(from).filter(({ isCdn }) => isCdn)
  expect(asked.length).toBeGreaterThan(1)
  expect(asked.every(({ range }) => range !== undefined)).toBe(true)
  let rows = 0
  for await (const { place } of source.rows()) {
    expect(place).toMatch(/^hf:\/\/datasets\/org\/tables@[\da-f]{40}\/[ab]\.parquet/)
    rows++
  }
  expect(rows).toBe(46)
  await source.close()
})

describe('a whole dataset of Parquet files', () => {
  const parquetOf = async (id: string, card: string | null) => {
    hub.add(
      `org/${id}`,
      {
        ...(card !== null && { 'README.md': card }),
        'data/train-0.parquet': 'x',
        'data/test-0.parquet': 'y',
        'extra/z.parquet': 'z',
      },
      { type: 'dataset' },
    )
    const files = await hubFiles(`hf://datasets/org/${id}`, ['.parquet'])
    return files.map(({ place }) => place.replace(/.*@[\da-f]{40}\//, ''))
  }
  const configs = (text: string) => `---\nlicense: mit\nconfigs:\n${text}---\n# A card\n`
  const all = ['data/test-0.parquet', 'data/train-0.parquet', 'extra/z.parquet']

  test('is all of them where no card says which', async () => {
    expect(await parquetOf('no-card', null)).toEqual(all)
    expect(await parquetOf('no-configs', '---\nlicense: mit\n---\n')).toEqual(all)
  })

  test('is what the card has for its default configuration', async () => {
    const one =
      '- config_name: default\n  data_files:\n  - split: train\n    path: data/train-*\n  - split: test\n    path: data/test-*\n'
    expect(await parquetOf('splits', configs(one))).toEqual(all.slice(0, 2))
    const two =
      '- config_name: a\n  data_files: extra/*.parquet\n- config_name: b\n  default: true\n  data_files: data/train-*\n'
    expect(await parquetOf('two', configs(two))).toEqual(['data/train-0.parquet'])
    const none = '- config_name: a\n  data_files: extra/*.parquet\n- config_name: b\n  data_files: data/*\n'
    await expect(parquetOf('none', configs(none))).rejects.toThrow(
      'has several configurations (a, b): name the files of one, such as hf://datasets/org/none/extra/*.parquet',
    )
  })
})

test.each<[string, readonly string[], readonly string[]]>([
  ['a/*.tsv', ['a/.tsv', 'a/b.tsv'], ['a/b/c.tsv', 'a/b.tsv2', 'b.tsv']],
  ['**/x', ['x', 'a/x', 'a/b/x'], ['ax', 'a/xx']],
  ['a**', ['a', 'a/b/c'], ['b']],
  ['?.{csv,tsv}', ['a.csv', 'b.tsv'], ['ab.csv', '/.csv', 'a.json']],
  ['{08..11}{,x}', ['08', '09x', '10', '11x'], ['8', '12', '008', '07']],
  ['{5..1000000000}', ['5', '77', '1000000000'], ['4', '05', '1000000001']],
  ['(a+)[b]{c', ['(a+)[b]{c'], ['aab']],
])('the pattern %s names a path or does not', (pattern, those, others) => {
  expect(those.filter((path) => patternOf(pattern).test(path))).toEqual(those)
  expect(others.filter((path) => patternOf(pattern).test(path))).toEqual([])
})

test('objects that stand for folders are no files, and one whose name no address can hold is told', async () => {
  const { sdk, client } = await s3Client(parseS3(s3.url('')))
  const put = (Key: string) => client.send(new sdk.PutObjectCommand({ Bucket: 'bucket', Key, Body: 'x' }))
  for (const key of ['odd/marked/', 'odd/marked/a.tsv']) await put(key)
  const places = (await s3Files(s3.url('odd/marked/**'), ['.tsv'])).map(({ place }) => place)
  expect(places).toEqual([s3.url('odd/marked/a.tsv')])
  await put('odd/asked/what?.tsv')
  await expect(s3Files(s3.url('odd/asked'), ['.tsv'])).rejects.toThrow('has an object odd/asked/what?.tsv')
})

test('a pattern of a stranger takes no longer than it is', () => {
  expect(patternOf(`${'*a'.repeat(60)}b`).test('a'.repeat(300))).toBe(false)
  expect(patternOf(`${'{0..999999}'.repeat(9)}b`).test('7'.repeat(300))).toBe(false)
  expect(() => patternOf('{5..1}')).toThrow('is not a range of numbers')
})
