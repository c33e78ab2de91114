import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tableFromArrays, tableToIPC } from 'apache-arrow'
import fc from 'fast-check'
import * as parquet from 'parquet-wasm'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { ingestConfig } from '../../src/ingest/config.js'
import { ingestShard } from '../../src/ingest/ingest-shard.js'
import { openSource } from '../../src/ingest/open-source.js'
import { planIngest } from '../../src/ingest/plan-ingest.js'
import { readCommit } from '../../src/shards/commit.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { imageServer, type Route } from '../helpers/image-server.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const jpeg = async (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#c33' } })
    .jpeg()
    .toBuffer()
const picture = await jpeg(80, 60)
const noisy = await sharp({
  create: {
    width: 100,
    height: 100,
    channels: 3,
    background: '#000',
    noise: { type: 'gaussian', mean: 128, sigma: 60 },
  },
})
  .jpeg()
  .toBuffer()
const ok: Route = (_, response) => response.writeHead(200, { 'content-type': 'image/jpeg' }).end(picture)
const status =
  (code: number, headers = {}): Route =>
  (_, response) =>
    response.writeHead(code, headers).end('x')

const arrivals: string[] = []
const late: Route = (request, response) => {
  setTimeout(() => {
    arrivals.push(String(request.url).slice(1))
    response.end(picture)
  }, Math.random() * 40)
}

const { url, visits, visited } = await imageServer({
  ...Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`/late-${index}.jpg`, late])),
  '/ok.jpg': ok,
  '/flaky.jpg': (request, response, visit) =>
    visit < 3 ? status(503)(request, response, visit) : ok(request, response, visit),
  '/later.jpg': (request, response, visit) =>
    visit < 2 ? status(429, { 'retry-after': '0' })(request, response, visit) : ok(request, response, visit),
  '/page.jpg': (_, response) =>
    response.writeHead(200, { 'content-type': 'image/jpeg' }).end('<!doctype html><title>Sold</title>'),
  '/text.jpg': (_, response) => response.writeHead(200).end('not a picture at all'),
  '/empty.jpg': (_, response) => response.writeHead(200).end(),
  '/cut.jpg': (_, response) => response.writeHead(200).end(noisy.subarray(0, noisy.length >> 1)),
  '/broken.png': async (_, response) => {
    const bytes = await sharp(noisy).png().toBuffer()
    response.end(bytes.fill(7, 800, 1200))
  },
  // Fewer bytes than it promised, and then the end of the connection.
  '/brief.jpg': (request, response) => {
    response.writeHead(200, { 'content-length': picture.length }).write(picture.subarray(0, 100))
    setTimeout(() => request.socket.destroy(), 20)
  },
  '/escape.jpg': status(302, { location: 'file:///etc/hostname' }),
  '/failing.jpg': status(500),
  // More patience than a crawler has: it is not tried again.
  '/busy.jpg': status(429, { 'retry-after': '86400' }),
  '/slow.jpg': () => {},
  '/dripping.jpg': (_, response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('x'), 50)
    response.on('close', () => clearInterval(timer))
  },
  '/endless.jpg': (_, response) => {
    response.writeHead(200)
    const fill = () => {
      while (response.write(Buffer.alloc(65536)));
    }
    response.on('drain', fill)
    fill()
  },
  '/reset.jpg': (request) => request.socket.destroy(),
  '/moved.jpg': status(302, { location: '/ok.jpg' }),
  '/circle.jpg': status(302, { location: '/circle.jpg' }),
  '/small.jpg': async (_, response) => response.end(await jpeg(8, 100)),
  '/large.jpg': async (_, response) => response.end(await jpeg(400, 100)),
  '/vast.png': async (_, response) =>
    response.end(
      await sharp({ create: { width: 2000, height: 2000, channels: 3, background: '#fff' } })
        .png()
        .toBuffer(),
    ),
  '/turned.jpg': async (_, response) =>
    response.end(await sharp(picture).withMetadata({ orientation: 6 }).jpeg().toBuffer()),
  '/clear.png': async (_, response) =>
    response.end(
      await sharp({
        create: { width: 40, height: 40, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
      })
        .png()
        .toBuffer(),
    ),
  '/forbidden.jpg': status(403),
})

let count = 0
const ingest = (given: object) => ingestAll(join(folder, `dataset-${count++}`), given)

async function tsv(name: string, lines: readonly string[]): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, lines.join('\n'))
  return path
}

