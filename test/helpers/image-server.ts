import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'

export interface ImageServer {
  readonly url: string
  /** How often each path was asked for. */
  readonly visits: Map<string, number>
  /** Resolves when a path has been asked for `more` times from now on. */
  visited(path: string, more?: number): Promise<void>
}

export type Route = (request: IncomingMessage, response: ServerResponse, visit: number) => void

/** A server on loopback whose routes a test decides; closed when the tests of the file are done. */
export async function imageServer(routes: Readonly<Record<string, Route>>): Promise<ImageServer> {
  const visits = new Map<string, number>()
  const waiting = new Set<() => void>()
  const server = createServer((request, response) => {
    const path = request.url ?? '/'
    const visit = (visits.get(path) ?? 0) + 1
    visits.set(path, visit)
    for (const look of waiting) look()
    const route = routes[path]
    if (route) route(request, response, visit)
    else response.writeHead(404).end('gone')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    visits,
    visited(path, more = 1) {
      const wanted = (visits.get(path) ?? 0) + more
      return new Promise((resolve) => {
        const look = () => {
          if ((visits.get(path) ?? 0) < wanted) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
      })
    },
  }
}
