import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { ingestConfig, olderConfigHash } from '../../src/ingest/config.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import type { RunOptions } from '../../src/pipeline/run-options.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { openTaskRunner } from '../../src/pipeline/tasks/run-task.js'
import type { Families } from '../../src/rows/rows.js'
import { readDataset } from '../../src/shards/dataset.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { startGroundmill } from '../helpers/groundmill.js'
import { imageServer } from '../helpers/image-server.js'
import { hasRedis, redisServer } from '../helpers/redis-server.js'
import { withSource } from '../helpers/rows-of.js'
import { runCommand } from '../helpers/run-command.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const pictures = await Promise.all(
  [...Array(48).keys()].map((index) =>
    sharp({
      create: { width: 40 + index, height: 30, channels: 3, background: { r: 5 * index, g: 90, b: 9 } },
    })
      .jpeg()
      .toBuffer(),
  ),
)
/** Whether the host answers, and the pictures that it does not have. */
let isGone = false
const lacking = new Map<number, number>()
const { url, visits } = await imageServer(
  Object.fromEntries(
    pictures.map((picture, index) => [
      `/${index}.jpg`,
      (_, response) => {
        response.writeHead(isGone ? 503 : (lacking.get(index) ?? 200)).end(picture)
      },
    ]),
  ),
)
const asked = () => [...visits.keys()].map((path) => Number(/\d+/.exec(path)?.[0])).sort((a, b) => a - b)
const from = (first: number, end: number) => Array.from({ length: end - first }, (_, at) => first + at)

interface Crawl {
  readonly run: string
  readonly list: string
  readonly pipeline: string
}

let count = 0
beforeEach(() => {
  isGone = false
  lacking.clear()
  visits.clear()
})

const rowOf = (index: number) => `${url}/${index}.jpg\tpicture ${index}`
/** What a run says of rows that came to nothing because the host failed. */
const serversFail = (share: string, index: number) =>
  `http_503 ${share}: the servers fail: ${url}/${index}.jpg answered 503; later, run the same command again: it tries these rows again`
const writeRows = (list: string, rows: readonly string[]) =>
  writeFile(list, `url\tcaption\n${rows.map((row) => `${row}\n`).join('')}`)

/** A run of a list of pictures, ten in a shard. */
async function begin(rows: readonly string[], more = ''): Promise<Crawl> {
  const name = `crawl-${count++}`
  const [run, list, pipeline] = [
    join(folder, name),
    join(folder, `${name}.tsv`),
    join(folder, `${name}.yaml`),
  ]
  await writeRows(list, rows)
  await writeFile(
    pipeline,
    `name: crawl
stages:
  - name: web
    uses: ingest
    with:
      { format: tsv, path: ${list}, shard_size: 10, min_success_rate: 0, max_transient_rate: 1, ${more}
        fetch: { retries: 0, robots: false, allow_hosts: ["${url}"], concurrency: 8 } }
  - { name: words, uses: chunk, needs: [web] }
`,
  )
  await go({ run, list, pipeline })
  visits.clear()
  return { run, list, pipeline }
}

type Given = Pick<RunOptions, 'drop' | 'retryFailed' | 'engine' | 'slice'> & {
  readonly set?: readonly string[]
}

async function go({ run, pipeline }: Crawl, { set, ...options }: Given = {}) {
  const { outcomes } = await runPipeline(await readPipeline(pipeline, set ? { set } : {}), run, options)
  const web = outcomes.get('web')
  if (!web) throw new Error('nothing was crawled')
  return web
}

/** What a dataset has, shard by shard. */
async function contents({ run }: Crawl) {
  const storage = openStorage(join(run, 'web'))
  const { shards } = await readDataset(storage)
  const found: Record<string, readonly string[]> = {}
  for (const shard of shards) {
    const rows: string[] = []
    for await (const { key, captions, sha256 } of readShard(storage, 'images', null, shard))
      rows.push(`${key} ${captions[0]?.text} ${sha256}`)
    found[shard] = rows
  }
  return found
}

