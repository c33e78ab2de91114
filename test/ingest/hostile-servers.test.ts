import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, it } from 'vitest'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { boundedGroundmill } from '../helpers/bounded.js'
import { claimingPng, grain } from '../helpers/odd-images.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

/** Writes a part again and again, as fast as it is taken. */
function endless(socket: Socket, part: string): void {
  const bytes = Buffer.from(part.repeat(Math.ceil(65_536 / part.length)))
  const fill = () => {
    while (!socket.destroyed && socket.write(bytes));
  }
  socket.on('drain', fill)
  fill()
}

const head = 'HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n'
const whole =
  (bytes: Uint8Array, more = '') =>
  (socket: Socket) => {
    socket.write(`${head}${more}Content-Length: ${bytes.length}\r\n\r\n`)
    socket.end(bytes)
  }
const begun = (more: string, part: string) => (socket: Socket) => {
  socket.write(`${head}${more}`)
  endless(socket, part)
}
const drip = (before: string) => (socket: Socket) => {
  socket.write(before)
  const timer = setInterval(() => socket.write('x'), 50)
  socket.on('close', () => clearInterval(timer))
}
const picture = await grain().jpeg().toBuffer()
let step = 0

/** What a server sends for each path; `/robots.txt` of every server is the one of its name. */
const answers: Readonly<Record<string, (socket: Socket) => void>> = {
  picture: whole(picture),
  'endless body': begun('\r\n', 'x'),
  'endless body in chunks': begun('Transfer-Encoding: chunked\r\n\r\n', '1\r\nx\r\n'),
  'endless headers': begun('', 'X-More: x\r\n'),
  'one endless header': begun('X-More: ', 'x'),
  'endless interim answers': (socket) => endless(socket, 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
  'endless trailers': begun('Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n', 'X-More: x\r\n'),
  'gzip bomb': whole(gzipSync(Buffer.alloc(60e6)), 'Content-Encoding: gzip\r\n'),
  'dripping body': drip(`${head}\r\n`),
  'dripping headers': drip('HTTP/1.1 200 OK\r\nX-'),
  'endless redirects': (socket) =>
    socket.end(`HTTP/1.1 302 Found\r\nLocation: /endless%20redirects?${step++}\r\nContent-Length: 0\r\n\r\n`),
  'a picture of 60,000 x 60,000': whole(await claimingPng(60_000, 60_000)),
}
const robots: Readonly<Record<string, (socket: Socket) => void>> = {
  none: (socket) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'),
  'of a million lines': whole(Buffer.from('User-agent: *\nDisallow: /*a*a*a*b\n'.repeat(5e5))),
  endless: begun('\r\n', 'Disallow: /a\n'),
}

async function server(ofRobots: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const listening = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    socket.once('data', (request) => {
      const path = decodeURIComponent(/^GET \/([^ ?]*)/.exec(String(request))?.[1] ?? '')
      ;(path === 'robots.txt' ? ofRobots : (answers[path] ?? (() => {})))(socket)
    })
  }).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  afterAll(() => {
    for (const socket of sockets) socket.destroy()
    listening.close()
  })
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
}

it('servers that never end take neither memory nor time', async () => {
  const folder = await temporaryFolder()
  const places = new Map<string, string>()
  const plain = await server(robots.none!)
  for (const name of Object.keys(answers)) places.set(`${plain}/${encodeURIComponent(name)}`, name)
  for (const name of ['of a million lines', 'endless'])
    places.set(`${await server(robots[name]!)}/picture`, `robots.txt ${name}`)
  const list = join(folder, 'list.tsv')
  await writeFile(
    list,
    ['url\tcaption', ...[...places].map(([url, name]) => `${url}\t${name}`), ''].join('\n'),
  )
  const pipeline = join(folder, 'crawl.yaml')
  await writeFile(
    pipeline,
    `name: crawl
stages:
  - name: web
    uses: ingest
    with:
      format: tsv
      path: ${list}
      max_transient_rate: 1
      fetch:
        { timeout_ms: 3000, retries: 0, host_failures: 100, max_bytes: 200000, max_redirects: 5, allow_hosts: [127.0.0.1] }
`,
  )
  const run = join(folder, 'run')
  const args = ['run', pipeline, '--dataset', run]
  const { code, err } = await boundedGroundmill(args, { megabytes: 400, seconds: 30 })
  const storage = openStorage(join(run, 'web'))
  const found: Record<string, string> = {}
  for await (const { url } of readShard(storage, 'images', null, '00000')) found[places.get(url!)!] = 'in'
  for await (const { url, reason } of readShard(storage, 'rejects', 'web', '00000'))
    found[places.get(url!)!] = reason
  // Some parts come more slowly than the time for a request where the machine has other work.
  const tooLong = expect.stringMatching(/^(too_large|timeout)$/)
  const noAnswer = expect.stringMatching(/^(bad_response|timeout)$/)
  expect(found).toEqual({
    picture: 'in',
    'endless body': tooLong,
    'endless body in chunks': tooLong,
    'gzip bomb': tooLong,
    'endless headers': noAnswer,
    'one endless header': noAnswer,
    'endless interim answers': noAnswer,
    'endless trailers': noAnswer,
    'dripping body': 'timeout',
    'dripping headers': 'timeout',
    'endless redirects': 'too_many_redirects',
    'a picture of 60,000 x 60,000': 'too_many_pixels',
    'robots.txt of a million lines': 'in',
    'robots.txt endless': 'in',
  })
  expect(err).toContain('3 of 14 rows came in')
  expect(code).toBe(0)
})
