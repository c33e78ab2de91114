import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'

export type HubType = 'model' | 'dataset'

/** Files as they were at a commit. */
export interface HubCommit {
  /** 40 hex digits. */
  readonly sha: string
  readonly title: string
  readonly date: string
  readonly files: ReadonlyMap<string, Buffer>
}

/** A repository as it lies on a Hub. What a commit adds is put in place of its branch's name. */
export interface HubRepository {
  readonly type: HubType
  /** `ORG/NAME`. */
  readonly id: string
  /** Whether only who has the token sees it. */
  isPrivate: boolean
  /** Whether all see it, and only who has the token reads its files. */
  isGated: boolean
  readonly commits: Map<string, HubCommit>
  /** Commits by their branch; `main` is always there. */
  readonly branches: Map<string, string>
  readonly tags: Map<string, string>
}

interface RepositoryOptions {
  readonly type?: HubType
  readonly isPrivate?: boolean
  readonly isGated?: boolean
}

interface Fault {
  times: number
  readonly matches: RegExp
  readonly how: HubFault
}

/**
 * What a request that matches meets: a status (with seconds in Retry-After), an answer whose connection ends behind so
 * many bytes of its body, or a body whose bytes are others.
 */
export type HubFault =
  | { readonly status: number; readonly retryAfter?: number }
  | { readonly cutAt: number }
  | { readonly isWrong: true }
  | { readonly stallsAt: number }

/** A request as it came. */
export interface HubRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly authorization: string | undefined
  readonly range: string | undefined
  /** Whether it came to the other host, where large files lie. */
  readonly isCdn: boolean
}

/** Answers a request that the server itself does not know (`more`); false where it does not either. */
export type HubRoute = (
  request: IncomingMessage,
  response: ServerResponse,
  hub: HubServer,
) => boolean | Promise<boolean>

interface ServerOptions {
  /** Entries in a page of a tree. */
  readonly pageSize?: number
  /** Asked before the server's own routes: writes, for a server that has any. */
  readonly more?: HubRoute
}

/** What a test asks of the server. */
export interface HubServer {
  /** What `HF_ENDPOINT` is to be. */
  readonly url: string
  /** Who has this one may see what is private or gated. */
  readonly token: string
  /** By `models/ORG/NAME` and `datasets/ORG/NAME`. */
  readonly repositories: Map<string, HubRepository>
  readonly requests: HubRequest[]
  /** Files that no commit names yet, by their sha256: what has been sent of LFS before it is committed. */
  readonly blobs: Map<string, Buffer>
  /** Adds a repository with one commit on `main`. */
  add(
    id: string,
    files: Readonly<Record<string, Buffer | string>>,
    options?: RepositoryOptions,
  ): HubRepository
  /** Adds a commit to a branch, with these files beside or in place of those before; null removes one. Gives its sha. */
  commit(
    repository: HubRepository,
    files: Readonly<Record<string, Buffer | string | null>>,
    branch?: string,
    title?: string,
  ): string
  /** Has the next requests that match (`GET /path`) fail. */
  fail(times: number, matches: RegExp, how: HubFault): void
  close(): void
}

const lfsNames = /\.(onnx|onnx_data|parquet|tar|safetensors|bin|zip|gz|jpg|png|npz|arrow)$/i
const largestPlain = 10 * 1024 * 1024

/** Whether the Hub would keep it in LFS, as its usual `.gitattributes` says. */
export const isLfs = (name: string, bytes: Buffer) => lfsNames.test(name) || bytes.length > largestPlain
export const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

/** The id of a file in git: of an LFS file, that of its pointer. */
export function gitOid(name: string, bytes: Buffer): string {
  const body = isLfs(name, bytes) ? pointerOf(bytes) : bytes
  return createHash('sha1').update(`blob ${body.length}\0`).update(body).digest('hex')
}

