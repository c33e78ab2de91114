import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { ingestConfig } from '../../src/ingest/config.js'
import { createFetcher } from '../../src/ingest/fetch/fetch-image.js'
import { ingestShard } from '../../src/ingest/ingest-shard.js'
import { openSource } from '../../src/ingest/open-source.js'
import { parseRetried } from '../../src/ingest/parse-retried.js'
import { planIngest } from '../../src/ingest/plan-ingest.js'
import { retryShard } from '../../src/ingest/retry-shard.js'
import { watchSuccess } from '../../src/ingest/watch-success.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { readCommit } from '../../src/shards/commit.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { imageServer } from '../helpers/image-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const picture = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#c33' } })
  .jpeg()
  .toBuffer()
/** What the server answers by the first letter of a picture's name; a test mends some of them. */
const status: Record<string, number> = {}
const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const { url, visits } = await imageServer(
  Object.fromEntries(
    letters.map((letter) => [
      `/${letter}.jpg`,
      (_, response) => {
        response.writeHead(status[letter] ?? 200).end(picture)
      },
    ]),
  ),
)

let count = 0
async function crawl(broken: Record<string, number>, given: object = {}) {
  for (const letter of letters) delete status[letter]
  Object.assign(status, broken)
  const name = `list-${count++}`
  const path = join(folder, `${name}.tsv`)
  await writeFile(
    path,
    `url\tcaption\n${letters.map((letter) => `${url}/${letter}.jpg\t${letter}\n`).join('')}`,
  )
  const config = ingestConfig.parse({
    format: 'tsv',
    path,
    fetch: { retries: 0, robots: false, allow_hosts: [url] },
    ...given,
  })
  const storage = openStorage(join(folder, name))
  const source = await openSource(config)
  const [plan] = (await planIngest(source)).shards
  const task = { storage, stage: 's', shard: '00000', configHash: 'c', inputs: {} }
  const fetcher = createFetcher(config.fetch)
  const { record } = await ingestShard(task, source, plan, fetcher)
  visits.clear()
  const retry = (reasons: string, changed = task, one = fetcher) =>
    retryShard(changed, source, plan, one, parseRetried(reasons))
  /** As another process does it, which knows nothing of the host. */
  const retryAnew = async () => {
    const anew = createFetcher(config.fetch)
    visits.clear()
    await retry('transient', task, anew)
    await anew.close()
    return contents(storage)
  }
  return { storage, record, task, retry, retryAnew, path }
}

async function contents(storage: Storage) {
  const images: string[] = []
  for await (const { key, captions, image } of readShard(storage, 'images', null, '00000')) {
    expect(Buffer.from(image.bytes).equals(picture)).toBe(true)
    images.push(`${key} ${captions[0].text}`)
  }
  const rejects: string[] = []
  for await (const { key, reason } of readShard(storage, 'rejects', 's', '00000'))
    rejects.push(`${key} ${reason}`)
  return { images, rejects }
}

