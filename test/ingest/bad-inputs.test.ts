/**
 * Tries every bad input that is known and writes what became of it to docs/bad-inputs.md: `npx vitest run
 * test/ingest/bad-inputs.test.ts -u`. Without -u the page must be what was found.
 */
import { execFileSync } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { expect, it } from 'vitest'
import { ingestConfig } from '../../src/ingest/config.js'
import { createFetcher } from '../../src/ingest/fetch/fetch-image.js'
import type { Lookup } from '../../src/ingest/fetch/resolve-host.js'
import { ingestRow } from '../../src/ingest/ingest-row.js'
import { ingestShard } from '../../src/ingest/ingest-shard.js'
import { openSource } from '../../src/ingest/open-source.js'
import { planIngest } from '../../src/ingest/plan-ingest.js'
import { shardSums } from '../../src/ingest/shard-sums.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { imageServer, type Route } from '../helpers/image-server.js'
import { oddAnnotations } from '../helpers/odd-annotations.js'
import { grain, oddImages } from '../helpers/odd-images.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

/** What is tried: the line of the list, and for a picture or an answer what the server sends. */
interface Trial {
  readonly name: string
  readonly line: string
}

const picture = await grain().jpeg().toBuffer()
const bomb = Buffer.alloc(20_000_000)
const send =
  (bytes: Uint8Array, headers: Record<string, string | string[]> = {}, status = 200): Route =>
  (_, response) =>
    response.writeHead(status, headers).end(bytes)
const moved = (location: string): Route => send(Buffer.alloc(0), { location }, 302)
const later =
  (status: number, headers: Record<string, string>): Route =>
  (request, response, visit) =>
    visit === 1 ? response.writeHead(status, headers).end() : send(picture)(request, response, visit)
const raw =
  (text: string): Route =>
  ({ socket }) =>
    socket.end(text)

const answers: Readonly<Record<string, Route>> = {
  'status 403': send(picture, {}, 403),
  'status 404': send(picture, {}, 404),
  'status 410': send(picture, {}, 410),
  'status 451': send(picture, {}, 451),
  'status 500 at every try': send(picture, {}, 500),
  'status 503, then the picture': later(503, {}),
  'status 429 with Retry-After: 0, then the picture': later(429, { 'retry-after': '0' }),
  'status 429 with a date that has passed, then the picture': later(429, {
    'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT',
  }),
  'status 429 with Retry-After: 86400': send(picture, { 'retry-after': '86400' }, 429),
  'status 204': send(Buffer.alloc(0), {}, 204),
  'status 206 with a part': send(picture.subarray(0, 500), {}, 206),
  'status 304': send(Buffer.alloc(0), {}, 304),
  'redirect to a relative address': moved('/picture.jpg'),
  'redirect in a circle': (request, response) =>
    response.writeHead(302, { location: String(request.url) }).end(),
  'redirect without an address': send(Buffer.alloc(0), {}, 302),
  'redirect to loopback': moved('http://127.0.0.1/a.jpg'),
  'redirect to metadata of a cloud': moved('http://169.254.169.254/latest/meta-data/'),
  'redirect to a file': moved('file:///etc/passwd'),
  'redirect to an address with a password': moved('http://user:password@pictures.example/a.jpg'),
  'redirect to another port': moved('http://public.example:22/a.jpg'),
  'X-Robots-Tag: noai': send(picture, { 'x-robots-tag': 'noai' }),
  'X-Robots-Tag: noimageai': send(picture, { 'x-robots-tag': 'noimageai' }),
  'X-Robots-Tag: noindex, nofollow': send(picture, { 'x-robots-tag': 'noindex, nofollow' }),
  'X-Robots-Tag: none': send(picture, { 'x-robots-tag': 'none' }),
  'X-Robots-Tag: groundmill: noimageindex': send(picture, { 'x-robots-tag': 'groundmill: noimageindex' }),
  'X-Robots-Tag: otherbot: noai': send(picture, { 'x-robots-tag': 'otherbot: noai' }),
  'Content-Usage: train-ai=n': send(picture, { 'content-usage': 'train-ai=n' }),
  'Content-Usage: search=n, train-ai=n;why="x"': send(picture, {
    'content-usage': 'search=n, train-ai=n;why="x"',
  }),
  'Content-Usage: search=y, on a second line train-ai=n': send(picture, {
    'content-usage': ['search=y', 'train-ai=n'],
  }),
  'Content-Usage: search=n': send(picture, { 'content-usage': 'search=n' }),
  'Content-Usage: train-ai=n, train-ai=y (the last one counts)': send(picture, {
    'content-usage': 'train-ai=n, train-ai=y',
  }),
  'Content-Signal: search=yes, ai-train=no': send(picture, {
    'content-signal': 'search=yes, ai-train=no',
  }),
  'status 401 with WWW-Authenticate: License': send(
    picture,
    { 'www-authenticate': 'License error="invalid_request"' },
    401,
  ),
  'status 401 with WWW-Authenticate: Basic': send(
    picture,
    { 'www-authenticate': 'Basic realm="License"' },
    401,
  ),
  'status 402': send(picture, { 'crawler-price': 'USD 0.01' }, 402),
  'a Link to a licence of RSL that prohibits training': send(picture, {
    link: '</prohibits.xml>; rel="license"; type="application/rsl+xml"',
  }),
  'a Link to a licence of another kind': send(picture, {
    link: '<https://creativecommons.org/licenses/by/4.0/>; rel="license"',
  }),
  'tdm-reservation: 1': send(picture, { 'tdm-reservation': '1' }),
  'Content-Type: text/html with a JPEG': send(picture, { 'content-type': 'text/html' }),
  'Content-Type: image/jpeg with a page': send(Buffer.from('<!doctype html>'), {
    'content-type': 'image/jpeg',
  }),
  'Content-Length of two values': raw(
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\nbytes',
  ),
  'no HTTP': raw('SSH-2.0-OpenSSH_9.2\r\n'),
  'headers of 64 kB': raw(`HTTP/1.1 200 OK\r\nX-Filler: ${'x'.repeat(65_536)}\r\n\r\n`),
}

