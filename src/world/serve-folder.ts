import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize, sep } from 'node:path'

export interface FolderServer {
  /** Such as `http://127.0.0.1:41234/`. */
  readonly url: string
  close(): Promise<void>
}

const types: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.html': 'text/html; charset=utf-8',
}

/** Serves the files of a folder on loopback: the web of the toy world. */
export async function serveFolder(folder: string, port = 0): Promise<FolderServer> {
  const server = createServer(async (request, response) => {
    const path = filePath(folder, request.url ?? '/')
    const found = path === undefined ? undefined : await stat(path).catch(() => undefined)
    if (path === undefined || !found?.isFile()) {
      response.writeHead(404).end('not found\n')
      return
    }
    const type = types[extname(path)] ?? 'application/octet-stream'
    response.writeHead(200, { 'content-type': type, 'content-length': found.size })
    if (request.method === 'HEAD') response.end()
    else
      createReadStream(path)
        .on('error', () => response.destroy())
        .pipe(response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve)
  })
  const { port: actual } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${actual}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The file that a request path names, or undefined where it would leave the folder. */
function filePath(folder: string, url: string): string | undefined {
  try {
    const path = normalize(join(folder, decodeURIComponent(new URL(url, 'http://localhost').pathname)))
    return path.startsWith(normalize(folder) + sep) ? path : undefined
  } catch {
    return undefined
  }
}