const picturesIn = async (crawl: Crawl) => Object.values(await contents(crawl)).flat().length
const recordsOf = async ({ run }: Crawl) => {
  const storage = openStorage(join(run, 'web'))
  const names = (await storage.list('images')).filter((name) => name.endsWith('.json'))
  return Promise.all(
    names.sort().map(async (name) => ({
      name: storage.path(name),
      ...JSON.parse(await readFile(storage.path(name), 'utf8')),
    })),
  )
}
const filesOf = async (crawl: Crawl) =>
  (await recordsOf(crawl)).map(({ files }) => [files.images.sha256, files.rejects.sha256])

const forty = from(0, 40).map(rowOf)

describe('a source that has grown', () => {
  it('is crawled where it is new, and nothing goes though its host is gone', async () => {
    const crawl = await begin(forty)
    const before = await contents(crawl)
    await writeRows(crawl.list, [...forty, rowOf(40)])
    isGone = true
    expect(await go(crawl)).toMatchObject({ ran: 1, skipped: 4, failed: [] })
    expect(asked()).toEqual([40])
    expect(await contents(crawl)).toEqual({ ...before, '00004': [] })
  })

  it('keeps the rows of its last shard', async () => {
    const crawl = await begin(from(0, 35).map(rowOf))
    await writeRows(crawl.list, forty)
    expect(await go(crawl)).toMatchObject({ ran: 1, skipped: 3, warnings: [] })
    expect(asked()).toEqual(from(35, 40))
    expect(await filesOf(crawl)).toEqual(await filesOf(await begin(forty)))
  })

  it('may have its rows in another file, other shards or no limit', async () => {
    const crawl = await begin(from(0, 20).map(rowOf), 'limit: 15,')
    const moved = join(folder, 'moved.tsv')
    await writeRows(moved, forty)
    await go(crawl, { set: [`web.path=${moved}`, 'web.limit=20'] })
    expect(asked()).toEqual(from(15, 20))
    await go(crawl, { set: [`web.path=${moved}`, 'web.limit=100'] })
    expect(asked()).toEqual(from(15, 40))
    expect(await picturesIn(crawl)).toBe(40)
  })
})

describe('a shard whose rows have changed', () => {
  it('keeps the pictures of the others under their new keys', async () => {
    lacking.set(3, 404)
    lacking.set(4, 503)
    const crawl = await begin(forty.slice(0, 10))
    visits.clear()
    const rows = forty.slice(0, 10)
    rows.splice(1, 1, rowOf(41))
    rows.splice(6, 1, rows[6]?.replace('picture', 'changed') ?? '')
    rows.reverse()
    await writeRows(crawl.list, rows)
    await go(crawl)
    // What is gone for good is not asked for, what may have passed is.
    expect(asked()).toEqual([4, 6, 41])
    lacking.delete(3)
    const again = await go(crawl, { retryFailed: 'all' })
    expect(again.ran).toBe(1)
    expect(asked()).toEqual([3, 4, 6, 41])
    const anew = await begin(rows)
    expect((await recordsOf(crawl))[0]).toMatchObject({ in: 10, out: 9, rejected: { http_503: 1 } })
    expect(await filesOf(crawl)).toEqual(await filesOf(anew))
    expect((await recordsOf(crawl))[0]?.stats).toEqual((await recordsOf(anew))[0]?.stats)
  })

  it('stays as it was where fewer pictures came in, and says so', async () => {
    const crawl = await begin(forty.slice(0, 10))
    const before = await contents(crawl)
    await writeRows(crawl.list, [...forty.slice(0, 8), rowOf(41), rowOf(42)])
    isGone = true
    const { warnings, ...outcome } = await go(crawl)
    expect(outcome).toMatchObject({ ran: 0, skipped: 1, failed: [] })
    expect(warnings).toEqual([
      'shard 00000 of "web" stays as it was, with 10 pictures: its source has changed, and only 8 came of it now (http_503 2). Run again when they can be had, or with --drop to replace it.',
    ])
    expect(await contents(crawl)).toEqual(before)
    isGone = false
    expect(await go(crawl)).toMatchObject({ ran: 1, warnings: [] })
    expect(await picturesIn(crawl)).toBe(10)
    await writeRows(crawl.list, forty.slice(0, 8).concat(rowOf(43), rowOf(44)))
    isGone = true
    expect(await go(crawl, { drop: true })).toMatchObject({ ran: 1, warnings: [serversFail('2 of 10', 43)] })
    expect(await picturesIn(crawl)).toBe(8)
  })

  it('stays where all are to be crawled anew and the host is gone', async () => {
    const crawl = await begin(forty.slice(0, 20))
    const before = await contents(crawl)
    isGone = true
    const set = ['web.image={image_size: 20}']
    expect(await go(crawl, { set })).toMatchObject({ ran: 0, skipped: 2, warnings: { length: 2 } })
    expect(await contents(crawl)).toEqual(before)
    isGone = false
    visits.clear()
    expect(await go(crawl, { set })).toMatchObject({ ran: 2, warnings: [] })
    expect(asked()).toEqual(from(0, 20))
  })

  it('counts for what ends a run whose rows mostly fail', async () => {
    // Of fewer rows nothing is said.
    const crawl = await begin(from(0, 200).map((index) => rowOf(index % 40)))
    isGone = true
    const set = ['web.image={image_size: 20}', 'web.max_transient_rate=0.5']
    await expect(go(crawl, { set })).rejects.toThrow(/of 1[0-9]0 rows failed for reasons that may pass/)
    expect(await picturesIn(crawl)).toBe(200)
  })

  it('is made anew where it is damaged', async () => {
    const crawl = await begin(forty.slice(0, 10))
    const [record] = await recordsOf(crawl)
    await writeFile(join(crawl.run, 'web', record?.files.images.path), 'none')
    await writeRows(crawl.list, [...forty.slice(0, 9), rowOf(41)])
    await go(crawl)
    expect(await picturesIn(crawl)).toBe(10)
  })
})