describe('rejected rows that are tried again', () => {
  it('come in where they belong, and nothing else is asked for', async () => {
    const { storage, record, retry } = await crawl({ a: 500, c: 404, e: 503, h: 500 })
    expect(record).toMatchObject({ in: 8, out: 4, rejected: { http_500: 2, http_404: 1, http_503: 1 } })
    delete status.a
    delete status.h
    status.e = 404
    const result = await retry('transient')
    expect(result?.skipped).toBe(false)
    expect([...visits.keys()].sort()).toEqual(['/a.jpg', '/e.jpg', '/h.jpg'])
    const made = await readCommit(storage, 'images', null, '00000')
    expect(made).toMatchObject({ in: 8, out: 6, rejected: { http_404: 2 } })
    expect(made).toEqual(result?.record)
    expect(made?.stats.counts).toMatchObject({ images: 6, captions: 6, image_bytes: 6 * picture.length })
    expect(await contents(storage)).toEqual({
      images: ['000000000 a', '000000001 b', '000000003 d', '000000005 f', '000000006 g', '000000007 h'],
      rejects: ['000000002 http_404', '000000004 http_404'],
    })
  })

  it('give the very shard that a first crawl would have given', async () => {
    const { storage, retry } = await crawl({ b: 500, g: 404 })
    delete status.b
    delete status.g
    await retry('all')
    const { storage: calm } = await crawl({})
    const [mended, made] = await Promise.all(
      [storage, calm].map((one) => readCommit(one, 'images', null, '00000')),
    )
    expect(mended?.files.images?.sha256).toBe(made?.files.images?.sha256)
    expect(mended?.stats).toEqual(made?.stats)
    expect(mended?.rejected).toEqual({})
  })

  it('are all asked for in time, though their host fails for the first of them for ever', async () => {
    const fetch = { retries: 0, robots: false, host_failures: 2, per_host: 1, allow_hosts: [url] }
    const { record, retryAnew } = await crawl({ a: 503, b: 503, c: 503, d: 503, e: 503 }, { fetch })
    // A third one may be under way when the second fails.
    expect(record.rejected.host_down).toBeGreaterThanOrEqual(5)
    const whole = {
      images: ['000000005 f', '000000006 g', '000000007 h'],
      rejects: [0, 1, 2, 3, 4].map((index) => `00000000${index} http_503`),
    }
    let runs = 1
    while ((await retryAnew()).images.length < 3 && runs < 5) runs++
    expect(runs).toBeLessThan(4)
    const asked = new Set<string>()
    for (runs = 0; runs < 60 && asked.size < 5; runs++) {
      expect(await retryAnew()).toEqual(whole)
      // Some of those that fail are asked for, in no order, and then it is enough; the others stay what they were.
      expect(visits.size).toBeGreaterThanOrEqual(2)
      expect(visits.size).toBeLessThan(5)
      for (const path of visits.keys()) asked.add(path)
    }
    expect(asked.size).toBe(5)
  })

  it('are those of the reasons that are named', async () => {
    const { retry } = await crawl({ a: 500, b: 404, c: 403 })
    await retry('http_404,http_403')
    expect([...visits.keys()].sort()).toEqual(['/b.jpg', '/c.jpg'])
    expect(() => parseRetried('a,,b')).toThrow(/transient, all, or reasons/)
  })

  it('leave the pictures alone where none came in', async () => {
    const { storage, record, retry } = await crawl({ a: 500, b: 503 })
    status.a = 404
    const result = await retry('transient')
    expect(result?.record.files.images).toEqual(record.files.images)
    expect(result?.record.rejected).toEqual({ http_404: 1, http_503: 1 })
    expect((await contents(storage)).rejects).toEqual(['000000000 http_404', '000000001 http_503'])
  })

  it('are none for want of such, and then the source is not read', async () => {
    const { retry, path } = await crawl({ a: 404 })
    await rm(path)
    expect((await retry('transient'))?.skipped).toBe(true)
    expect(visits.size).toBe(0)
  })

  it('are none where all came in, or where the shard is of another configuration', async () => {
    const { retry, task } = await crawl({})
    expect((await retry('all'))?.skipped).toBe(true)
    expect(await retry('all', { ...task, configHash: 'other' })).toBeUndefined()
    expect(visits.size).toBe(0)
  })

  it('leave the shard as it was when they are interrupted', async () => {
    const { storage, retry, task } = await crawl({ a: 500, b: 500 })
    delete status.a
    const before = await contents(storage)
    const abort = new AbortController()
    const onProgress = () => abort.abort()
    await expect(retry('all', { ...task, signal: abort.signal, onProgress } as typeof task)).rejects.toThrow()
    expect(await contents(storage)).toEqual(before)
    expect(await readCommit(storage, 'images', null, '00000')).toMatchObject({ out: 6 })
  })

  it('are asked for by a plain rerun of the pipeline, which then has its later stages run again', async () => {
    const { path } = await crawl({ a: 500 })
    const pipeline = join(folder, 'retry.yaml')
    const fetch = `{ retries: 0, allow_hosts: ["${url}"] }`
    await writeFile(
      pipeline,
      `name: retry
stages:
  - { name: web, uses: ingest, with: { format: tsv, path: ${path}, fetch: ${fetch}, min_success_rate: 0.95 } }
  - { name: phrases, uses: chunk, needs: [web] }
`,
    )
    const run = join(folder, 'run')
    const first = await runPipeline(await readPipeline(pipeline), run)
    expect(first.outcomes.get('web')?.warnings).toEqual([
      '7 of 8 rows came in, less than min_success_rate 0.95 (http_500 1)',
      `http_500 1 of 8: the servers fail: ${url}/a.jpg answered 500; later, run the same command again: it tries these rows again`,
    ])
    delete status.a
    const again = await runPipeline(await readPipeline(pipeline), run, { retryFailed: 'no' })
    expect([...again.outcomes.values()].map(({ ran }) => ran)).toEqual([0, 0])
    const retried = await runPipeline(await readPipeline(pipeline), run)
    expect([...retried.outcomes.values()].map(({ ran }) => ran)).toEqual([1, 1])
    expect(retried.outcomes.get('web')?.warnings).toEqual([])
    const stop = { set: ['web.min_success_rate=0.95', 'web.low_success=stop', 'web.limit=7'] }
    status.b = 404
    await expect(runPipeline(await readPipeline(pipeline, stop), join(folder, 'stopped'))).rejects.toThrow(
      /6 of 7 rows came in.*http_404 1.*--retry-failed/,
    )
  })
})

