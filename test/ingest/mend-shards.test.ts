import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeEach, describe, expect, it } from 'vitest'
import { checkDataset } from '../../src/catalog/check-dataset.js'
import { type Finding, isBad } from '../../src/catalog/finding.js'
import { isTransientReason } from '../../src/ingest/fetch/transient.js'
import { openParquet } from '../../src/parquet/open-parquet.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import type { Family, ImageRow } from '../../src/rows/rows.js'
import type { CommitRecord } from '../../src/shards/commit.js'
import { readShard } from '../../src/shards/read-shard.js'
import { damagedReason } from '../../src/shards/salvage-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { imageServer } from '../helpers/image-server.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const side = 96
/** Noise: pictures of several kilobytes, each other bytes. */
const pictures = await Promise.all(
  [...Array(24).keys()].map((index) =>
    sharp(
      Buffer.from(
        Array.from({ length: side * side * 3 }, (_, at) => (at * at * 7919 + at * 31 * index) >> 3),
      ),
      { raw: { width: side, height: side, channels: 3 } },
    )
      .jpeg({ quality: 95 })
      .toBuffer(),
  ),
)
const gone = 5
let isAway = false
const { url, visits } = await imageServer(
  Object.fromEntries(
    pictures.map((picture, index) => [
      `/${index}.jpg`,
      (_, response) => {
        response.writeHead(isAway ? 503 : index === gone ? 404 : 200, { 'content-type': 'image/jpeg' })
        response.end(picture)
      },
    ]),
  ),
)
const asked = () => [...visits.keys()].map((path) => Number(/\d+/.exec(path)?.[0])).sort((a, b) => a - b)
beforeEach(() => visits.clear())

let count = 0

/** A crawl of 24 pictures in two shards, one of which is not there, and phrases of their captions. */
async function crawl(more = '') {
  const name = `crawl-${count++}`
  const [run, list, pipeline] = [
    join(folder, name),
    join(folder, `${name}.tsv`),
    join(folder, `${name}.yaml`),
  ]
  const rows = pictures.map((_, index) => `${url}/${index}.jpg\ta small red cat on mat ${index}\n`)
  await writeFile(list, `url\tcaption\n${rows.join('')}`)
  await writeFile(
    pipeline,
    `name: crawl
stages:
  - name: web
    uses: ingest
    with:
      { format: tsv, path: ${list}, shard_size: 12, min_success_rate: 0, max_transient_rate: 1, ${more}
        fetch: { retries: 0, robots: false, allow_hosts: ["${url}"], concurrency: 8 } }
  - { name: words, uses: chunk, needs: [web] }
`,
  )
  const go = async () => {
    const { outcomes } = await runPipeline(await readPipeline(pipeline), run)
    return [...outcomes.values()].map(({ ran, skipped, failed }) => ({ ran, skipped, failed: failed.length }))
  }
  await go()
  const storage = openStorage(join(run, 'web'))
  const record = async () =>
    JSON.parse(await readFile(storage.path('images/00000.json'), 'utf8')) as CommitRecord
  const before = await record()
  visits.clear()
  return {
    storage,
    record,
    before,
    go,
    path: (family: Family) => storage.path(before.files[family]?.path as string),
    async mend() {
      const findings: Finding[] = []
      await checkDataset(storage, { deep: true, mend: true, onFinding: (one) => findings.push(one) })
      return { findings, bad: findings.filter(isBad) }
    },
    async keys() {
      const keys: string[] = []
      for await (const { key } of readShard(storage, 'images', null, '00000', { columns: ['key'] }))
        keys.push(key)
      return keys
    },
    async rejected() {
      const rows: string[] = []
      for await (const { key, reason } of readShard(storage, 'rejects', 'web', '00000'))
        rows.push(`${key} ${reason}`)
      return rows
    },
  }
}

type Crawl = Awaited<ReturnType<typeof crawl>>

async function damage(path: string, change: (bytes: Buffer) => Buffer) {
  await writeFile(path, change(await readFile(path)))
}

function flip(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] as number) ^ 4
  return bytes
}

/** Where the pages of a column lie. */
async function columnAt(path: string, column: string) {
  const { footer, close } = await openParquet(path)
  await close()
  const chunk = footer.groups[0]?.chunks.find(({ path }) => path.join('.').startsWith(column))
  if (!chunk) throw new Error(`there is no column ${column}`)
  return chunk
}

