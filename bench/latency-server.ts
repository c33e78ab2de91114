/**
 * The web that bench/workers.ts crawls, in a process of its own: the files of a folder at many addresses of this
 * machine, each answer some time after it was asked for. Prints its port.
 *
 *     tsx bench/latency-server.ts FOLDER MILLISECONDS
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

const [, , folder = '.', latency = '0'] = process.argv
const pictures = readdirSync(folder)
  .sort()
  .map((name) => readFileSync(join(folder, name)))

const server = createServer((request, response) => {
  const index = Number(/^\/(\d+)\.jpg$/.exec(request.url ?? '')?.[1] ?? Number.NaN)
  setTimeout(() => {
    const bytes = pictures[index % pictures.length]
    if (bytes)
      response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': bytes.length }).end(bytes)
    else response.writeHead(404).end('gone')
  }, Number(latency))
})
// All of 127.0.0.0/8 is this machine: each address is another host.
server.listen(0, '0.0.0.0', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