const bodies: Readonly<Record<string, Route>> = {
  'no bytes': send(Buffer.alloc(0)),
  'a length over max_bytes': send(Buffer.alloc(500_001), { 'content-length': '500001' }),
  'more than max_bytes without a length': (_, response) => {
    const fill = () => {
      while (response.write(Buffer.alloc(65_536)));
    }
    response.on('drain', fill)
    fill()
  },
  'fewer bytes than promised, then the end': ({ socket }, response) => {
    response.writeHead(200, { 'content-length': picture.length }).write(picture.subarray(0, 100))
    setTimeout(() => socket.destroy(), 20)
  },
  'a byte now and then': (_, response) => {
    const timer = setInterval(() => response.write('x'), 100)
    response.on('close', () => clearInterval(timer))
  },
  'never an answer': () => {},
  'a reset connection': ({ socket }) => socket.resetAndDestroy(),
  'a JPEG in gzip': send(gzipSync(picture), { 'content-encoding': 'gzip' }),
  'a JPEG in brotli': send(brotliCompressSync(picture), { 'content-encoding': 'br' }),
  'a gzip bomb, 20 MB out of 20 kB': send(gzipSync(bomb), { 'content-encoding': 'gzip' }),
  'a deflate bomb': send(deflateSync(bomb), { 'content-encoding': 'deflate' }),
  'a brotli bomb, 20 MB out of 20 bytes': send(brotliCompressSync(bomb), { 'content-encoding': 'br' }),
  'a bomb in two layers': send(gzipSync(gzipSync(bomb)), { 'content-encoding': 'gzip, gzip' }),
  'packed in five layers': send(picture, { 'content-encoding': 'gzip, gzip, gzip, gzip, gzip' }),
  'gzip that is none': send(picture, { 'content-encoding': 'gzip' }),
  'gzip cut in the middle': send(gzipSync(picture).subarray(0, 300), { 'content-encoding': 'gzip' }),
  'an encoding that is not known (zstd)': send(picture, { 'content-encoding': 'zstd' }),
  'a page': send(Buffer.from('\n<!DOCTYPE html><html><title>Sold</title>')),
  'a page with a byte order mark': send(Buffer.from('\uFEFF<html><title>Sold</title>')),
  'a text': send(Buffer.from('This picture is no longer available.')),
  'a PDF': send(Buffer.from('%PDF-1.7 and so on, for some bytes more')),
  'a ZIP': send(Buffer.from('PK\x03\x04 and so on, for some bytes more')),
}

