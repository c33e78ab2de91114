import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { listenError } from '../base/explain-error.js'
import { UserError } from '../base/user-error.js'

export interface ServedFolder {
  /** Such as `http://127.0.0.1:41234/`. */
  readonly url: string
  readonly port: number
  /** Takes no more requests, lets answers under way finish (for at most two seconds), then frees the port. */
  close(): Promise<void>
}

export interface ServeFolderOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number
  /** Default 127.0.0.1: this machine alone can reach it. */
  readonly host?: string
}

const types: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
  '.html': 'text/html; charset=utf-8',
  '.json': 'application/json',
  '.tsv': 'text/tab-separated-values; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
}

/** Serves the files of a folder over HTTP (GET and HEAD): the web of the toy world. */
export async function serveFolder(folder: string, options: ServeFolderOptions = {}): Promise<ServedFolder> {
  const { port = 0, host = '127.0.0.1' } = options
  const root = await realpath(folder).catch(() => {
    throw new UserError(`${folder}: no such folder to serve`)
  })
  if (!(await stat(root)).isDirectory()) throw new UserError(`${folder} is a file: name a folder to serve.`)
  let closing = false
  const server = createServer((request, response) => {
    // A kept-alive connection whose answer was the last one must not hold up the close.
    response.on('close', () => closing && setImmediate(() => server.closeIdleConnections()))
    // Who went away in the middle of an answer gets no other.
    answer(root, request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, { host, port, option: '--port' })))
    server.listen(port, host, resolve)
  })
  const { port: actual } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}/`,
    port: actual,
    close: () =>
      new Promise((resolve) => {
        closing = true
        const late = setTimeout(() => server.closeAllConnections(), 2000)
        server.close(() => {
          clearTimeout(late)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

async function answer(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end()
    return
  }
  const path = await filePath(root, request.url ?? '/')
  const file = path === undefined ? undefined : await open(path).catch(() => undefined)
  if (path === undefined || file === undefined) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n')
    return
  }
  try {
    await send(file, types[extname(path).toLowerCase()] ?? 'application/octet-stream', request, response)
  } finally {
    await file.close()
  }
}

async function send(
  file: FileHandle,
  type: string,
  { method }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const found = await file.stat()
  if (!found.isFile()) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n')
    return
  }
  response.writeHead(200, { 'content-type': type, 'content-length': found.size })
  if (method === 'HEAD') response.end()
  else await pipeline(file.createReadStream({ autoClose: false }), response)
}

/**
 * The file that a request names; undefined where there is none or it is outside of the folder, also by a
 * link.
 */
async function filePath(root: string, url: string): Promise<string | undefined> {
  try {
    const path = decodeURIComponent(url.replace(/[?#].*$/s, ''))
    if (!path.startsWith('/')) return undefined
    const real = await realpath(join(root, path))
    return real.startsWith(root + sep) ? real : undefined
  } catch {
    return undefined
  }
}