/** The same files as those of the undisturbed run, and a record that says the same. */
async function expectSame({ record, before, mend, go }: Crawl) {
  const now = await record()
  expect(now.files).toEqual(before.files)
  for (const name of ['inputs', 'configHash', 'in', 'out', 'rejected', 'stats', 'config'] as const)
    expect(now[name]).toEqual(before[name])
  expect((await mend()).bad).toEqual([])
  visits.clear()
  expect((await go()).every(({ ran, failed }) => ran === 0 && failed === 0)).toBe(true)
  expect(asked()).toEqual([])
}

const ran = (web: number, words = 0) => [
  { ran: web, skipped: 2 - web, failed: 0 },
  { ran: words, skipped: 2 - words, failed: 0 },
]

describe('check --mend of a damaged shard of pictures', () => {
  it('keeps all pictures but the one that is wrong, and the next run asks for that alone', async () => {
    const one = await crawl()
    await damage(one.path('images'), (bytes) => flip(bytes, bytes.indexOf(pictures[3] as Buffer) + 2000))
    const { findings, bad } = await one.mend()
    expect(bad).toEqual([])
    const aside = `${one.before.files.images?.path}.damaged`
    expect(findings[0]).toMatchObject({
      kind: 'wrong',
      lost: ['000000003'],
      mended: `10 of 11 pictures are whole and stay; 1 row is lost, and asked for again by the next run: 000000003; the next run holds captions and boxes against the source; the damaged file stays as ${aside}`,
    })
    expect(await one.keys()).not.toContain('000000003')
    expect(await one.rejected()).toEqual(['000000003 damaged', `00000000${gone} http_404`])
    expect(await one.record()).toMatchObject({ in: 12, out: 10, rejected: { damaged: 1, http_404: 1 } })
    // What was made of the whole shard is right again.
    expect(await one.go()).toEqual(ran(1))
    expect(asked()).toEqual([3])
    await expectSame(one)
    const { findings: later } = await one.mend()
    expect(later).toEqual([{ kind: 'foreign', name: aside, what: expect.stringContaining('delete it when') }])
    expect(isTransientReason(damagedReason)).toBe(true)
  })

  it.each([
    ['cut behind its rows', (bytes: Buffer) => bytes.subarray(0, bytes.length - 300)],
    ['with a broken footer', (bytes: Buffer) => flip(bytes, bytes.length - 700)],
    ['with a wrong length at its end', (bytes: Buffer) => flip(bytes, bytes.length - 7)],
  ])('writes a file anew that is %s', async (_, change) => {
    const one = await crawl()
    await damage(one.path('images'), change)
    const { findings, bad } = await one.mend()
    expect(bad).toEqual([])
    expect(findings.map(({ mended }) => mended)).toEqual(['written anew, as it was'])
    await expectSame(one)
  })

  it('keeps pictures whose captions cannot be read, or are others', async () => {
    const one = await crawl()
    const { end } = await columnAt(one.path('images'), 'captions.list.item.text')
    await damage(one.path('images'), (bytes) => bytes.fill(0, end - 40, end))
    expect((await one.mend()).bad).toEqual([])
    expect(await one.keys()).toHaveLength(11)
    expect(await one.go()).toEqual(ran(1))
    expect(asked()).toEqual([])
    await expectSame(one)
  })

  it('crawls again what nothing tells', async () => {
    const one = await crawl()
    const { start, end } = await columnAt(one.path('images'), 'sha256')
    await damage(one.path('images'), (bytes) => bytes.fill(0, start, end))
    const { findings } = await one.mend()
    expect(findings[0]?.mended).toMatch(
      /^record and files removed: .*; the damaged file stays as images.*\.damaged$/,
    )
    expect(await one.go()).toEqual(ran(1))
    expect(asked()).toHaveLength(12)
    await expectSame(one)
  })

  it('knows pictures that were encoded anew by the sums of their blocks', async () => {
    const one = await crawl('image: { image_size: 80 },')
    const { files } = one.before
    expect(files.images?.blocks).toMatch(/^[\w+/=]{8,}$/)
    const { start } = await columnAt(one.path('images'), 'image.bytes')
    await damage(one.path('images'), (bytes) => flip(bytes, start + 5000))
    const { findings, bad } = await one.mend()
    expect(bad).toEqual([])
    const lost = (findings[0]?.lost ?? []).map((key) => Number(key.slice(5)))
    const kept = await one.keys()
    expect(kept.length).toBeGreaterThan(0)
    expect(lost.length + kept.length).toBe(11)
    expect(await one.go()).toEqual(ran(1))
    expect(asked()).toEqual(lost)
    await expectSame(one)
  })

  it('keeps the pictures beside a damaged file of what was rejected', async () => {
    const one = await crawl()
    await damage(one.path('rejects'), (bytes) => bytes.subarray(0, 20))
    const { findings } = await one.mend()
    expect(findings[0]?.lost).toEqual([`00000000${gone}`])
    expect(await one.record()).toMatchObject({ out: 11, rejected: { damaged: 1 } })
    expect(await one.go()).toEqual(ran(1))
    expect(asked()).toEqual([gone])
    await expectSame(one)
  })
})

