/**
 * The web that bench/ingest.ts crawls, in a process of its own: the JPEGs of a folder under any number of
 * addresses, of which one in fifty is slow and one in fifty fails. Prints its port.
 *
 *     tsx bench/ingest-server.ts FOLDER
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

const [, , folder = '.'] = process.argv
const pictures = readdirSync(folder)
  .sort()
  .map((name) => readFileSync(join(folder, name)))

const server = createServer((request, response) => {
  const index = Number(/^\/(\d+)\.jpg$/.exec(request.url ?? '')?.[1] ?? Number.NaN)
  if (Number.isNaN(index) || index % 50 === 25) {
    response.writeHead(404).end('gone')
    return
  }
  const send = () => {
    const bytes = pictures[index % pictures.length]!
    response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': bytes.length }).end(bytes)
  }
  if (index % 50 === 7) setTimeout(send, 500)
  else send()
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
