import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { commitOf, type HubRoute, type HubServer, isLfs, refuse } from './hub-server.js'

/** What came to the store of large files. */
export interface HubStore {
  /** Bytes of large files that were sent, whole or not. */
  sent: number
  /** SHA-256 of those that came whole, in their order. */
  readonly stored: string[]
  /** Told of every file that has come whole, and of every chunk: a test may kill who sends. */
  onStored?: (() => void) | undefined
  onBytes?: ((sent: number) => void) | undefined
  /** Names of repositories that the token may not write to. */
  readonly readOnly: Set<string>
  /** Called when a commit has come, before it is looked at. */
  onCommit?: (() => void) | undefined
}

/**
 * The writes of a Hub: repositories and branches are made, large files go by git LFS into a store of blobs (whole, or in
 * parts where they are larger than `partBytes`), and one commit names all. What `startHubServer` takes as `more`.
 */
export function hubCommits({ partBytes = 1 << 20 } = {}): {
  readonly route: HubRoute
  readonly store: HubStore
} {
  const store: HubStore = { sent: 0, stored: [], readOnly: new Set() }
  const parts = new Map<string, Map<number, Buffer>>()
  const route: HubRoute = async (request, response, hub) => {
    const { method, url = '/', headers } = request
    const { pathname } = new URL(url, hub.url)
    if (method === 'PUT') return put(request, response, pathname, hub)
    if (method !== 'POST' || /\/paths-info\//.test(pathname)) return false
    if (pathname.startsWith('/lfs-complete/')) {
      const oid = pathname.slice('/lfs-complete/'.length)
      const known = [...(parts.get(oid) ?? [])].sort(([a], [b]) => a - b)
      keep(oid, Buffer.concat(known.map(([, bytes]) => bytes)), hub)
      return json(response, {})
    }
    if (headers.authorization !== `Bearer ${hub.token}`) return no(response, 401, 'Invalid credentials')
    if (pathname === '/api/repos/create') {
      const { type, name, organization, visibility } = JSON.parse((await bodyOf(request)).toString())
      const id = `${organization}/${name}`
      if (store.readOnly.has(id)) return no(response, 403, 'You have no rights to create it')
      if (hub.repositories.has(`${type}s/${id}`)) return no(response, 409, 'You already created this repo')
      hub.add(
        id,
        { '.gitattributes': '*.parquet filter=lfs\n' },
        { type, isPrivate: visibility === 'private' },
      )
      return json(response, { url: `${hub.url}/${type}s/${id}`, id })
    }
    const [, id = '', what = '', encoded = ''] =
      /^\/api\/datasets\/([^/]+\/[^/]+)\/(branch|preupload|commit)\/(.+)$/.exec(pathname) ??
      /^\/datasets\/([^/]+\/[^/]+)\.git\/info\/(lfs)\/objects\/batch$/.exec(pathname) ??
      []
    const repository = hub.repositories.get(`datasets/${id}`)
    if (!repository) return no(response, 404, 'Repository not found')
    if (store.readOnly.has(id)) return no(response, 403, 'You have no write access to it')
    const branch = decodeURIComponent(encoded)
    const body = (await bodyOf(request)).toString()
    if (what === 'branch') {
      repository.branches.set(branch, repository.branches.get('main') as string)
      return json(response, {})
    }
    if (what === 'preupload') {
      const { files } = JSON.parse(body) as { files: { path: string; size: number }[] }
      const modes = files.map(({ path, size }) => ({
        path,
        uploadMode: isLfs(path, { length: size } as Buffer) ? 'lfs' : 'regular',
      }))
      return json(response, { files: modes })
    }
    if (what === 'lfs') {
      const { objects } = JSON.parse(body) as { objects: { oid: string; size: number }[] }
      const answered = objects.map(({ oid, size }) => ({
        ...{ oid, size },
        ...(!hub.blobs.has(oid) && { actions: { upload: uploadOf(oid, size, hub) } }),
      }))
      return json(response, { transfer: 'basic', objects: answered })
    }
    store.onCommit?.()
    const lines = body.split('\n').map((line) => JSON.parse(line) as { key: string; value: Line })
    const [header, ...entries] = lines
    const parent = header?.value.parentCommit
    if (parent !== undefined && parent !== repository.branches.get(branch))
      return no(response, 412, 'A commit has happened since')
    const changes: Record<string, Buffer | null> = {}
    for (const { key, value } of entries) {
      const { path = '', oid = '', content = '' } = value
      const blob = hub.blobs.get(oid)
      if (key === 'lfsFile' && !blob) return no(response, 400, `LFS pointer to ${oid}, which does not exist`)
      changes[path] =
        key === 'deletedFile' ? null : key === 'lfsFile' ? (blob as Buffer) : Buffer.from(content, 'base64')
    }
    const sha = hub.commit(repository, changes, branch, header?.value.summary)
    return json(response, {
      commitOid: sha,
      commitUrl: `${hub.url}/datasets/${id}/commit/${sha}`,
      hookOutput: '',
    })
  }

  function uploadOf(oid: string, size: number, { url }: HubServer) {
    if (size <= partBytes) return { href: `${url}/lfs-store/${oid}` }
    const count = Math.ceil(size / partBytes)
    const numbered = Array.from({ length: count }, (_, at) => [
      String(at + 1).padStart(5, '0'),
      `${url}/lfs-part/${oid}/${at}`,
    ])
    return {
      href: `${url}/lfs-complete/${oid}`,
      header: { chunk_size: String(partBytes), ...Object.fromEntries(numbered) },
    }
  }

  async function put(request: IncomingMessage, response: ServerResponse, path: string, hub: HubServer) {
    const [, kind, oid = '', part = '0'] = /^\/lfs-(store|part)\/(\w+)(?:\/(\d+))?$/.exec(path) ?? []
    if (kind === undefined) return false
    // Addresses of the store are signed: a token that came here would be a token that was given away.
    const chunks: Buffer[] = []
    for await (const chunk of request) {
      chunks.push(chunk as Buffer)
      store.sent += (chunk as Buffer).length
      store.onBytes?.(store.sent)
    }
    const bytes = Buffer.concat(chunks)
    if (kind === 'store') keep(oid, bytes, hub)
    else {
      const known = parts.get(oid) ?? new Map<number, Buffer>()
      parts.set(oid, known.set(Number(part), bytes))
    }
    response.writeHead(200, { ETag: `"${createHash('md5').update(bytes).digest('hex')}"` }).end()
    return true
  }

  function keep(oid: string, bytes: Buffer, { blobs }: HubServer) {
    if (createHash('sha256').update(bytes).digest('hex') !== oid) throw new Error(`${oid}: other bytes came`)
    blobs.set(oid, bytes)
    store.stored.push(oid)
    store.onStored?.()
  }

  return { route, store }
}

interface Line {
  readonly summary?: string
  readonly parentCommit?: string
  readonly path?: string
  readonly oid?: string
  readonly content?: string
}

/** Files of a branch. */
export const filesOf = (hub: HubServer, id: string, branch = 'main'): ReadonlyMap<string, Buffer> => {
  const repository = hub.repositories.get(`datasets/${id}`)
  return (repository && commitOf(repository, branch)?.files) ?? new Map()
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function json(response: ServerResponse, value: unknown): true {
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8' }).end(JSON.stringify(value))
  return true
}

function no(response: ServerResponse, status: number, why: string): true {
  refuse(response, status, undefined, why, { 'Content-Type': 'application/json; charset=utf-8' })
  return true
}