describe('a source with less than before', () => {
  it('leaves the shards that it no longer gives, unless they are to be dropped', async () => {
    const crawl = await begin(forty)
    const before = await contents(crawl)
    const set = ['web.limit=20']
    const refused = await go(crawl, { set }).catch((error: Error) => error)
    expect(refused).toBeInstanceOf(UserError)
    expect((refused as Error).message).toContain(
      '2 shards of 4 with 20 pictures would go. Nothing was changed.',
    )
    expect((refused as Error).message).toContain('--drop')
    await writeRows(crawl.list, forty.slice(0, 37))
    await expect(go(crawl)).rejects.toThrow('3 rows of shard 00003 would go')
    await writeRows(crawl.list, forty.slice(0, 27))
    await expect(go(crawl)).rejects.toThrow(
      '1 shard of 4 with 10 pictures and 3 rows of shard 00002 would go',
    )
    expect(await contents(crawl)).toEqual(before)
    expect(asked()).toEqual([])
    // Whole again, and all is there.
    await writeRows(crawl.list, forty)
    expect(await go(crawl)).toMatchObject({ ran: 0, skipped: 4 })

    expect(await go(crawl, { set, drop: true })).toMatchObject({ ran: 0, skipped: 2 })
    expect(asked()).toEqual([])
    const { '00002': _, '00003': __, ...left } = before
    expect(await contents(crawl)).toEqual(left)
    expect(
      (await openStorage(join(crawl.run, 'web')).list('phrases')).filter((name) => /0000[23]/.test(name)),
    ).toEqual([])
  })

  it('is one whose shards have another size', async () => {
    const crawl = await begin(forty)
    await expect(go(crawl, { set: ['web.shard_size=20'] })).rejects.toThrow('2 shards of 4 with 20 pictures')
    await expect(go(crawl, { set: ['web.shard_size=5'] })).rejects.toThrow('5 rows of shard 00000')
    expect(await picturesIn(crawl)).toBe(40)
    await go(crawl, { set: ['web.shard_size=5'], drop: true })
    expect(await picturesIn(crawl)).toBe(40)
  })
})

