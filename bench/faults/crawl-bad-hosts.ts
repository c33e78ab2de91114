import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import sharp from 'sharp'
import { run } from '../../src/cli/run.js'
import { parseRobots } from '../../src/ingest/fetch/robots-rules.js'
import { joinRows } from '../../src/shards/join-rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { commandOutcome } from './command-outcome.js'

/** One run of a crawl with a bad host in it. */
export interface HostsCrawl {
  readonly name: string
  /** What is promised of it, and whether it was kept; null of what is told beside it. */
  readonly goal: string
  readonly met: boolean | null
  readonly seconds: number
  readonly code: number
  /** To the bad host, its robots.txt among them. */
  readonly requests: number
  readonly outcomes: Readonly<Record<string, number>>
}

const mostSeconds = 600

async function listen(address: string, answer: RequestListener) {
  let requests = 0
  const server = createServer((request, response) => {
    requests++
    answer(request, response)
  }).listen(0, address)
  await once(server, 'listening')
  return {
    place: `${address}:${(server.address() as AddressInfo).port}`,
    port: (server.address() as AddressInfo).port,
    requests: () => requests,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/**
 * Crawls lists with a bad host, each beside the same without it or with the breaker off: pictures that drip, a
 * robots.txt that fails once, a name server that is dead and later lives, a robots.txt of many stars.
 */
export async function crawlBadHosts(folder: string, scale: number, done: (crawl: HostsCrawl) => void) {
  const picture = await sharp({ create: { width: 80, height: 60, channels: 3, background: '#c33' } })
    .jpeg()
    .toBuffer()
  const crawl = crawlerIn(folder)
  const give: RequestListener = ({ url }, response) =>
    void (url === '/robots.txt' ? response.writeHead(404).end() : response.end(picture))
  const times = (count: number) => Math.max(4, Math.round(count * scale))

  const good = await listen('127.0.0.1', give)
  const [rows, bad] = [times(800), times(200)]
  for (const [name, more] of [
    ['pictures that drip', ''],
    ['pictures that drip, breaker off', ', host_failures: 1000000'],
  ] as const) {
    const drip = await listen('127.0.3.1', ({ url }, response) => {
      if (url === '/robots.txt') return void response.writeHead(404).end()
      response.writeHead(200)
      const timer = setInterval(() => response.write('x'), 50)
      response.on('close', () => clearInterval(timer))
    })
    const urls = Array.from(
      { length: rows },
      (_, at) => `http://${at % 4 === 1 && at < 4 * bad ? drip.place : good.place}/${at}.jpg`,
    )
    const fetch = `timeout_ms: 1000, allow_hosts: ["${good.place}", "${drip.place}"]${more}`
    const made = await crawl(name, urls, fetch)
    const met = made.outcomes.kept === rows - bad && made.total === rows
    const goal = 'every picture of the others, every row told'
    done({ ...made, name: `${bad} ${name}, of ${rows}`, goal, met, requests: drip.requests() })
    drip.close()
  }
  good.close()

  for (const fails of [0, 1]) {
    let asked = 0
    const host = await listen('127.0.3.2', (request, response) => {
      if (request.url === '/robots.txt' && asked++ < fails) response.writeHead(503).end()
      else give(request, response)
    })
    const all = times(5000)
    const urls = Array.from({ length: all }, (_, at) => `http://${host.place}/${at}.jpg`)
    const made = await crawl(`robots ${fails}`, urls, `allow_hosts: ["${host.place}"]`)
    const name = fails === 0 ? `${all} rows, robots.txt well` : `${all} rows, one 503 on robots.txt`
    done({ ...made, name, goal: 'every picture', met: made.outcomes.kept === all, requests: asked })
    host.close()
  }

  // Fewer would be over before the name servers are known to fail.
  await deadNameServer(crawl, 400, done)
  for (const [what, path] of [
    ['Disallow: /a', '/a'],
    ['Disallow: /*a*a*a*a*a*a*a*b', '/*a*a*a*a*a*a*a*b'],
  ] as const) {
    const text = `User-agent: *\n${`Disallow: ${path}\n`.repeat(500_000 / (11 + path.length))}`
    const rules = parseRobots(text, 'groundmill')
    const addresses = 20
    const start = process.cpuUsage()
    for (let count = 0; count < addresses; count++) rules.isAllowed(`/${'a'.repeat(2000)}`)
    const seconds = process.cpuUsage(start).user / 1e6 / addresses
    const [goal, met] = ['under 0.1 s of the processor an address', seconds < 0.1]
    done({ name: `robots.txt of 500 kB of ${what}`, goal, met, seconds, code: 0, requests: 0, outcomes: {} })
  }
}

/** Runs the ingest of a list, a folder for each name, and says what became of its rows. */
function crawlerIn(folder: string) {
  return async (name: string, urls: readonly string[], fetch: string) => {
    const place = join(folder, name.replace(/\W+/g, '-'))
    await writeFile(
      `${place}.tsv`,
      `url\tcaption\n${urls.map((url, at) => `${url}\ta dog ${at}\n`).join('')}`,
    )
    const given = `format: tsv, path: ${place}.tsv, shard_size: 1000, fetch: { ${fetch} }`
    await writeFile(
      `${place}.yaml`,
      `name: hosts\nstages: [{ name: web, uses: ingest, with: { ${given} } }]\n`,
    )
    const { code, seconds, wrong } = await commandOutcome(
      (signal) => run(`${place}.yaml`, { dataset: place, set: [], only: [] }, signal),
      mostSeconds,
    )
    if (wrong !== undefined) process.stderr.write(`${name}: ${wrong}\n`)
    const outcomes: Record<string, number> = {}
    const note = (outcome: string) => {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    }
    const storage = openStorage(join(place, 'web'))
    for (const record of (await storage.list('images')).filter((one) => one.endsWith('.json'))) {
      const shard = record.slice('images/'.length, -'.json'.length)
      for await (const _ of joinRows(storage, shard, { images: { columns: ['key'] } })) note('kept')
      for await (const { reason } of readShard(storage, 'rejects', 'web', shard)) note(reason)
    }
    return { code, seconds, outcomes, total: Object.values(outcomes).reduce((sum, count) => sum + count, 0) }
  }
}

/** A name server that says nothing, and then that every name is loopback. */
async function deadNameServer(
  crawl: ReturnType<typeof crawlerIn>,
  rows: number,
  done: (crawl: HostsCrawl) => void,
) {
  let [isDead, asked] = [true, 0]
  const socket = createSocket('udp4')
  socket.on('message', (question, { port, address }) => {
    asked++
    if (isDead) return
    const end = question.indexOf(0, 12) + 5
    const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1])
    const head = Buffer.concat([question.subarray(0, end), answer])
    head.writeUInt16BE(0x8180, 2)
    head.writeUInt16BE(1, 6)
    head.writeUInt32BE(0, 8)
    socket.send(head, port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const names = Array.from({ length: rows }, (_, at) => `${at}.dead.example`)
  const urls = names.map((name) => `http://${name}/a.jpg`)
  const fetch = `dns: { servers: ["127.0.0.1:${socket.address().port}"] }`
  const dead = await crawl('dead name server', urls, fetch)
  const transient = (dead.outcomes.dns ?? 0) + (dead.outcomes.not_tried ?? 0)
  const goal = 'code 1, every row told, each for a reason that may pass'
  const isMet = dead.code === 1 && dead.total === rows && transient === rows
  done({ ...dead, name: `a dead name server, ${rows} hosts`, goal, met: isMet, requests: asked })
  isDead = false
  asked = 0
  const again = await crawl('dead name server', urls, fetch)
  const name = 'the same command again, the name server well'
  // Every name is found to be loopback, which is not asked.
  const isFound = again.outcomes.forbidden_address === rows
  done({ ...again, name, goal: 'every row is tried again', met: isFound, requests: asked })
  socket.close()
}
