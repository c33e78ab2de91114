import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, relative, sep } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { packaged } from '../base/files/packaged.js'
import { listenError } from '../base/explain-error.js'
import { UserError } from '../base/user-error.js'
import { inspectApp, type PageFile } from './app.js'
import type { Inspected } from './layer.js'

export interface ServedInspect {
  /** The address of the page, with the token that opens it. */
  readonly url: string
  readonly port: number
  readonly token: string
  /** Takes no more requests, lets answers under way finish (for at most two seconds), then frees the port. */
  close(): Promise<void>
}

export interface ServeInspectOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number
  /** Default 127.0.0.1: this machine alone can reach it. */
  readonly host?: string
  /** Where the page has been built. */
  readonly page?: string
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/**
 * Serves the page over a dataset.
 *
 * @throws UserError where the page is not built, or the address cannot be listened on
 */
export async function serveInspect(
  dataset: Inspected,
  { port = 0, host = '127.0.0.1', page = packaged('dist/inspect/page') }: ServeInspectOptions = {},
): Promise<ServedInspect> {
  const files = await readPage(page)
  const token = randomBytes(24).toString('base64url')
  const app = inspectApp(dataset, files, token, () => ({
    host,
    port: (server.address() as AddressInfo).port,
  }))
  const server = createServer(getRequestListener(app.fetch))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(listenError(error, { host, port, option: '--port', hostOption: '--host' })),
    )
    server.listen(port, host, resolve)
  })
  const { port: actual } = server.address() as AddressInfo
  const shown =
    host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host
  return {
    url: `http://${shown}:${actual}/?token=${token}`,
    port: actual,
    token,
    async close() {
      await new Promise<void>((resolve) => {
        const late = setTimeout(() => server.closeAllConnections(), 2000)
        server.close(() => {
          clearTimeout(late)
          resolve()
        })
        server.closeIdleConnections()
      })
      await app.close()
    },
  }
}

/** All files of the built page, held in memory: no request's path ever reaches the file system. */
async function readPage(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = new Map<string, PageFile>()
  for (const entry of entries) {
    const type = types[extname(entry.name)]
    if (!entry.isFile() || !type) continue
    const path = join(entry.parentPath, entry.name)
    files.set(`/${relative(folder, path).split(sep).join('/')}`, { bytes: await readFile(path), type })
  }
  if (!files.has('/index.html'))
    throw new UserError(`The page is not built: ${folder} has no index.html. Run \`npm run build\`.`)
  return files
}