const images = await oddImages()
const slug = (group: string, name: string) => `/${group}/${encodeURIComponent(name)}`
const routesOf = (group: string, routes: Readonly<Record<string, Route>>) =>
  Object.fromEntries(Object.entries(routes).map(([name, route]) => [slug(group, name), route]))
const robots: Readonly<Record<string, number | string | Buffer>> = {
  'forbids.example': 'User-agent: *\nDisallow: /\n',
  'fails.example': 503,
  'usage.example': 'User-agent: *\nAllow: /\nContent-Usage: / train-ai=n\nContent-Usage: /other train-ai=y\n',
  'pathless.example': 'User-Agent: *\nContent-Usage: train-ai=n\n',
  'elsewhere.example': 'User-Agent: *\nContent-Usage: /private/ train-ai=n\n',
  'signal.example': 'User-Agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n',
  'searched.example': 'User-Agent: *\nContent-Signal: search=no, ai-input=no\n',
  'prohibits.example': 'License: /prohibits.xml\nUser-Agent: *\nAllow: /\n',
  'sells.example': 'License: /sells.xml\n',
  'gives.example': 'License: /gives.xml\n',
  'loses.example': 'License: /lost.xml\n',
  'some.example': 'License: /some.xml\n',
  'odd.example': 'User-Agent: *\nContent-Signal: search=yes ai-train = no;\n',
  'wide.example': Buffer.from('\uFEFFUser-Agent: *\nContent-Usage: train-ai=n\n', 'utf16le'),
}
const license = (terms: string) =>
  Buffer.from(
    `<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>${terms}</license></content></rsl>`,
  )
const { url } = await imageServer({
  '/picture.jpg': send(picture),
  '/prohibits.xml': send(license('<prohibits type="usage">ai-train</prohibits>')),
  '/sells.xml': send(license('<permits type="usage">ai-all</permits><payment type="crawl"/>')),
  '/some.xml': send(license('<permits type="usage">all</permits><prohibits type="geo">EU</prohibits>')),
  '/gives.xml': send(license('<permits type="usage">all</permits>')),
  '/robots.txt': (request, response) => {
    const answer = robots[String(request.headers.host).split(':')[0]] ?? 404
    if (typeof answer === 'number') response.writeHead(answer).end()
    else response.end(answer)
  },
  ...routesOf('answer', answers),
  ...routesOf('body', bodies),
  ...routesOf(
    'image',
    Object.fromEntries(Object.entries(images).map(([name, bytes]) => [name, send(bytes)])),
  ),
})
const { port } = new URL(url)
const served = (group: string, names: Iterable<string>): Trial[] =>
  [...names].map((name) => ({ name, line: `http://pictures.example:${port}${slug(group, name)}\tcaption` }))

/** A port of this machine that nobody listens on. */
const closed = await new Promise<number>((resolve) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const address = server.address()
    server.close(() => resolve(typeof address === 'object' && address ? address.port : 1))
  })
})