const pointerOf = (bytes: Buffer) =>
  Buffer.from(
    `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(bytes)}\nsize ${bytes.length}\n`,
  )

/** As `startHubServer`; closed when the tests of the file are done. */
export async function hubServer(options?: ServerOptions): Promise<HubServer> {
  const server = await startHubServer(options)
  afterAll(server.close)
  return server
}

/**
 * A server on loopback that answers as the Hub does where it is read: information of repositories, trees in pages,
 * paths, refs, and files with ETags and ranges. Files of LFS are answered with a redirect to another host, as from the
 * Hub's CDN; others with one to the Hub's own cache of files. What is not there and what is hidden look alike without a token.
 */
export async function startHubServer({ pageSize = 1000, more }: ServerOptions = {}): Promise<HubServer> {
  const token = `hf_${randomBytes(12).toString('hex')}`
  const repositories = new Map<string, HubRepository>()
  const requests: HubRequest[] = []
  const blobs = new Map<string, Buffer>()
  const faults: Fault[] = []

  const findFault = (line: string) => {
    const fault = faults.find(({ times, matches }) => times > 0 && matches.test(line))
    if (fault) fault.times--
    return fault?.how
  }

  const listener =
    (
      isCdn: boolean,
      answer: (request: IncomingMessage, response: ServerResponse, how?: HubFault) => unknown,
    ) =>
    (request: IncomingMessage, response: ServerResponse) => {
      const { method = 'GET', url: path = '/', headers } = request
      const { authorization, range } = headers
      requests.push({ method, path, authorization, range, isCdn })
      const how = findFault(`${method} ${path}`)
      if (how && 'status' in how) {
        request.resume()
        const later = how.retryAfter === undefined ? {} : { 'Retry-After': String(how.retryAfter) }
        response.writeHead(how.status, later).end()
        return
      }
      Promise.resolve(answer(request, response, how)).catch(() => response.destroy())
    }

  const cdn = createServer(
    listener(true, (request, response, how) => {
      const { pathname } = new URL(request.url as string, 'http://host')
      const bytes = blobOf(pathname.slice(1))
      if (!bytes) return void response.writeHead(403).end()
      sendFile(request, response, bytes, { ETag: `"${createHash('md5').update(bytes).digest('hex')}"` }, how)
    }),
  )
  const cdnUrl = await listen(cdn)

  function blobOf(oid: string): Buffer | undefined {
    const sent = blobs.get(oid)
    if (sent) return sent
    for (const { commits } of repositories.values())
      for (const { files } of commits.values())
        for (const bytes of files.values()) if (sha256(bytes) === oid) return bytes
    return undefined
  }

  const hub = createServer(
    listener(false, async (request, response, how) => {
      if (await more?.(request, response, server)) return
      const { pathname, searchParams } = new URL(request.url as string, 'http://host')
      const asked = request.headers.authorization
      const isKnown = asked === `Bearer ${token}`
      if (asked !== undefined && !isKnown)
        return refuse(response, 401, undefined, 'Invalid credentials in Authorization header')
      const cached = /^\/api\/resolve-cache\/(models|datasets)\/([^/]+\/[^/]+)\/([^/]+)\/(.*)$/.exec(pathname)
      const api =
        /^\/api\/(models|datasets)\/([^/]+\/[^/]+)(?:\/(revision|tree|paths-info|refs)(?:\/(.*))?)?$/.exec(
          pathname,
        )
      const file = /^\/(datasets\/)?([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.*)$/.exec(pathname)
      const kind = api?.[1] ?? cached?.[1] ?? (file?.[1] ? 'datasets' : 'models')
      const id = decodeURIComponent(api?.[2] ?? cached?.[2] ?? file?.[2] ?? '')
      const repository = repositories.get(`${kind}/${id}`)
      if (!api && !cached && !file) return refuse(response, 404, undefined, 'Not found')
      if (!repository || (repository.isPrivate && !isKnown)) {
        if (isKnown) return refuse(response, 404, 'RepoNotFound', 'Repository not found')
        return refuse(response, 401, 'RepoNotFound', 'Invalid username or password.')
      }
      if (!api && repository.isGated && !isKnown) {
        const why = `Access to ${kind === 'models' ? 'model' : 'dataset'} ${id} is restricted. You must have access to it and be authenticated to access it. Please log in.`
        return refuse(response, 401, 'GatedRepo', why)
      }
      if (api?.[3] === 'refs') return send(response, refsOf(repository))
      const [revision, ...rest] = api
        ? api[3] === undefined
          ? ['main']
          : splitRevision(api[4] ?? '')
        : splitRevision(`${(file ?? cached)?.[3]}/${(file ?? cached)?.[4]}`)
      const path = rest.join('/')
      const commit = commitOf(repository, revision ?? '')
      if (!commit) return refuse(response, 404, 'RevisionNotFound', `Invalid rev id: ${revision}`)
      if (!api) return resolveFile(request, response, { repository, commit, path, isCached: !!cached, how })
      if (api[3] === 'tree') return sendTree(request, response, { commit, path, searchParams, pageSize, url })
      if (api[3] === 'paths-info') {
        const { paths, expand } = await readPaths(request)
        const entries = entriesOf(commit, '', true, expand)
        const isAsked = (entry: TreeEntry) => paths.includes(entry.path)
        return send(response, entries.filter(isAsked))
      }
      send(response, infoOf(repository, commit, searchParams.get('blobs') !== null))
    }),
  )
  const url = await listen(hub)

  function resolveFile(
    request: IncomingMessage,
    response: ServerResponse,
    { repository, commit, path, isCached, how }: ResolvedFile,
  ) {
    const headers = { 'X-Repo-Commit': commit.sha, 'Accept-Ranges': 'bytes' }
    const bytes = commit.files.get(path)
    if (!bytes) return refuse(response, 404, 'EntryNotFound', 'Entry not found', headers)
    const isLarge = isLfs(path, bytes)
    const etag = `"${isLarge ? sha256(bytes) : gitOid(path, bytes)}"`
    if (isCached) return sendFile(request, response, bytes, { ...headers, ETag: etag }, how)
    const linked = { ...headers, 'X-Linked-Etag': etag, 'X-Linked-Size': String(bytes.length) }
    const place = `/api/resolve-cache/${repository.type}s/${repository.id}/${commit.sha}/${encodePath(path)}`
    if (isLarge) response.writeHead(302, { ...linked, Location: `${cdnUrl}/${sha256(bytes)}?signature=abc` })
    else response.writeHead(307, { ...linked, Location: place })
    response.end()
  }

  const server: HubServer = {
    url,
    token,
    repositories,
    requests,
    blobs,
    add(id, files, { type = 'model', isPrivate = false, isGated = false } = {}) {
      const commits = new Map<string, HubCommit>()
      const branches = new Map<string, string>()
      const repository = { type, id, isPrivate, isGated, commits, branches, tags: new Map<string, string>() }
      repositories.set(`${type}s/${id}`, repository)
      server.commit(repository, files, 'main', 'initial commit')
      return repository
    },
    commit({ id, commits, branches }, files, branch = 'main', title = 'an update') {
      const before = commits.get(branches.get(branch) ?? branches.get('main') ?? '')
      const now = new Map(before?.files)
      for (const [name, bytes] of Object.entries(files)) {
        if (bytes === null) now.delete(name)
        else now.set(name, Buffer.from(bytes))
      }
      const date = new Date(1_750_000_000_000 + commits.size * 1000).toISOString()
      const hash = createHash('sha1').update(`${id}${before?.sha}${branch}${title}${date}`)
      for (const [name, bytes] of now) hash.update(name).update(bytes)
      const sha = hash.digest('hex')
      commits.set(sha, { sha, title, date, files: now })
      branches.set(branch, sha)
      return sha
    },
    fail: (times, matches, how) => void faults.push({ times, matches, how }),
    close() {
      for (const each of [hub, cdn]) {
        each.closeAllConnections()
        each.close()
      }
    },
  }
  return server
}

interface ResolvedFile {
  readonly repository: HubRepository
  readonly commit: HubCommit
  readonly path: string
  /** Whether the redirect to the Hub's own cache was followed. */
  readonly isCached: boolean
  readonly how: HubFault | undefined
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const encodePath = (path: string) => path.split('/').map(encodeURIComponent).join('/')

/** The revision and the path behind it; refs of pull requests and conversions have slashes of their own. */
function splitRevision(text: string): string[] {
  const [, special, rest = ''] = /^(refs\/(?:pr\/\d+|convert\/[\w.-]+))(?:\/(.*))?$/.exec(text) ?? []
  const parts = special ? [special, ...rest.split('/')] : text.split('/')
  return parts.map(decodeURIComponent)
}

/** The commit of a branch, a tag or of the first digits of its sha. */
export function commitOf(
  { commits, branches, tags }: HubRepository,
  revision: string,
): HubCommit | undefined {
  const name = revision === 'HEAD' ? 'main' : revision
  const sha = branches.get(name) ?? tags.get(name)
  if (sha !== undefined) return commits.get(sha)
  return /^[\da-f]{7,40}$/.test(name)
    ? [...commits.values()].find(({ sha }) => sha.startsWith(name))
    : undefined
}

const refsOf = ({ branches, tags }: HubRepository) => {
  const named = (folder: string, refs: ReadonlyMap<string, string>) =>
    [...refs].map(([name, targetCommit]) => ({
      name,
      ref: name.startsWith('refs/') ? name : `refs/${folder}/${name}`,
      targetCommit,
    }))
  return { branches: named('heads', branches), converts: [], tags: named('tags', tags) }
}

function infoOf({ type, id, isPrivate, isGated }: HubRepository, commit: HubCommit, hasBlobs: boolean) {
  const siblings = [...commit.files].map(([rfilename, bytes]) => ({
    rfilename,
    ...(hasBlobs && {
      size: bytes.length,
      blobId: gitOid(rfilename, bytes),
      ...lfsOf(rfilename, bytes, 'sha256'),
    }),
  }))
  return {
    _id: createHash('sha1').update(`${type}${id}`).digest('hex').slice(0, 24),
    id,
    ...(type === 'model' && { modelId: id }),
    author: id.split('/')[0],
    sha: commit.sha,
    lastModified: commit.date,
    createdAt: commit.date,
    private: isPrivate,
    gated: isGated ? 'manual' : false,
    disabled: false,
    downloads: 0,
    likes: 0,
    tags: [],
    siblings,
  }
}

const lfsOf = (name: string, bytes: Buffer, key: 'oid' | 'sha256') =>
  isLfs(name, bytes)
    ? { lfs: { [key]: sha256(bytes), size: bytes.length, pointerSize: pointerOf(bytes).length } }
    : {}

interface TreeEntry {
  readonly type: 'file' | 'directory'
  readonly oid: string
  readonly size: number
  readonly path: string
}

/** Folders and files below a folder, in order of their paths. */
function entriesOf(
  commit: HubCommit,
  folder: string,
  isRecursive: boolean,
  isExpanded: boolean,
): TreeEntry[] {
  const entries = new Map<string, TreeEntry>()
  const { sha: id, title, date, files } = commit
  const more = isExpanded ? { lastCommit: { id, title, date } } : {}
  const prefix = folder === '' ? '' : `${folder}/`
  for (const [name, bytes] of files) {
    if (!name.startsWith(prefix)) continue
    const parts = name.slice(prefix.length).split('/')
    for (let count = 1; count < parts.length; count++) {
      const path = prefix + parts.slice(0, count).join('/')
      const oid = createHash('sha1').update(path).digest('hex')
      if (isRecursive || count === 1) entries.set(path, { type: 'directory', oid, size: 0, path, ...more })
    }
    if (!isRecursive && parts.length > 1) continue
    const file = { type: 'file' as const, oid: gitOid(name, bytes), size: bytes.length, path: name }
    entries.set(name, { ...file, ...lfsOf(name, bytes, 'oid'), ...more })
  }
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

interface TreeQuestion {
  readonly commit: HubCommit
  readonly path: string
  readonly searchParams: URLSearchParams
  readonly pageSize: number
  readonly url: string
}

function sendTree(request: IncomingMessage, response: ServerResponse, question: TreeQuestion) {
  const { commit, path, searchParams, pageSize, url } = question
  const isSet = (name: string) => /^(true|1)$/i.test(searchParams.get(name) ?? '')
  const entries = entriesOf(commit, path, isSet('recursive'), isSet('expand'))
  if (entries.length === 0 && path !== '')
    return refuse(response, 404, 'EntryNotFound', `${path} does not exist`)
  const from = Number(searchParams.get('cursor') ?? 0)
  const size = Math.min(pageSize, Number(searchParams.get('limit') ?? pageSize))
  const next = new URL(request.url as string, url)
  next.searchParams.set('cursor', String(from + size))
  const link: Record<string, string> =
    from + size < entries.length ? { Link: `<${next.href}>; rel="next"` } : {}
  send(response, entries.slice(from, from + size), link)
}

/** A body in JSON, or in a form's words as Python's client sends it. */
async function readPaths(
  request: IncomingMessage,
): Promise<{ readonly paths: string[]; readonly expand: boolean }> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const text = Buffer.concat(parts).toString('utf8')
  if (/json/.test(request.headers['content-type'] ?? '')) return { expand: false, ...JSON.parse(text) }
  const form = new URLSearchParams(text)
  return { paths: form.getAll('paths'), expand: /^true$/i.test(form.get('expand') ?? '') }
}

function send(response: ServerResponse, value: unknown, headers: Readonly<Record<string, string>> = {}) {
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', ...headers })
  response.end(JSON.stringify(value))
}

/** Refuses as the Hub does: the reason for programs in a header, for people in another and the body. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string | undefined,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = JSON.stringify({ error: message })
  response.writeHead(status, {
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'X-Error-Message': message,
    ...(code && { 'X-Error-Code': code }),
  })
  response.end(body)
}

/** A file, or the part of it that is asked for; HEAD without its bytes. */
function sendFile(
  { method, headers: { range } }: IncomingMessage,
  response: ServerResponse,
  whole: Buffer,
  headers: Readonly<Record<string, string>>,
  how?: HubFault,
) {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? []
  const from = Number(first ?? 0)
  const to = last ? Math.min(Number(last) + 1, whole.length) : whole.length
  const isPart = first !== undefined
  if (isPart && from >= whole.length)
    return void response.writeHead(416, { ...headers, 'Content-Range': `bytes */${whole.length}` }).end()
  const bytes = whole.subarray(from, to)
  const all = { ...headers, 'Accept-Ranges': 'bytes', 'Content-Length': String(bytes.length) }
  if (isPart) response.writeHead(206, { ...all, 'Content-Range': `bytes ${from}-${to - 1}/${whole.length}` })
  else response.writeHead(200, all)
  if (method === 'HEAD') return void response.end()
  if (how && 'isWrong' in how) return void response.end(Buffer.from(bytes).fill(0x5a, bytes.length >> 1))
  if (how && 'cutAt' in how) {
    response.write(bytes.subarray(0, how.cutAt))
    return void setTimeout(() => response.destroy(), 20)
  }
  if (how && 'stallsAt' in how) return void response.write(bytes.subarray(0, how.stallsAt))
  response.end(bytes)
}
