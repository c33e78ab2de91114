import { datasetInfo, modelInfo } from '@huggingface/hub'
import { counted } from '../base/counted.js'
import { nameList } from '../base/name-list.js'
import { fetchBlob, hasItsBytes } from './fetch-blob.js'
import { type HubAddress, hubText, isCommit } from './hub-address.js'
import {
  cachedCommit,
  cachedFile,
  cachedFiles,
  cachedTree,
  dropFile,
  type HubFile,
  type HubRepo,
  keepCommit,
  keepTree,
  pointToBlob,
} from './hub-cache.js'
import { HubUnreachable, notAHub, offlineError } from './hub-error.js'
import { hubFetch } from './hub-request.js'
import { type HubSettings, hubSettings } from './hub-settings.js'
import { listRepository } from './list-files.js'
import { fetchWatch } from './watch-fetches.js'

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
    if (!isCommit(sha)) throw notAHub(place, settings, 'it names no commit')
    await keepCommit(settings, { ...address, commit: sha }, revision).catch(() => {})
    return sha
  } catch (error) {
    const known = await cachedCommit(settings, address, revision)
    const isAway = settings.isOffline || error instanceof HubUnreachable
    if (!isAway || known === undefined) throw explained(error, place, settings)
    if (!settings.isOffline)
      fetchWatch().onNotice?.(
        `${hubText(place)}: ${settings.endpoint} cannot be reached; what the cache has is used (commit ${known})`,
      )
    return known
  }
}

/** What is no Hub answers with a page, or with other JSON. */
const explained = (error: unknown, place: HubAddress, settings: HubSettings): unknown =>
  error instanceof SyntaxError || error instanceof TypeError
    ? notAHub(place, settings, undefined, error)
    : error

const joined = (signal: AbortSignal | undefined): AbortSignal | undefined => {
  const signals = [signal, fetchWatch().signal].filter((one) => one !== undefined)
  return signals.length > 0 ? AbortSignal.any(signals) : undefined
}

/** A repository at a commit, and what it has. */
export interface HubSnapshot extends HubRepo {
  readonly settings: HubSettings
  readonly files: readonly HubFile[]
  /** Whether these are only those that the cache has, for nobody could be asked which there are. */
  readonly isPartial: boolean
}

/** Lists of the commits that were opened last: a dataset of many files is opened as often. */
const listed = new Map<string, readonly HubFile[]>()
const mostListed = 4

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
  const key = JSON.stringify([settings.endpoint, settings.cache, type, id, repo.commit])
  const whole = (files: readonly HubFile[]) => {
    listed.delete(key)
    listed.set(key, files)
    const [oldest = key] = listed.keys()
    if (listed.size > mostListed) listed.delete(oldest)
    return { ...repo, settings, files, isPartial: false }
  }
  const kept = listed.get(key) ?? (await cachedTree(settings, repo))
  if (kept) return whole(kept)
  try {
    return whole(await listAll(address, repo, settings, signal))
  } catch (error) {
    const isAway = settings.isOffline || error instanceof HubUnreachable
    const there = isAway ? await cachedFiles(settings, repo) : []
    if (there.length === 0) throw error
    return { ...repo, settings, files: there.map((file) => ({ ...file, oid: '' })), isPartial: true }
  }
}

async function listAll(
  address: HubAddress,
  repo: HubRepo,
  settings: HubSettings,
  signal: AbortSignal | undefined,
): Promise<readonly HubFile[]> {
  const { type, id, commit } = repo
  const place = { ...address, path: '' }
  const fetch = hubFetch({ place, settings, signal: joined(signal) })
  const asked = { repo: { type, name: id }, revision: commit, hubUrl: settings.endpoint, fetch }
  const { files, leftOut } = await listRepository(asked, place, settings)
  if (leftOut.length > 0)
    fetchWatch().onNotice?.(
      `${hubText(place)}: ${counted(leftOut.length, 'file')} left out, whose names no folder takes: ${nameList(leftOut, undefined, 3)}`,
    )
  // A cache that cannot be written to is of use all the same; a list with gaps is not for others.
  else await keepTree(settings, repo, files).catch(() => {})
  return files
}

/** A file of a snapshot by its path; undefined where there is none. */
export function fileAt({ files }: HubSnapshot, path: string): HubFile | undefined {
  const known = byPath.get(files) ?? new Map(files.map((file) => [file.path, file]))
  byPath.set(files, known)
  return known.get(path)
}
const byPath = new WeakMap<readonly HubFile[], ReadonlyMap<string, HubFile>>()

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

/**
 * Fetches a file anew where the cache has other bytes than the Hub has listed: of a disk that was full, or that forgets.
 *
 * @returns whether it was damaged
 * @throws as `fetchFile` does
 */
export async function mendFile(snapshot: HubSnapshot, file: HubFile): Promise<boolean> {
  const { settings } = snapshot
  const there = file.oid === '' ? undefined : await cachedFile(settings, snapshot, file)
  if (!there || settings.isOffline || (await hasItsBytes(there, file))) return false
  fetchWatch().onNotice?.(
    `${hubText({ ...snapshot, revision: snapshot.commit, path: file.path })}: what the cache has is damaged, and is fetched again`,
  )
  await dropFile(settings, snapshot, file)
  await fetchFile(snapshot, file)
  return true
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