const urls = [
  'file:///etc/passwd',
  'ftp://pictures.example/a.jpg',
  'gopher://pictures.example/a.jpg',
  'javascript:alert(1)',
  'data:image/png;base64,AAAA',
  'not an address',
  'http://',
  '/relative/without/base_url.jpg',
  'http://user:password@pictures.example/a.jpg',
  'http://user@pictures.example/a.jpg',
  'http://public.example:22/a.jpg',
  'https://public.example:8443/a.jpg',
  'http://127.0.0.1/a.jpg',
  'http://127.1/a.jpg',
  'http://2130706433/a.jpg',
  'http://0x7f000001/a.jpg',
  'http://0177.0.0.1/a.jpg',
  'http://127.0.0.1./a.jpg',
  'http://①②⑦.0.0.1/a.jpg',
  'http://0.0.0.0/a.jpg',
  'http://[::1]/a.jpg',
  'http://[::ffff:127.0.0.1]/a.jpg',
  'http://[::127.0.0.1]/a.jpg',
  'http://[64:ff9b::127.0.0.1]/a.jpg',
  'http://[2002:7f00:1::]/a.jpg',
  'http://10.0.0.1/a.jpg',
  'http://172.16.0.1/a.jpg',
  'http://192.168.1.1/a.jpg',
  'http://100.64.0.1/a.jpg',
  'http://169.254.169.254/latest/meta-data/',
  'http://[fd00:ec2::254]/latest/meta-data/',
  'http://168.63.129.16/a.jpg',
  'http://[fe80::1]/a.jpg',
  'http://224.0.0.1/a.jpg',
  'http://255.255.255.255/a.jpg',
  'http://[::]/a.jpg',
  'http://[0:0:0:0:0:ffff:7f00:1]/a.jpg',
  'http://[fec0::1]/a.jpg',
  'http://[ff02::1]/a.jpg',
  'http://[2001:db8::1]/a.jpg',
  'http://0x7f.1/a.jpg',
  'http://017700000001/a.jpg',
  'http://%31%32%37.0.0.1/a.jpg',
  'http://127\u30020\u30020\u30021/a.jpg',
  'http://198.18.0.1/a.jpg',
  'http://192.0.2.1/a.jpg',
  'http://240.0.0.1/a.jpg',
  'http://256.256.256.256/a.jpg',
  'http://pictures.example:0/a.jpg',
  'http://pictures.example:65536/a.jpg',
  'http://pictures..example/a.jpg',
  'http://pic tures.example/a.jpg',
  'http://xn--a/a.jpg',
  'ws://pictures.example/a.jpg',
  'blob:http://pictures.example/a',
  '//pictures.example/a.jpg',
  'C:\\pictures\\a.jpg',
  'http://localhost/a.jpg',
  'http://inside.example/a.jpg',
  'http://both.example/a.jpg',
  'http://rebind.example/a.jpg',
  'http://nowhere.example/a.jpg',
  'http://broken-dns.example/a.jpg',
] as const
const explained: Readonly<Record<string, string>> = {
  'http://inside.example/a.jpg': 'a name of 10.0.0.7',
  'http://both.example/a.jpg': 'a name of a public and a private address',
  'http://rebind.example/a.jpg': 'a name that is public when looked up first, and 127.0.0.1 then',
  'http://nowhere.example/a.jpg': 'a name that does not exist',
  'http://broken-dns.example/a.jpg': 'a name whose name servers fail',
}

let rebound = 0
const lookup: Lookup = async (host) => {
  const fail = (code: string): never => {
    throw Object.assign(new Error(`queryA ${code} ${host}`), { code, syscall: 'queryA' })
  }
  const names: Readonly<Record<string, () => string[]>> = {
    localhost: () => ['127.0.0.1'],
    'inside.example': () => ['10.0.0.7'],
    'both.example': () => ['93.184.216.34', '127.0.0.1'],
    'rebind.example': () => (rebound++ % 2 === 0 ? ['93.184.216.34'] : ['127.0.0.1']),
    'broken-dns.example': () => fail('ESERVFAIL'),
    'nowhere.example': () => fail('ENOTFOUND'),
  }
  return { addresses: (names[host] ?? (() => ['127.0.0.1']))(), ttl: 0 }
}

const own = (host: string) => `http://${host}:${port}/picture.jpg`
const rows: readonly Trial[] = [
  { name: 'no address', line: '\tcaption' },
  { name: 'an address of white space', line: ' \tcaption' },
  { name: 'no caption', line: `${own('pictures.example')}\t` },
  { name: 'a caption of white space', line: `${own('pictures.example')}\t   ` },
  { name: 'one column', line: own('pictures.example') },
  { name: 'a column too many', line: `${own('pictures.example')}\tcaption\tmore` },
  { name: 'white space around the address', line: `  ${own('pictures.example')} \tcaption` },
  { name: 'a carriage return at the end', line: `${own('pictures.example')}\tcaption\r` },
  { name: 'an empty line', line: '' },
  { name: 'a quotation mark that is not closed', line: `${own('pictures.example')}\t"caption` },
  { name: 'a caption with a null character', line: `${own('pictures.example')}\tcap\0tion` },
  { name: 'a caption of half a surrogate pair', line: `${own('pictures.example')}\tcap\ud83dtion` },
  {
    name: 'a caption of 100,000 characters',
    line: `${own('pictures.example')}\t${'caption '.repeat(12_500)}`,
  },
]