/** A record without what differs from run to run. */
function made(record: CommitRecord) {
  const { createdAt: _, seconds: __, checksum: ___, ...same } = record as CommitRecord & { checksum: string }
  return same
}

describe('a record of pictures that cannot be read', () => {
  const broken: Readonly<Record<string, (text: Buffer) => Buffer>> = {
    'cut in half': (text) => text.subarray(0, text.length >> 1),
    empty: () => Buffer.alloc(0),
    'no JSON': (text) => Buffer.from(text.toString().replace('{', '[')),
    'of sums that do not add up': (text) => Buffer.from(text.toString().replace('"out": 11', '"out": 10')),
  }

  it.each(Object.keys(broken))(
    'is written anew of the pictures, which are not asked for again: %s',
    async (what) => {
      const one = await crawl()
      const name = one.storage.path('images/00000.json')
      const whole = await one.keys()
      await damage(name, broken[what] as (text: Buffer) => Buffer)
      const { findings, bad } = await one.mend()
      expect(bad).toEqual([])
      expect(findings.find((finding) => finding.name === 'images/00000.json')?.mended).toBe(
        'written anew of its file, with 11 pictures: the next run holds them against the source',
      )
      expect(await one.keys()).toEqual(whole)
      expect(await one.rejected()).toEqual([`00000000${gone} ${damagedReason}`])
      expect((await one.mend()).findings).toEqual([])
      await one.go()
      expect(asked()).toEqual([gone])
      const now = made(await one.record())
      const before = made(one.before)
      expect(now).toEqual(before)
      expect(await one.rejected()).toEqual([`00000000${gone} http_404`])
    },
  )

  it('leaves the pictures where they cannot be had again, though nobody knows how they were made', async () => {
    const one = await crawl('image: { image_size: 48, resize: keep_ratio },')
    const whole = await one.keys()
    await damage(one.storage.path('images/00000.json'), (text) => text.subarray(0, 100))
    await one.mend()
    isAway = true
    await one.go()
    isAway = false
    expect(asked()).toHaveLength(12)
    expect(await one.keys()).toEqual(whole)
    await one.go()
    const now = made(await one.record())
    const before = made(one.before)
    expect(now).toEqual(before)
  })

  it.each(['00000999999999999', 'x', ''])(
    'goes where the keys of its file are of no shard: "%s"',
    async (key) => {
      const one = await crawl()
      const rows: ImageRow[] = []
      for await (const row of readShard(one.storage, 'images', null, '00000')) rows.push({ ...row, key })
      const file = await putShard(one.storage, 'images', null, '00000', rows.slice(0, 1))
      await damage(one.storage.path('images/00000.json'), () => Buffer.alloc(0))
      const { findings } = await one.mend()
      expect(findings.map(({ mended }) => mended)).toContain(
        `record and files removed: the next run makes the shard anew; what was there stays as ${file.path}.damaged`,
      )
    },
  )

  it('goes where its file is not what its name says, and the file stays aside', async () => {
    const one = await crawl()
    await damage(one.storage.path('images/00000.json'), () => Buffer.alloc(0))
    await damage(one.path('images'), (bytes) => flip(bytes, 300))
    const { findings } = await one.mend()
    const aside = `${one.before.files.images?.path}.damaged`
    expect(findings.map(({ mended }) => mended)).toContain(
      `record and files removed: the next run makes the shard anew; what was there stays as ${aside}`,
    )
    expect(await one.storage.exists(aside)).toBe(true)
  })
})
