import { datasetInfo, listFiles as listHubFiles, modelInfo } from '@huggingface/hub'
import { UserError } from '../base/user-error.js'
import { fetchBlob } from './fetch-blob.js'
import { type HubAddress, hubText, isCommit } from './hub-address.js'
import {
  cachedCommit,
  cachedFile,
  cachedFiles,
  cachedTree,
  checkedFiles,
  type HubFile,
  type HubRepo,
  keepCommit,
  keepTree,
  pointToBlob,
} from './hub-cache.js'
import { HubUnreachable, offlineError } from './hub-error.js'
import { hubFetch } from './hub-request.js'
import { type HubSettings, hubSettings } from './hub-settings.js'
import { fetchWatch } from './watch-fetches.js'

/** Files of a repository that are listed at most. */
const mostFiles = 300_000

/** Commits by what was asked for: in one process a branch is the same commit wherever it is named. */
const resolved = new Map<string, Promise<string>>()

/**
 * The commit of an address. A branch is asked for once in a process; where the Hub cannot be reached or may not be
 * asked, it is what it was when it was last asked for.
 *
 * @throws UserError where there is no such repository or revision, HubUnreachable where the Hub does not answer
 */
export async function resolveCommit(address: HubAddress, signal?: AbortSignal): Promise<string> {
  const { type, id, revision = 'main' } = address
  if (isCommit(revision)) return revision
  const settings = hubSettings()
  const key = JSON.stringify([settings.endpoint, settings.cache, settings.isOffline, type, id, revision])
  const asked = resolved.get(key) ?? askForCommit(address, revision, settings, signal)
  resolved.set(key, asked)
  return asked.catch((error: unknown) => {
    resolved.delete(key)
    throw error
  })
}

async function askForCommit(
  address: HubAddress,
  revision: string,
  settings: HubSettings,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { type, id: name } = address
  const place = { ...address, path: '' }
  try {
    const fetch = hubFetch({ place, settings, signal: joined(signal) })
    const asked = { name, revision, hubUrl: settings.endpoint, fetch }
    const { sha } =
      type === 'model'
        ? await modelInfo({ ...asked, additionalFields: ['sha'] })
        : await datasetInfo({ ...asked, additionalFields: ['sha'] })
    if (!isCommit(sha))
      throw new UserError(`${hubText(place)}: ${settings.endpoint} names no commit: is it a Hub?`)
    await keepCommit(settings, { ...address, commit: sha }, revision).catch(() => {})
    return sha
  } catch (error) {
    const known = await cachedCommit(settings, address, revision)
    const isAway = settings.isOffline || error instanceof HubUnreachable
    if (!isAway || known === undefined) throw notJson(error, place, settings)
    if (!settings.isOffline)
      fetchWatch().onNotice?.(
        `${hubText(place)}: ${settings.endpoint} cannot be reached; what the cache has is used (commit ${known})`,
      )
    return known
  }
}

/** What is no Hub answers with a page. */
const notJson = (error: unknown, place: HubAddress, { endpoint }: HubSettings): unknown =>
  error instanceof SyntaxError
    ? new UserError(`${hubText(place)}: ${endpoint} does not answer as a Hub does: check HF_ENDPOINT.`, {
        cause: error,
      })
    : error

const joined = (signal: AbortSignal | undefined): AbortSignal | undefined => {
  const signals = [signal, fetchWatch().signal].filter((one) => one !== undefined)
  return signals.length > 0 ? AbortSignal.any(signals) : undefined
}

/** A repository at a commit, and what it has. */
export interface HubSnapshot extends HubRepo {
  readonly settings: HubSettings
  readonly files: readonly HubFile[]
}

/**
 * Lists the files of a repository at a commit. The list of a commit never changes, and is kept in the cache. Where the
 * Hub cannot be reached, the files are those that the cache has.
 *
 * @throws as `resolveCommit` does
 */
export async function openSnapshot(address: HubAddress, signal?: AbortSignal): Promise<HubSnapshot> {
  const settings = hubSettings()
  const { type, id } = address
  const repo = { type, id, commit: await resolveCommit(address, signal) }
  const kept = await cachedTree(settings, repo)
  if (kept) return { ...repo, settings, files: kept }
  try {
    const files = await listAll(address, repo, settings, signal)
    // A cache that cannot be written to is of use all the same.
    await keepTree(settings, repo, files).catch(() => {})
    return { ...repo, settings, files }
  } catch (error) {
    const isAway = settings.isOffline || error instanceof HubUnreachable
    const there = isAway ? await cachedFiles(settings, repo) : []
    if (there.length === 0) throw notJson(error, address, settings)
    return { ...repo, settings, files: there.map((file) => ({ ...file, oid: '' })) }
  }
}

async function listAll(
  address: HubAddress,
  { type, id, commit }: HubRepo,
  settings: HubSettings,
  signal: AbortSignal | undefined,
): Promise<HubFile[]> {
  const place = { ...address, path: '' }
  const files: HubFile[] = []
  const entries = listHubFiles({
    repo: { type, name: id },
    revision: commit,
    recursive: true,
    hubUrl: settings.endpoint,
    fetch: hubFetch({ place, settings, signal: joined(signal) }),
  })
  for await (const { type: sort, path, size, oid = '', lfs } of entries) {
    if (sort !== 'file') continue
    files.push({ path, size: lfs?.size ?? size, oid, ...(lfs && { sha256: lfs.oid }) })
    if (files.length > mostFiles)
      throw new UserError(`${hubText(place)} has more than ${mostFiles} files, which are not listed.`)
  }
  return checkedFiles(files)
}

/** Files that are fetched now, by their place in the cache. */
const underWay = new Map<string, Promise<string>>()

/**
 * The path of a file of a repository on this machine: fetched into the cache where it is not there.
 *
 * @throws as `fetchBlob` does
 */
export async function fetchFile(snapshot: HubSnapshot, file: HubFile, signal?: AbortSignal): Promise<string> {
  const { settings } = snapshot
  const there = await cachedFile(settings, snapshot, file)
  if (there) return there
  if (settings.isOffline || file.oid === '')
    throw offlineError({ ...snapshot, revision: snapshot.commit, path: file.path }, settings)
  const key = JSON.stringify([settings.cache, snapshot.type, snapshot.id, snapshot.commit, file.path])
  const work = async () => {
    await fetchBlob(settings, snapshot, file, signal)
    return pointToBlob(settings, snapshot, file)
  }
  const fetching = underWay.get(key) ?? work().finally(() => underWay.delete(key))
  underWay.set(key, fetching)
  return fetching
}

/** Which of some files are not on this machine, and so would be fetched. */
export async function missingFiles(
  snapshot: HubSnapshot,
  files: readonly HubFile[],
): Promise<readonly HubFile[]> {
  const missing: HubFile[] = []
  for (const file of files) if (!(await cachedFile(snapshot.settings, snapshot, file))) missing.push(file)
  return missing
}
