import { pathToFileURL } from 'node:url'
import { type CommitOperation, commitIter, createBranch, createRepo, HubApiError } from '@huggingface/hub'
import { plainText } from '../base/plain-text.js'
import { UserError } from '../base/user-error.js'
import { contentsOf, type PushParts, type PushSide, partsOf } from '../storage/push-content.js'
import { hubHash, resolveUrl } from './fetch-blob.js'
import { type HubAddress, hubText, isCommit } from './hub-address.js'
import { blobName } from './hub-cache.js'
import { HubUnreachable, notAHub, whyNot } from './hub-error.js'
import { hubFetch } from './hub-request.js'
import { type HubSettings, hubSettings } from './hub-settings.js'
import { listRepository } from './list-files.js'

export interface PushOptions extends PushParts {
  /** Which of the files that are on the Hub, and are none of these, go. */
  readonly isOld: (path: string) => boolean
  /** Whether a repository that is made is private; as its owner has set it by default where it is not said. */
  readonly isPrivate?: boolean | undefined
  readonly message: string
}

export interface Pushed {
  /** The commit that has it all; of what was there already the branch's last one. */
  readonly commit: string
  /** Where people see it. */
  readonly page: string
  readonly isNew: boolean
  /** Files that differ from those that were there, those that were the same, and those that went. */
  readonly changed: number
  readonly same: number
  readonly removed: number
}

/**
 * Pushes files of a folder into a branch of a dataset's repository, which is made where there is none. Large files go
 * first, into the Hub's store: those whose SHA-256 it has are not sent again, so that a push that was killed goes on. One
 * commit then names all of them: until then the branch is as it was.
 *
 * @throws UserError where the Hub refuses, or another has changed the branch meanwhile; HubUnreachable where it does not
 *   answer
 */
export async function pushFolder(folder: string, address: HubAddress, options: PushOptions): Promise<Pushed> {
  const { settings, token } = requireToken(address)
  const state: PushState = { isCommitting: false }
  try {
    return await push(folder, address, options, settings, token, state)
  } catch (error) {
    options.signal.throwIfAborted()
    throw explained(error, address, settings, state)
  }
}

interface PushState {
  /** Whether the commit was asked for: where its answer is lost, it may have been made. */
  isCommitting: boolean
}

/** Throws a UserError where nothing can be pushed from here: no token, or no network by the user's wish. */
export function requireToken(address: HubAddress): {
  readonly settings: HubSettings
  readonly token: string
} {
  const settings = hubSettings()
  const { token } = settings
  const at = hubText({ ...address, path: '' })
  if (settings.isOffline) throw new UserError(`${at}: HF_HUB_OFFLINE forbids to ask the Hub: unset it.`)
  if (token === undefined)
    throw new UserError(
      `${at}: a token that may write is needed: make one at ${settings.endpoint}/settings/tokens, and put it into HF_TOKEN.`,
    )
  return { settings, token }
}

