import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { ingestConfig } from '../../src/ingest/config.js'
import { watchHealth } from '../../src/ingest/fetch/crawl-health.js'
import { createFetcher } from '../../src/ingest/fetch/fetch-image.js'
import type { Lookup } from '../../src/ingest/fetch/resolve-host.js'
import { isTransientReason } from '../../src/ingest/fetch/transient.js'
import { ingestShard } from '../../src/ingest/ingest-shard.js'
import { openSource } from '../../src/ingest/open-source.js'
import { planIngest } from '../../src/ingest/plan-ingest.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { imageServer } from '../helpers/image-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const picture = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#c33' } })
  .jpeg()
  .toBuffer()
let isDown = false
const { url, visits } = await imageServer({
  '/robots.txt': (_, response) => response.writeHead(isDown ? 503 : 404).end(),
  '/a.jpg': (_, response) => response.writeHead(isDown ? 503 : 200).end(picture),
  '/drip.jpg': (_, response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('x'), 50)
    response.on('close', () => clearInterval(timer))
  },
})
const { port } = new URL(url)
const hosts = ['good.example', 'drip.example']
const lookup: Lookup = async (host) => {
  if (!host.endsWith('dead.example')) return { addresses: ['127.0.0.1'], ttl: 60 }
  await new Promise((resolve) => setTimeout(resolve, 20))
  throw Object.assign(new Error('queryA ETIMEOUT'), { code: 'ETIMEOUT', syscall: 'queryA' })
}
let count = 0

/** Crawls a list, as one shard, and says what became of its rows, in their order. */
async function crawl(addresses: readonly string[], given: object = {}) {
  const path = join(folder, `list-${count++}.tsv`)
  await writeFile(path, `url\tcaption\n${addresses.map((address, at) => `${address}\t${at}\n`).join('')}`)
  const fetch = { retries: 1, timeout_ms: 1500, allow_hosts: hosts, ...given }
  const config = ingestConfig.parse({ format: 'tsv', path, join: 'no', fetch })
  const source = await openSource(config)
  const plan = await planIngest(source)
  const storage = openStorage(`${path}.dataset`)
  const health = watchHealth(plan.rows, 0.5)
  const fetcher = createFetcher(config.fetch, { lookup, health })
  const task = { storage, stage: 's', shard: '00000', configHash: 'c', inputs: {} }
  const { record } = await ingestShard(task, source, plan.shards[0], fetcher)
  await fetcher.close()
  await source.close()
  const keys: string[] = []
  for await (const { key, captions } of readShard(storage, 'images', null, '00000')) {
    expect(captions[0]?.text).toBe(String(Number(key)))
    keys.push(key)
  }
  expect(keys).toEqual([...keys].sort())
  const rejects: { key: string | null; reason: string; detail: string | null; url: string | null }[] = []
  for await (const row of readShard(storage, 'rejects', 's', '00000')) rejects.push(row)
  return { record, rejects }
}
const times = (number: number, address: string) => Array<string>(number).fill(address)
const good = `http://good.example:${port}/a.jpg`

describe('a crawl', () => {
  it('goes on past a host whose answers drip, in the order of its list', async () => {
    visits.clear()
    const drip = `http://drip.example:${port}/drip.jpg`
    const { record, rejects } = await crawl([...times(20, good), ...times(150, drip), ...times(200, good)])
    expect(record.out).toBe(220)
    expect(rejects.map(({ key }) => key)).toEqual(
      Array.from({ length: 150 }, (_, at) => `00000${String(20 + at).padStart(4, '0')}`),
    )
    expect(rejects.every(({ reason }) => isTransientReason(reason))).toBe(true)
    expect(record.rejected.host_down).toBeGreaterThan(100)
    // Each of the 150, twice, would wait for its timeout.
    expect(visits.get('/drip.jpg')).toBeLessThan(20)
  })

  it('with name servers that fail stops asking them, and the rows may come in another time', async () => {
    const addresses = Array.from({ length: 400 }, (_, at) => `http://${at}.dead.example/a.jpg`)
    const { record, rejects } = await crawl(addresses)
    expect(record).toMatchObject({ in: 400, out: 0 })
    expect(record.rejected.not_tried).toBeGreaterThan(0)
    expect(rejects.every(({ reason }) => isTransientReason(reason))).toBe(true)
    expect(rejects.find(({ reason }) => reason === 'not_tried')?.detail).toMatch(/10\d of the last.*dns 10\d/)
  })

  it('stores no password of an address', async () => {
    const { rejects } = await crawl([
      `http://name:secret@good.example:${port}/a.jpg`,
      'ftp://name:secret@good.example/a.jpg',
      'http://name:secret@good.example:port/a.jpg',
      'name:secret@good.example/a.jpg',
    ])
    expect(rejects.map(({ url }) => url)).toEqual([
      `http://***@good.example:${port}/a.jpg`,
      'ftp://***@good.example/a.jpg',
      'http://***@good.example:port/a.jpg',
      'name:***@good.example/a.jpg',
    ])
    expect(JSON.stringify(rejects)).not.toMatch(/secret/)
  })

  it('of a host that is down stops before its list is consumed, and a plain rerun has all of it', async () => {
    const path = join(folder, 'down.tsv')
    const rows = 900
    await writeFile(
      path,
      `url\tcaption\n${Array.from({ length: rows }, (_, at) => `${url}/a.jpg\t${at}\n`).join('')}`,
    )
    const pipeline = join(folder, 'down.yaml')
    const fetch = `{ retries: 0, allow_hosts: ["${url}"] }`
    await writeFile(
      pipeline,
      `name: down
stages:
  - { name: web, uses: ingest, with: { format: tsv, path: ${path}, join: no, shard_size: 300, fetch: ${fetch} } }
`,
    )
    const run = join(folder, 'down')
    const crawled = async () => runPipeline(await readPipeline(pipeline), run)
    isDown = true
    visits.clear()
    await expect(crawled()).rejects.toThrow(
      /rows failed for reasons that may pass.*robots_unreachable.*same command/,
    )
    expect([...visits.values()].reduce((sum, number) => sum + number, 0)).toBeLessThan(20)
    isDown = false
    const { outcomes } = await crawled()
    expect(outcomes.get('web')).toMatchObject({ ran: 3, skipped: 0, failed: [] })
    let pictures = 0
    for (const shard of ['00000', '00001', '00002'])
      for await (const _ of readShard(openStorage(join(run, 'web')), 'images', null, shard)) pictures++
    expect(pictures).toBe(rows)
    expect((await crawled()).outcomes.get('web')).toMatchObject({ ran: 0, skipped: 3 })
  })
})
