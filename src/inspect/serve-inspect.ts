import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, relative, sep } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { listenError } from '../base/explain-error.js'
import { packaged } from '../base/files/packaged.js'
import { UserError } from '../base/user-error.js'
import { inspectApp, type PageFile } from './app.js'
import type { Inspected } from './index/layer.js'
import type { ReviewOptions } from './reviewing.js'

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
  /** Whether another port will do where that one is taken. */
  readonly anyPort?: boolean
  /** What opens the page; by default a new one. */
  readonly token?: string
  /** Default 127.0.0.1: this machine alone can reach it. */
  readonly host?: string
  /** What people say on the page is written to it; without it they can only look. */
  readonly review?: ReviewOptions
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
  {
    port = 0,
    anyPort = false,
    host = '127.0.0.1',
    token = randomBytes(24).toString('base64url'),
    page = packaged('dist/inspect/page'),
    review,
  }: ServeInspectOptions = {},
): Promise<ServedInspect> {
  const files = await readPage(page)
  const listens = () => ({ host, port: (server.address() as AddressInfo).port })
  const app = inspectApp(dataset, files, token, listens, review)
  const server = createServer(getRequestListener(app.fetch))
  if (!(await listen(server, port, host, anyPort))) await listen(server, 0, host, false)
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

/**
 * Listens on a port; false where it is taken and another one will do.
 *
 * @throws UserError where it cannot be listened on
 */
function listen(server: Server, port: number, host: string, anyPort: boolean): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE' || error.code === 'EACCES'
      if (isTaken && anyPort) resolve(false)
      else reject(listenError(error, { host, port, option: '--port', hostOption: '--host' }))
    }
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      resolve(true)
    })
  })
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