async function push(
  folder: string,
  address: HubAddress,
  options: PushOptions,
  settings: HubSettings,
  accessToken: string,
  state: PushState,
): Promise<Pushed> {
  const { files, isOld, isPrivate, message, signal, onProgress } = options
  const { id, revision: branch = 'main' } = address
  const repo = { type: 'dataset', name: id } as const
  const place = { ...address, path: '' }
  // The library says what the Hub says of these.
  const ask = hubFetch({ place, settings, signal, answers: [400, 401, 403, 404, 409, 412, 413, 422] })
  // The token is added where it is the Hub that is asked, and nowhere else.
  const fetch: typeof ask = (input, init) => {
    const { Authorization: _, ...headers } = (init?.headers ?? {}) as Record<string, string>
    return ask(input, { ...init, headers })
  }
  const hub = { repo, hubUrl: settings.endpoint, accessToken, fetch }
  const page = `${settings.endpoint}/datasets/${id}${branch === 'main' ? '' : `/tree/${encodeURIComponent(branch)}`}`
  const found = await headOf(address, branch, settings, signal)
  if (!found.isThere)
    await createRepo({
      ...hub,
      ...(isPrivate !== undefined && { visibility: isPrivate ? 'private' : 'public' }),
    })
  if (found.head === undefined && branch !== 'main') await createBranch({ ...hub, branch })
  const head = found.head ?? (await headOf(address, branch, settings, signal)).head
  const { files: there } =
    head === undefined ? { files: [] } : await listRepository({ ...hub, revision: head }, place, settings)
  const known = new Map(there.map((file) => [file.path, file]))
  const side: PushSide = {
    paths: [...known.keys()],
    async read(path) {
      const file = known.get(path)
      if (head === undefined || file === undefined) return undefined
      const url = resolveUrl(settings, { type: 'dataset', id, commit: head }, file)
      return (await hubFetch({ place, settings, signal })(url)).text()
    },
  }
  const operations: CommitOperation[] = []
  const sizes = new Map<string, number>()
  let same = 0
  for await (const content of contentsOf(folder, options, side)) {
    const { path, file, text, size } = content
    const old = known.get(path)
    if (old?.size === size && (await hubHash(partsOf(content, signal), old)) === blobName(old)) {
      same++
      continue
    }
    sizes.set(path, size)
    operations.push({
      ...{ operation: 'addOrUpdate', path },
      content: text === undefined ? pathToFileURL(file) : new Blob([text]),
    })
  }
  const changed = operations.length
  const isKept = new Set(files)
  for (const { path } of there)
    if (!isKept.has(path) && isOld(path)) operations.push({ operation: 'delete', path })
  const removed = operations.length - changed
  if (operations.length === 0 && head !== undefined)
    return { commit: head, page, isNew: false, changed, same, removed }
  const commits = commitIter({
    ...{ ...hub, branch, operations, title: message },
    // Whoever has committed meanwhile is not overwritten.
    ...(head !== undefined && { parentCommit: head }),
    abortSignal: signal,
  })
  const done = new Map<string, number>()
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  onProgress?.(0, total)
  for (let next = await commits.next(); ; next = await commits.next()) {
    if (next.done) {
      onProgress?.(total, total)
      const commit = next.value?.commit.oid
      if (!isCommit(commit)) throw notAHub(place, settings, 'it names no commit')
      return { commit, page, isNew: !found.isThere, changed, same, removed }
    }
    const event = next.value
    if (event.event === 'phase') state.isCommitting = event.phase === 'committing'
    if (event.event !== 'fileProgress' || event.state !== 'uploading') continue
    done.set(event.path, event.progress * (sizes.get(event.path) ?? 0))
    onProgress?.(Math.round([...done.values()].reduce((sum, bytes) => sum + bytes, 0)), total)
  }
}

/** The commit of a branch; undefined where there is none, or no repository. */
async function headOf(
  address: HubAddress,
  branch: string,
  settings: HubSettings,
  signal: AbortSignal | undefined,
): Promise<{ readonly isThere: boolean; readonly head?: string }> {
  const url = `${settings.endpoint}/api/datasets/${address.id}/revision/${encodeURIComponent(branch)}`
  const place = { ...address, path: '' }
  const response = await hubFetch({ place, settings, signal, answers: [401, 404] })(url)
  if (response.ok) {
    const { sha } = Object(await response.json()) as { readonly sha?: unknown }
    return { isThere: true, ...(typeof sha === 'string' && { head: sha }) }
  }
  const code = response.headers.get('x-error-code')
  // A token that is not taken is told of when the repository is made.
  return { isThere: code === 'RevisionNotFound' }
}

/** What the Hub or the network has refused, in words that say what to do. */
function explained(
  error: unknown,
  address: HubAddress,
  settings: HubSettings,
  { isCommitting }: PushState,
): unknown {
  const { endpoint, token, tokenFrom } = settings
  const at = hubText({ ...address, path: '' })
  if (error instanceof HubApiError) {
    const { statusCode, data } = error
    const said =
      typeof data?.error === 'string' ? plainText(String(data.error).slice(0, 300)) : `status ${statusCode}`
    // Whatever a Hub repeats, a token is in no message.
    const why = token === undefined ? said : said.replaceAll(token, '…')
    if (statusCode === 401 || statusCode === 403)
      return new UserError(
        `${at}: ${endpoint} does not let the token (${tokenFrom}) write there: ${why}. A token with write access to it is made at ${endpoint}/settings/tokens.`,
      )
    if (statusCode === 412 || statusCode === 409)
      return new UserError(
        `${at}: somebody else has changed it meanwhile: ${why}. It is as they left it; run the same command again.`,
      )
    return new UserError(`${at}: ${endpoint} has refused the push: ${why}. The branch is as it was.`)
  }
  if (error instanceof HubUnreachable) {
    const why = error.cause === undefined ? 'it does not take it now' : whyNot(error.cause)
    return new HubUnreachable(
      `${at}: ${endpoint} cannot be reached (${why}). ${isCommitting ? 'Whether the commit is made is not known' : 'The branch is as it was'}; run the same command again, and what has come there is not sent again.`,
      { cause: error },
    )
  }
  if (error instanceof SyntaxError || error instanceof TypeError)
    return notAHub({ ...address, path: '' }, settings, undefined, error)
  return error
}
