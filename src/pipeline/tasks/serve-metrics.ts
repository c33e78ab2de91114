import { createServer, type Server } from 'node:http'
import { listenError } from '../../base/explain-error.js'
import { UserError } from '../../base/user-error.js'
import { type MetricRegistry, metricsContentType } from './metric-registry.js'

/** Where metrics are told. */
export interface MetricsAddress {
  readonly host: string
  readonly port: number
}

/** Reads `PORT` or `HOST:PORT`; without a host it is loopback. Throws a UserError where it is neither. */
export function parseMetricsAddress(text: string): MetricsAddress {
  const [, bracketed, plain, digits = ''] = /^(?:(?:\[([^\]]*)\]|([^:]*)):)?(\d+)$/.exec(text) ?? []
  const port = Number(digits)
  const host = bracketed ?? plain ?? '127.0.0.1'
  if (digits === '' || port > 65_535 || host === '')
    throw new UserError(`--metrics ${text}: expected PORT or HOST:PORT, such as 9464 or 0.0.0.0:9464.`)
  return { host, port }
}

/**
 * Tells the metrics at /metrics until it is closed.
 *
 * @throws UserError where the address cannot be listened at
 */
export async function serveMetrics(
  registry: MetricRegistry,
  { host, port }: MetricsAddress,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(async ({ method, url = '' }, response) => {
    const isAsked = url.split('?')[0] === '/metrics'
    if (!isAsked || (method !== 'GET' && method !== 'HEAD')) {
      response.writeHead(isAsked ? 405 : 404, { 'content-type': 'text/plain' })
      response.end(isAsked ? 'only GET\n' : 'see /metrics\n')
      return
    }
    try {
      const text = await registry.text()
      response.writeHead(200, { 'content-type': metricsContentType })
      response.end(method === 'HEAD' ? undefined : text)
    } catch (error) {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`${(error as Error).message}\n`)
    }
  })
  await listen(server, host, port)
  // The work does not wait for who asks.
  server.unref()
  const address = server.address()
  const bound = typeof address === 'object' && address ? address.port : port
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, { host, port, option: '--metrics' })))
    server.listen(port, host, resolve)
  })
}
