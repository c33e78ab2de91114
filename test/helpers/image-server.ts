import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'

export type Route = (request: IncomingMessage, response: ServerResponse, visit: number) => void

/** A server on loopback whose routes a test decides; closed when the tests of the file are done. */
export async function imageServer(
  routes: Readonly<Record<string, Route>>,
): Promise<{ readonly url: string; readonly visits: Map<string, number> }> {
  const visits = new Map<string, number>()
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const visit = (visits.get(path) ?? 0) + 1
    visits.set(path, visit)
    const route = routes[path]
    if (route) route(request, response, visit)
    else response.writeHead(404).end('gone')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, visits }
}
