import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, it } from 'vitest'
import { readLineage } from '../../src/card/lineage.js'
import { trainingFigures, trainingSummaryText } from '../../src/card/training-summary.js'
import { crawledHosts } from '../../src/query/crawled-hosts.js'
import { runQuery } from '../../src/query/run-query.js'
import { createDataset } from '../../src/shards/dataset.js'
import { readShard } from '../../src/shards/read-shard.js'
import type { Storage } from '../../src/storage/storage.js'
import { imageServer } from '../helpers/image-server.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const picture = (width: number) =>
  sharp({ create: { width, height: 30, channels: 3, background: { r: width, g: 90, b: 9 } } })
    .jpeg()
    .toBuffer()
const bytes = await Promise.all([40, 90, 150, 60, 70].map(picture))
const { url } = await imageServer({
  '/robots.txt': (_, response) => response.end('User-agent: *\nDisallow: /private/'),
  ...Object.fromEntries(
    bytes.map((one, index) => [
      `/${index}.jpg`,
      (_: unknown, response: { end(body: Buffer): void }) => response.end(one),
    ]),
  ),
  '/private/5.jpg': (_, response) => response.end(bytes[0]),
  '/6.jpg': (_, response) => response.setHeader('X-Robots-Tag', 'noai').end(bytes[0]),
  '/7.jpg': (_, response) => response.writeHead(402).end('pay'),
})
const other = url.replace('127.0.0.1', 'localhost')
const addresses = [
  ...[`${url}/0.jpg`, `${url}/1.jpg`, `${url}/2.jpg`, `${other}/3.jpg`, `${url}/4.jpg`],
  ...[`${url}/private/5.jpg`, `${url}/6.jpg`, `${url}/7.jpg`],
]
const instances = join(folder, 'instances.json')
await writeFile(
  instances,
  JSON.stringify({
    images: addresses.map((coco_url, id) => ({ id, file_name: `${id}.jpg`, coco_url })),
    annotations: [0, 1, 2, 3].map((id) => ({ id, image_id: id, category_id: 1, bbox: [2, 2, 20, 20] })),
    categories: [{ id: 1, name: 'dog' }],
  }),
)
const { storage, plan } = await ingestAll(join(folder, 'dogs'), {
  ...{ format: 'coco', instances, shard_size: 3 },
  fetch: { allow_hosts: ['127.0.0.1', 'localhost'], user_agent: 'dogs/1.0 (+https://dogs.example)' },
})
const shards = plan.shards.map(({ shard }) => shard)
await createDataset(storage, {
  ...{ name: 's', shards },
  card: { title: 'Dogs of the web', homepage: 'https://dogs.example', license: 'CC0' },
})
const lineage = await readLineage({ storage, shards, grounding: 's' })
const hosts = await crawledHosts(storage)
const parts = { about: {}, lineage, hosts, isSmall: false }

/** The one row that a query gives. */
async function asked(of: Storage, sql: string, withImages = false): Promise<unknown[]> {
  return runQuery(of, sql, { withImages }, async ({ rows }) => {
    for await (const [row] of rows)
      return (row as unknown[]).map((cell) => (typeof cell === 'bigint' ? Number(cell) : cell))
    return []
  })
}

it('has figures that are those of SQL over the shards', async () => {
  const figures = trainingFigures(parts)
  const images = 'select count(*), sum(octet_length(image.bytes)), count(url) from images'
  expect([figures.pictures, figures.pictureBytes, figures.addressed]).toEqual(
    await asked(storage, images, true),
  )
  expect(figures.pictures).toBe(5)
  expect([figures.captions]).toEqual(await asked(storage, 'select count(*) from captions'))
  expect([figures.regions, figures.groundedPictures]).toEqual(
    await asked(storage, 'select count(*), count(distinct key) from grounding'),
  )
  expect(figures.groundedPictures).toBe(4)
  const words = "select sum(len(string_split(text, ' '))) from captions"
  expect([figures.words]).toEqual(await asked(storage, words))
  const refused = (reason: string) => `select count(*) from rejects where reason = '${reason}'`
  expect(figures.wishes).toEqual({ robots: 1, opt_out_noai: 1, payment_required: 1 })
  for (const [reason, count] of Object.entries(figures.wishes))
    expect(await asked(storage, refused(reason))).toEqual([count])
})

it('sums the bytes of hosts as they stand in the rows', async () => {
  const sums = new Map<string, { pictures: number; bytes: number }>()
  for (const shard of shards)
    for await (const row of readShard(storage, 'images', null, shard)) {
      const { hostname } = new URL(row.url as string)
      const sum = sums.get(hostname) ?? { pictures: 0, bytes: 0 }
      sums.set(hostname, { pictures: sum.pictures + 1, bytes: sum.bytes + row.image.bytes.length })
    }
  expect(hosts).toEqual(['127.0.0.1', 'localhost'].map((host) => ({ host, ...sums.get(host) })))
  expect(hosts.map(({ pictures }) => pictures)).toEqual([4, 1])
})

it('names a tenth of the hosts, of small providers a twentieth and a thousand at most', () => {
  const many = Array.from({ length: 30_001 }, (_, at) => ({ host: `${at}.example`, pictures: 1, bytes: 9 }))
  const named = (count: number, isSmall: boolean) =>
    trainingFigures({ ...parts, hosts: many.slice(0, count), isSmall }).topHosts.length
  expect([named(0, false), named(1, false), named(41, false), named(30_001, false)]).toEqual([0, 1, 5, 3001])
  expect([named(1, true), named(41, true), named(30_001, true)]).toEqual([1, 3, 1000])
})

it('says who crawled, what was honoured, and what the provider must say', () => {
  const text = trainingSummaryText(parts)
  expect(text).toContain('Crawler: `dogs/1.0 (+https://dogs.example)`')
  expect(text).toContain(
    'robots.txt (RFC 9309) yes; X-Robots-Tag noai, noimageai, noindex, noimageindex; Content',
  )
  expect(text).toContain('TDM Reservation Protocol noted where a header says it, and the picture taken.')
  expect(text).toContain('| Dogs of the web | https://dogs.example | CC0 |')
  expect(text).toContain('| robots | 1 | 12.5 % |')
  expect(text).toContain(`| 127.0.0.1 | 4 | ${hosts[0]?.bytes} |`)
  expect(text).toContain('**To be filled in by you:** provider name and contact details')
  const said = trainingSummaryText({ ...parts, about: { has_synthetic_data: false, languages: ['en'] } })
  expect(said).toContain('Pictures or captions were made by a model: no.')
  expect(said).not.toContain('has_synthetic_data')
})