describe('ingest of pairs', () => {
  it('keeps what is a picture and says of all else why not', async () => {
    const wanted: Readonly<Record<string, string | null>> = {
      'ok.jpg': null,
      'flaky.jpg': null,
      'later.jpg': null,
      'moved.jpg': null,
      'turned.jpg': null,
      'clear.png': null,
      'large.jpg': null,
      'page.jpg': 'not_image',
      'text.jpg': 'not_image',
      'empty.jpg': 'empty_body',
      'cut.jpg': 'truncated',
      'broken.png': 'decode_error',
      'escape.jpg': 'bad_url',
      'brief.jpg': 'connection',
      'failing.jpg': 'http_500',
      'busy.jpg': 'http_429',
      'slow.jpg': 'timeout',
      'dripping.jpg': 'timeout',
      'endless.jpg': 'too_large',
      'reset.jpg': 'connection',
      'circle.jpg': 'too_many_redirects',
      'small.jpg': 'too_small',
      'vast.png': 'too_many_pixels',
      'forbidden.jpg': 'http_403',
      'nothing.jpg': 'http_404',
    }
    const lines = Object.keys(wanted).map((name) => `${url}/${name}\tcaption of ${name}`)
    const odd = ['ftp://host/x.jpg\tc', 'no tab here', `${url}/ok.jpg\t `, '\tno url']
    const path = await tsv('pairs.tsv', ['url\tcaption', ...lines, ...odd])
    const { images, rejects, records } = await ingest({ format: 'tsv', path })
    const reasons = new Map(
      rejects.slice(0, -4).map((row) => [row.url?.split('/').at(-1) ?? row.detail, row.reason]),
    )
    for (const [name, reason] of Object.entries(wanted)) expect(reasons.get(name) ?? null, name).toBe(reason)
    expect(images.map((row) => row.url?.split('/').at(-1))).toEqual(
      Object.keys(wanted).filter((name) => wanted[name] === null),
    )
    const other = rejects.slice(-4).map(({ reason }) => reason)
    expect(other).toEqual(['bad_url', 'malformed_row', 'empty_caption', 'malformed_row'])
    expect(rejects.find(({ reason }) => reason === 'malformed_row')?.detail).toContain('pairs.tsv:28')
    expect(records[0].in).toBe(29)
    expect(records[0].out + rejects.length).toBe(29)
    // Tried three times, and no more often than that.
    expect(visits.get('/flaky.jpg')).toBe(3)
    expect(visits.get('/failing.jpg')).toBe(3)
    expect(visits.get('/brief.jpg')).toBe(3)
    expect(visits.get('/forbidden.jpg')).toBe(1)
    expect(visits.get('/busy.jpg')).toBe(1)
    // One request and the five redirects that are followed; no second try.
    expect(visits.get('/circle.jpg')).toBe(6)

    const byName = new Map(images.map((row) => [row.url?.split('/').at(-1), row]))
    expect(byName.get('ok.jpg')).toMatchObject({
      width: 80,
      height: 60,
      captions: [{ text: 'caption of ok.jpg', kind: 'web' }],
    })
    expect(Buffer.from(byName.get('ok.jpg')?.image.bytes ?? []).equals(picture)).toBe(true)
    expect(byName.get('ok.jpg')?.meta).toBeNull()
    expect(byName.get('turned.jpg')).toMatchObject({
      width: 60,
      height: 80,
      meta: '{"exif_orientation":6}',
    })
    expect(byName.get('large.jpg')).toMatchObject({ width: 200, height: 50 })
    expect(byName.get('ok.jpg')?.key).toBe('000000000')
    const { data } = await sharp(byName.get('clear.png')?.image.bytes)
      .raw()
      .toBuffer({ resolveWithObject: true })
    // The black below its transparency, as reference programs see it.
    expect(data[0]).toBeLessThan(5)
  })

  it('reads CC3M: caption, then url, no header; in shards, up to a limit', async () => {
    const path = await tsv(
      'cc3m.tsv',
      Array.from({ length: 7 }, (_, index) => `a caption "${index}\t${url}/ok.jpg\r`),
    )
    const columns = { caption: 0, url: 1 }
    const { plan, images } = await ingest({
      format: 'tsv',
      path,
      header: false,
      columns,
      join: 'no',
      shard_size: 3,
      limit: 5,
    })
    expect(plan.shards.map(({ shard, rows, mark }) => [shard, rows, mark.line])).toEqual([
      ['00000', 3, 1],
      ['00001', 2, 4],
    ])
    expect(images.map(({ captions, key }) => [key, captions[0].text])).toEqual(
      [0, 1, 2, 3, 4].map((index) => [`0000${Math.floor(index / 3)}000${index % 3}`, `a caption "${index}`]),
    )
  })

  it('reads JSONL and Parquet alike, and finds wrong lines', async () => {
    const jsonl = await tsv('pairs.jsonl', [
      JSON.stringify({ link: `${url}/ok.jpg`, text: 'zwei Bäume' }),
      '{"link": ',
      '[1]',
      JSON.stringify({ link: `${url}/ok.jpg` }),
    ])
    const columns = { url: 'link', caption: 'text' }
    const lines = await ingest({ format: 'jsonl', path: jsonl, columns })
    expect(lines.images).toHaveLength(1)
    expect(lines.rejects.map(({ reason }) => reason)).toEqual([
      'malformed_row',
      'malformed_row',
      'empty_caption',
    ])

    const table = tableFromArrays({
      text: ['zwei Bäume', 'a dog'],
      link: [`${url}/ok.jpg`, `${url}/nothing.jpg`],
    })
    const path = join(folder, 'pairs.parquet')
    await writeFile(path, parquet.writeParquet(parquet.Table.fromIPCStream(tableToIPC(table, 'stream'))))
    const rows = await ingest({ format: 'parquet', path, columns, shard_size: 1 })
    expect(rows.images.map(({ captions }) => captions)).toEqual([[{ text: 'zwei Bäume', kind: 'web' }]])
    expect(rows.rejects.map(({ reason }) => reason)).toEqual(['http_404'])
  })

  it('says which columns there are when one is wrong, and which file is missing', async () => {
    const path = await tsv('named.tsv', ['link\ttext', 'a\tb'])
    await expect(ingest({ format: 'tsv', path })).rejects.toThrow(
      /named\.tsv has no column "url"; it has: link, text/,
    )
    const jsonl = await tsv('named.jsonl', ['{"link": "a", "text": "b"}'])
    await expect(ingest({ format: 'jsonl', path: jsonl })).rejects.toThrow(
      /named\.jsonl:1 has no key "url"; it has: link, text/,
    )
    await expect(ingest({ format: 'tsv', path: join(folder, 'none.tsv') })).rejects.toThrow(
      /Cannot read .*none\.tsv/,
    )
    const empty = await tsv('empty.tsv', [])
    await expect(ingest({ format: 'tsv', path: empty })).rejects.toThrow(/empty\.tsv has no header/)
  })

  it('keeps the order of the list whatever the order of arrival', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `late-${index}.jpg`)
    const path = await tsv('order.tsv', ['url\tcaption', ...names.map((name) => `${url}/${name}\t${name}`)])
    const { images } = await ingest({ format: 'tsv', path, shard_size: 25 })
    expect(images.map(({ captions }) => captions[0].text)).toEqual(names)
    expect(images.map(({ key }) => key)).toEqual([...images.map(({ key }) => key)].sort())
    // Were the answers in order, this would show nothing.
    expect(arrivals).toHaveLength(40)
    expect(arrivals).not.toEqual(names)
  })

  it('leaves nothing behind when it is aborted', async () => {
    const path = await tsv('abort.tsv', ['url\tcaption', `${url}/slow.jpg\tc`])
    const config = ingestConfig.parse({ format: 'tsv', path, fetch: { allow_hosts: [url] } })
    const storage = openStorage(join(folder, 'aborted'))
    const source = await openSource(config)
    const plan = await planIngest(source)
    const abort = new AbortController()
    visited('/slow.jpg').then(() => abort.abort())
    const task = { storage, stage: 's', shard: '00000', configHash: 'c', inputs: {}, signal: abort.signal }
    await expect(ingestShard(task, source, plan.shards[0])).rejects.toThrow()
    await source.close()
    expect(await readCommit(storage, 'images', null, '00000')).toBeUndefined()
    expect(await storage.list('images')).toEqual([])
  })

  it('neither loses nor doubles a row, whatever fails', async () => {
    const name = fc.constantFrom('ok.jpg', 'nothing.jpg', 'page.jpg', 'moved.jpg', 'small.jpg', 'cut.jpg')
    await fc.assert(
      fc.asyncProperty(
        fc.array(name, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        async (names, shard_size) => {
          const path = await tsv('any.tsv', [
            'url\tcaption',
            ...names.map((own, index) => `${url}/${own}\t${index}`),
          ])
          const { images, rejects, records } = await ingest({ format: 'tsv', path, join: 'no', shard_size })
          for (const record of records) {
            const sum = Object.values(record.rejected).reduce((all, some) => all + some, 0)
            expect(record.in).toBe(record.out + sum)
          }
          expect(records.reduce((all, record) => all + record.in, 0)).toBe(names.length)
          const keys = [...images, ...rejects].map(({ key }) => key)
          expect(new Set(keys).size).toBe(names.length)
          expect(images.map(({ captions }) => Number(captions[0].text))).toEqual(
            names.flatMap((own, index) => (['ok.jpg', 'moved.jpg'].includes(own) ? [index] : [])),
          )
        },
      ),
      { numRuns: 15 },
    )
  })
})