describe('a run that is made again', () => {
  it('asks for all in time, though a shard before has rows for which their host fails for ever', async () => {
    for (const letter of letters) delete status[letter]
    Object.assign(status, { a: 503, b: 503, c: 503, d: 503 })
    const list = join(folder, 'shards.tsv')
    const rows = ['h', 'a', 'b', 'c', 'd', 'e', 'f', 'g'].map((letter) => `${url}/${letter}.jpg\t${letter}\n`)
    await writeFile(list, `url\tcaption\n${rows.join('')}`)
    const fetch = `{ retries: 0, robots: false, host_failures: 2, per_host: 1, allow_hosts: ["${url}"] }`
    const pipeline = join(folder, 'shards.yaml')
    const web = `{ format: tsv, path: ${list}, shard_size: 5, max_transient_rate: 1, fetch: ${fetch} }`
    await writeFile(pipeline, `name: shards\nstages: [{ name: web, uses: ingest, with: ${web} }]\n`)
    const run = join(folder, 'shards')
    const kept: number[] = []
    for (let again = 0; again < 4; again++) {
      await runPipeline(await readPipeline(pipeline), run)
      const made = ['00000', '00001'].map((shard) =>
        readCommit(openStorage(join(run, 'web')), 'images', null, shard),
      )
      kept.push((await Promise.all(made)).reduce((sum, record) => sum + (record?.out ?? 0), 0))
    }
    // Those of the second shard wait for nobody once all of the first have been asked for.
    expect(kept[0]).toBe(1)
    expect(kept.at(-1)).toBe(4)
    visits.clear()
    await runPipeline(await readPipeline(pipeline), run)
    expect([...visits.keys()].every((path) => /[abcd]\.jpg/.test(path))).toBe(true)
  })
})

describe('a watch on success', () => {
  it('warns once, when it has seen enough', () => {
    const warnings: string[] = []
    const config = { min_success_rate: 0.5, low_success: 'warn', max_transient_rate: 0.5 } as const
    const watch = watchSuccess(config, 10_000, (message) => warnings.push(message))
    watch.add({ in: 100, out: 10, rejected: { http_404: 90 } })
    watch.check()
    expect(warnings).toEqual([])
    watch.add({ in: 100, out: 80, rejected: { dns: 20 } })
    watch.check()
    watch.check()
    expect(warnings).toEqual(['90 of 200 rows came in, less than min_success_rate 0.5 (http_404 90, dns 20)'])
  })

  it('ends a run whose rows mostly fail for what may pass, and one that had rows left untried', () => {
    const watch = (share = 0.5) =>
      watchSuccess({ min_success_rate: 0, low_success: 'warn', max_transient_rate: share }, 10_000, () => {})
    const failing = { in: 300, out: 100, rejected: { dns: 160, http_404: 40 } }
    const one = watch()
    one.add(failing)
    expect(() => one.check()).toThrow(/^160 of 300 rows failed.*\(dns 160\).*kept.*servers.*same command/)
    const other = watch()
    other.add({ ...failing, skipped: true })
    other.check()
    const third = watch(1)
    third.add(failing)
    third.check()
    third.add({ in: 1000, out: 990, rejected: { not_tried: 10 } })
    expect(() => third.check()).toThrow(/not_tried 10/)
  })
})