describe('however it is run', () => {
  /** An engine whose tasks go through JSON, and are made here as another process makes them. */
  const carried = (): RunOptions['engine'] => {
    const runner = openTaskRunner()
    return {
      window: 1,
      submit: (task, _, options) => runner.run(JSON.parse(JSON.stringify(task)), options),
      close: async () => void (await runner.close()),
    }
  }

  it.each([
    ['as tasks', async (crawl: Crawl, given: Given) => go(crawl, { ...given, engine: carried() })],
    [
      'as a slice',
      async (crawl: Crawl, given: Given) => go(crawl, { ...given, slice: { index: 0, count: 1 } }),
    ],
  ])('%s, shards and pictures go with `drop` alone', async (_, run) => {
    const crawl = await begin(forty.slice(0, 20))
    await writeRows(crawl.list, [...forty.slice(0, 18), rowOf(41), rowOf(42)])
    isGone = true
    expect(await run(crawl, {})).toMatchObject({
      ran: 0,
      skipped: 2,
      warnings: [expect.stringMatching(/00001.*only 8 came of it/)],
    })
    await expect(run(crawl, { set: ['web.limit=10'] })).rejects.toThrow(UserError)
    expect(await picturesIn(crawl)).toBe(20)
    expect(await run(crawl, { drop: true })).toMatchObject({
      ...{ ran: 1, skipped: 1 },
      warnings: [serversFail('2 of 20', 41)],
    })
    expect(await picturesIn(crawl)).toBe(18)
    expect(await run(crawl, { drop: true, set: ['web.limit=10'] })).toMatchObject({ ran: 0, skipped: 1 })
    expect(await picturesIn(crawl)).toBe(10)
  })

  it.runIf(hasRedis)('over a queue, shards and pictures go with `--drop` alone', async () => {
    const [crawl, shorter] = [await begin(forty.slice(0, 20)), await begin(forty.slice(0, 20))]
    await writeRows(crawl.list, [...forty.slice(0, 18), rowOf(41), rowOf(42)])
    isGone = true
    const { url: queue } = await redisServer(onTestFinished)
    const worker = startGroundmill(['worker', '--queue', queue])
    onTestFinished(async () => {
      worker.signal('SIGKILL')
      await worker.ended
    })
    const run = (of: Crawl, ...more: string[]) =>
      runCommand('run', of.pipeline, '--dataset', of.run, '--queue', queue, ...more)
    const kept = await run(crawl)
    expect(kept.err).toMatch(/shard 00001 of "web" stays as it was, with 10 pictures.*only 8 came of it/)
    expect(await picturesIn(crawl)).toBe(20)
    expect(await run(crawl, '--drop')).toMatchObject({ code: 0 })
    expect(await picturesIn(crawl)).toBe(18)
    const refused = await run(shorter, '--set', 'web.limit=10')
    expect(refused.code).toBe(2)
    expect(refused.err).toContain('--drop')
    expect(await picturesIn(shorter)).toBe(20)
    expect(await run(shorter, '--drop', '--set', 'web.limit=10')).toMatchObject({ code: 0 })
    expect(await picturesIn(shorter)).toBe(10)
  })

  it('as slices, a shard that stays keeps no stage waiting for it', async () => {
    const crawl = await begin(forty.slice(0, 20))
    const text = await readFile(crawl.pipeline, 'utf8')
    await writeFile(crawl.pipeline, `${text}  - { name: once, uses: dedup, needs: [web] }\n`)
    await go(crawl)
    isGone = true
    const set = ['web.image={image_size: 20}']
    const pipeline = await readPipeline(crawl.pipeline, { set })
    for (const index of [0, 1]) {
      const { stopped } = await runPipeline(pipeline, crawl.run, { slice: { index, count: 2 } })
      expect(stopped.map(({ why }) => why)).toEqual(index === 0 ? ['shards of other slices are missing'] : [])
    }
  })
})