const groups: Readonly<Record<string, readonly Trial[]>> = {
  Addresses: [
    ...urls.map((address) => {
      const note = explained[address]
      return { name: `\`${address}\`${note ? `, ${note}` : ''}`, line: `${address}\tcaption` }
    }),
    { name: 'a port that nobody listens on', line: `http://pictures.example:${closed}/a.jpg\tcaption` },
    { name: 'robots.txt that forbids all', line: `${own('forbids.example')}\tcaption` },
    { name: 'robots.txt that fails with 503', line: `${own('fails.example')}\tcaption` },
    ...Object.entries({
      'usage.example': 'robots.txt with Content-Usage: / train-ai=n',
      'pathless.example': 'robots.txt with Content-Usage: train-ai=n, without a path',
      'elsewhere.example': 'robots.txt with Content-Usage: /private/ train-ai=n',
      'signal.example': 'robots.txt with Content-Signal: search=yes, ai-train=no',
      'searched.example': 'robots.txt with Content-Signal: search=no, ai-input=no',
      'prohibits.example': 'robots.txt with a License of RSL that prohibits training',
      'sells.example': 'robots.txt with a License of RSL that permits training for money',
      'gives.example': 'robots.txt with a License of RSL that permits all',
      'loses.example': 'robots.txt with a License that is not there',
      'some.example': 'robots.txt with a License of RSL that is not for all places',
      'odd.example': 'robots.txt with Content-Signal: search=yes ai-train = no;',
      'wide.example': 'robots.txt in UTF-16 with Content-Usage: train-ai=n',
    }).map(([host, name]) => ({ name, line: `${own(host)}\tcaption` })),
  ],
  'Answers and headers': served('answer', Object.keys(answers)),
  Bodies: served('body', Object.keys(bodies)),
  Images: served('image', Object.keys(images)),
  Rows: rows,
}

/** What becomes of an annotation file of two pictures: how much comes in, and what is counted of the rest. */
async function outcomeOf(folder: string, file: object | string | Buffer): Promise<string> {
  const path = join(folder, 'instances.json')
  const text = typeof file === 'string' || Buffer.isBuffer(file) ? file : JSON.stringify(file)
  await writeFile(path, typeof text === 'string' ? text.replaceAll('"NaN"', 'NaN') : text)
  const config = {
    format: 'coco',
    images: join(folder, 'pictures'),
    instances: path,
    fetch: { max_bytes: 500_000 },
  }
  const source = await openSource(ingestConfig.parse(config))
  const sums = shardSums(true)
  const fetcher = createFetcher(source.config.fetch)
  try {
    for await (const row of source.rows()) sums.add(await ingestRow(row, 'key', source.config, fetcher))
  } catch (error) {
    return `refused: ${(error as Error).message.replaceAll(path, 'FILE').replace(/\.$/, '')} | |`
  } finally {
    await source.close()
    await fetcher.close()
  }
  const boxes = sums.grounding.flatMap(({ regions }) => regions)
  const [rejects, dropped] = [sums.rejected, sums.stats().tallies.dropped ?? {}].map((counts) =>
    Object.entries(counts)
      .map(([reason, count]) => `\`${reason}\` ${count}`)
      .join(', '),
  )
  return `${sums.out} pictures, ${boxes.length} boxes | ${rejects} | ${dropped}`
}

