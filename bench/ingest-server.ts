/**
 * The web that bench/ingest.ts crawls, in a process of its own: the JPEGs of a folder under any number of addresses, of
 * which one in fifty fails and one in fifty is slow. It has a hundred hosts, 127.0.1.1 to 127.0.1.100, all on one port;
 * with `--dead` the last five of them refuse connections, and the five before them take them and never answer.
 * Prints the port.
 *
 *     tsx bench/ingest-server.ts FOLDER [--slow MILLISECONDS] [--dead]
 */
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { option } from './report.js'

const [, , folder = '.'] = process.argv
const slowMs = Number(option('slow', '500'))
const hasDead = process.argv.includes('--dead')
const pictures = readdirSync(folder)
  .sort()
  .map((name) => readFileSync(join(folder, name)))

const answer: RequestListener = (request, response) => {
  const index = Number(/^\/(\d+)\.jpg$/.exec(request.url ?? '')?.[1] ?? Number.NaN)
  if (Number.isNaN(index) || index % 50 === 25) {
    response.writeHead(404).end('gone')
    return
  }
  const send = () => {
    const bytes = pictures[index % pictures.length]!
    response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': bytes.length }).end(bytes)
  }
  if (index % 50 === 7 && slowMs > 0) setTimeout(send, slowMs)
  else send()
}

const dead: RequestListener = () => {}
let port = 0
for (let host = 1; host <= 100; host++) {
  if (hasDead && host > 95) continue
  const server = createServer(hasDead && host > 90 ? dead : answer)
  server.listen(port, `127.0.1.${host}`)
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
}
process.stdout.write(`${port}\n`)