describe('a dataset of an older version', () => {
  /** Says of its shards what older versions said. */
  async function age(crawl: Crawl, limit?: number) {
    const { stages } = await readPipeline(crawl.pipeline, limit ? { set: [`web.limit=${limit}`] } : {})
    const config = ingestConfig.parse(stages[0]?.with)
    const source = await withSource(config, (opened) => opened.hash())
    for (const { name, config: _, ...record } of await recordsOf(crawl)) {
      const inputs = { ...record.inputs, source }
      await writeFile(name, JSON.stringify({ ...record, configHash: olderConfigHash(config), inputs }))
    }
  }

  it('is not crawled again', async () => {
    const crawl = await begin(forty)
    await age(crawl)
    expect(await go(crawl)).toMatchObject({ ran: 0, skipped: 4 })
    expect(new Set((await recordsOf(crawl)).map(({ inputs }) => inputs.source)).size).toBe(4)
    await writeRows(crawl.list, [...forty, rowOf(40)])
    await go(crawl)
    expect(asked()).toEqual([40])
  })

  it('is not crawled again where its list has grown since, or is cut', async () => {
    const crawl = await begin(forty)
    await age(crawl)
    await writeRows(crawl.list, [...forty, rowOf(40)])
    expect(await go(crawl)).toMatchObject({ ran: 5, warnings: [] })
    expect(asked()).toEqual([40])
    await age(crawl)
    await go(crawl, { set: ['web.limit=20'], drop: true })
    expect(asked()).toEqual([40])
    expect(await picturesIn(crawl)).toBe(20)
  })
})

describe('rows with boxes that are fetched', () => {
  const categories = [
    { id: 1, name: 'cat' },
    { id: 2, name: 'dog' },
  ]
  const coco = (end: number, given: { readonly shift?: number; readonly name?: string } = {}) => ({
    images: from(0, end).map((id) => ({
      id,
      file_name: `${id}.jpg`,
      coco_url: `${url}/${id}.jpg`,
      width: 2 * (40 + id),
      height: 60,
    })),
    annotations: from(0, end).flatMap((id) => [
      {
        id: 2 * id + 1,
        image_id: id,
        category_id: 1,
        bbox: [4 + (id === 3 ? (given.shift ?? 0) : 0), 6, 30, 40],
        area: 1100,
        iscrowd: 0,
      },
      { id: 2 * id + 2, image_id: id, category_id: 2, bbox: [10, 10, 21, 13], area: 200, iscrowd: id % 2 },
    ]),
    categories: given.name ? [categories[0], { id: 2, name: given.name }] : categories,
  })

  async function begins(content: object): Promise<Crawl> {
    const name = `gold-${count++}`
    const [run, list, pipeline] = [
      join(folder, name),
      join(folder, 'gold.json'),
      join(folder, `${name}.yaml`),
    ]
    await writeFile(list, JSON.stringify(content))
    await writeFile(
      pipeline,
      `name: gold
stages:
  - name: web
    uses: ingest
    with:
      { format: coco, instances: ${list}, shard_size: 10, image: { image_size: 33 },
        fetch: { retries: 0, robots: false, allow_hosts: ["${url}"] } }
`,
    )
    await go({ run, list, pipeline })
    visits.clear()
    return { run, list, pipeline }
  }
  const all = async ({ run }: Crawl) => {
    const storage = openStorage(join(run, 'web'))
    const rows: Families['grounding'][] = []
    for await (const row of readShard(storage, 'grounding', 'web', '00000')) rows.push(row)
    return rows
  }

  it('are kept where their boxes and names are the same', async () => {
    const crawl = await begins(coco(7))
    await writeFile(crawl.list, JSON.stringify(coco(9, { shift: 12 })))
    await go(crawl)
    expect(asked()).toEqual([3, 7, 8])
    const found = await all(crawl)
    expect(found).toEqual(await all(await begins(coco(9, { shift: 12 }))))
    expect(found[3]?.regions[0]?.xyxy[0]).not.toBe(found[2]?.regions[0]?.xyxy[0])
    await writeFile(crawl.list, JSON.stringify(coco(9, { shift: 12, name: 'wolf' })))
    await go(crawl)
    expect(asked()).toEqual(from(0, 9))
  })
})