it('has an outcome for every bad input, and the page says which', async () => {
  const folder = await temporaryFolder()
  const path = join(folder, 'pairs.tsv')
  const trials = Object.values(groups).flat()
  await writeFile(path, `url\tcaption\n${trials.map(({ line }) => line).join('\n')}\n`)
  const config = ingestConfig.parse({
    format: 'tsv',
    path,
    join: 'no',
    image: {
      image_size: 320,
      max_pixels: 3_000_000,
      max_image_area: 600_000,
      max_aspect_ratio: 10,
      max_pages: 10,
      max_decoded_bytes: 2_500_000,
    },
    fetch: {
      // Room for a busy machine: what is slow here never ends.
      timeout_ms: 4000,
      retries: 1,
      max_bytes: 500_000,
      per_host: 16,
      // Its one host fails in every way there is.
      host_failures: 1000,
      allow_hosts: ['pictures.example', ...Object.keys(robots)],
    },
  })
  const source = await openSource(config)
  const plan = await planIngest(source)
  const storage = openStorage(join(folder, 'dataset'))
  const fetcher = createFetcher(config.fetch, { lookup })
  const task = { storage, stage: 's', shard: '00000', configHash: 'c', inputs: {} }
  const { record } = await ingestShard(task, source, plan.shards[0], fetcher)
  await source.close()
  await fetcher.close()

  const outcomes = new Map<string, string>()
  for await (const { key, reason } of readShard(storage, 'rejects', 's', '00000'))
    outcomes.set(String(key), reason)
  for await (const { key, image, width, height } of readShard(storage, 'images', null, '00000')) {
    const { format, space, pages = 1 } = await sharp(image.bytes).metadata()
    expect({ format, space, pages }).toEqual({ format: 'jpeg', space: 'srgb', pages: 1 })
    outcomes.set(key, `kept, ${width} x ${height}`)
  }
  // Every line has one outcome and no more: nothing is lost, nothing crashes.
  expect(record.in).toBe(trials.length)
  expect(outcomes.size).toBe(trials.length)
  expect(trials.length).toBeGreaterThanOrEqual(60)

  let index = 0
  const section = (title: string, all: readonly Trial[]) => {
    const lines = all.map(({ name }) => {
      const outcome = outcomes.get(`00000${String(index++).padStart(4, '0')}`)
      return `| ${name} | ${outcome?.startsWith('kept') ? outcome : `\`${outcome}\``} |`
    })
    return `## ${title}\n\n| input | outcome |\n| --- | --- |\n${lines.join('\n')}\n`
  }
  const sections = Object.entries(groups).map(([title, all]) => section(title, all))
  await mkdir(join(folder, 'pictures'))
  const dog = await sharp({ create: { width: 400, height: 200, channels: 3, background: '#c33' } })
    .jpeg()
    .toBuffer()
  for (const name of ['1.jpg', '2.jpg', '../private.jpg', '../pictures-2.jpg'])
    await writeFile(join(folder, 'pictures', name), dog)
  await symlink('../private.jpg', join(folder, 'pictures', 'leads-out.jpg'))
  await symlink('1.jpg', join(folder, 'pictures', 'leads-in.jpg'))
  await symlink('circle.jpg', join(folder, 'pictures', 'circle.jpg'))
  await mkdir(join(folder, 'pictures', 'folder.jpg'))
  await writeFile(join(folder, 'pictures', 'empty.jpg'), '')
  await writeFile(join(folder, 'pictures', 'large.jpg'), Buffer.concat([dog, Buffer.alloc(600_000)]))
  execFileSync('mkfifo', [join(folder, 'pictures', 'pipe.jpg')])
  const files: string[] = []
  for (const [name, file] of Object.entries(oddAnnotations))
    files.push(`| ${name} | ${await outcomeOf(folder, file)} |`)
  const page = `# Bad inputs, and what becomes of them

Written by \`test/ingest/bad-inputs.test.ts\`, which tries each of these ${trials.length + files.length} inputs and finds this page as it is
here (\`npx vitest run test/ingest/bad-inputs.test.ts -u\` writes it anew). An outcome is \`kept\` with the size that is stored, or the
reason under which \`groundmill stats\` counts the row. Limits of this run: 500,000 bytes, 4 seconds, one more try, pictures of
320 pixels, at most 3,000,000 pixels, 10 pages, 2,500,000 bytes of decoded pixels, an area of 600,000 and sides of 10 : 1.

${sections.join('\n')}
## Files of annotations

Two pictures with a box each in COCO's form, but for what the line says. What is odd costs itself alone: an entry that cannot be used
is a reject with its place in the file (of each kind ten, and one with the number of the others), a box is counted with its picture.

| file | what comes in | rejects | boxes left out |
| --- | --- | --- | --- |
${files.join('\n')}
`
  await expect(page).toMatchFileSnapshot('../../docs/bad-inputs.md')
})
