import { copyFile, lstat, readdir, rename, rm, stat, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { makeFolder } from '../base/files/make-folder.js'
import { readRegularFile } from '../base/files/regular-file.js'
import { absent } from '../base/files/sync-folder.js'
import { asidePath, writeFileAtomic } from '../base/files/write-file-atomic.js'
import { parseJson } from '../base/parse-json.js'
import { UserError } from '../base/user-error.js'
import { type HubAddress, isCommit, isInside } from './hub-address.js'
import type { HubSettings } from './hub-settings.js'

/** A repository at one commit. */
export type HubRepo = Pick<HubAddress, 'type' | 'id'> & { readonly commit: string }

/** A file of a repository at a commit. */
export interface HubFile {
  /** In the repository. */
  readonly path: string
  /** In bytes. */
  readonly size: number
  /** Its id in git: of a large file that of its pointer. */
  readonly oid: string
  /** Of what is stored as a large file. */
  readonly sha256?: string
}

/** The name of its bytes in the cache, which is their hash. */
export const blobName = ({ oid, sha256 }: HubFile): string => sha256 ?? oid

/** Where a repository lies in the cache, as huggingface_hub lays it. */
export const repoFolder = ({ cache }: HubSettings, { type, id }: Pick<HubRepo, 'type' | 'id'>): string =>
  join(cache, `${type}s--${id.replace('/', '--')}`)

export const snapshotFolder = (settings: HubSettings, repo: HubRepo): string =>
  join(repoFolder(settings, repo), 'snapshots', repo.commit)

/** The commit of a branch or tag when it was last asked for; undefined where it never was. */
export async function cachedCommit(
  settings: HubSettings,
  repo: Pick<HubRepo, 'type' | 'id'>,
  revision: string,
): Promise<string | undefined> {
  const path = join(repoFolder(settings, repo), 'refs', revision)
  // Whatever lies there: a pipe, or something long.
  const text = await readRegularFile(path, 1000).then(String, () => '')
  return isCommit(text.trim()) ? text.trim() : undefined
}

export async function keepCommit(settings: HubSettings, repo: HubRepo, revision: string): Promise<void> {
  if ((await cachedCommit(settings, repo, revision)) === repo.commit) return
  await writeFileAtomic(join(repoFolder(settings, repo), 'refs', revision), repo.commit)
}

const treeName = (settings: HubSettings, repo: HubRepo) =>
  join(repoFolder(settings, repo), 'trees', `${repo.commit}.json`)

/** Of the list of a repository with as many files as are listed at most. */
const largestTree = 256 * 1024 * 1024

interface KeptFile {
  readonly size: number
  readonly blob_id: string
  readonly lfs_sha256?: string
}

/** The files of a commit as they were listed before; undefined where they were not. */
export async function cachedTree(settings: HubSettings, repo: HubRepo): Promise<HubFile[] | undefined> {
  try {
    const { format_version, files } = parseJson(
      (await readRegularFile(treeName(settings, repo), largestTree)).toString('utf8'),
    ) as {
      readonly format_version?: unknown
      readonly files?: Readonly<Record<string, KeptFile>>
    }
    if (format_version !== 1) return undefined
    const kept = Object.entries(files ?? {}).map(([path, { size, blob_id, lfs_sha256 }]) => ({
      path,
      size,
      oid: blob_id,
      ...(lfs_sha256 !== undefined && { sha256: lfs_sha256 }),
    }))
    // A list without a file is sooner a damaged one.
    return kept.length > 0 && kept.every(isHubFile) ? kept : undefined
  } catch {
    return undefined
  }
}

/** In the form of huggingface_hub 2, which reads it too. */
export async function keepTree(
  settings: HubSettings,
  repo: HubRepo,
  files: readonly HubFile[],
): Promise<void> {
  const kept = Object.fromEntries(
    files.map(({ path, size, oid, sha256 }) => [
      path,
      { size, blob_id: oid, ...(sha256 !== undefined && { lfs_sha256: sha256, lfs_size: size }) },
    ]),
  )
  await writeFileAtomic(treeName(settings, repo), JSON.stringify({ format_version: 1, files: kept }, null, 1))
}

/** Whether an entry of a list is a file of a repository: a path that stays in it, a size and hashes. */
export function isHubFile({ path, size, oid, sha256 = '0'.repeat(64) }: HubFile): boolean {
  const areTexts = [path, oid, sha256].every((text) => typeof text === 'string')
  return (
    areTexts &&
    isInside(path) &&
    Number.isSafeInteger(size) &&
    size >= 0 &&
    /^[\da-f]{40}$/.test(oid) &&
    /^[\da-f]{64}$/.test(sha256)
  )
}

/** What there is of a commit in the cache, without a listing: paths and sizes. */
export async function cachedFiles(
  settings: HubSettings,
  repo: HubRepo,
): Promise<readonly Pick<HubFile, 'path' | 'size'>[]> {
  const folder = snapshotFolder(settings, repo)
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files: Pick<HubFile, 'path' | 'size'>[] = []
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    const found = await stat(path).catch(() => undefined)
    if (found?.isFile()) files.push({ path: relative(folder, path).replaceAll('\\', '/'), size: found.size })
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** The path of a file in a snapshot, where all its bytes are there; undefined where they are not. */
export async function cachedFile(
  settings: HubSettings,
  repo: HubRepo,
  { path, size }: Pick<HubFile, 'path' | 'size'>,
): Promise<string | undefined> {
  const pointer = join(snapshotFolder(settings, repo), path)
  const found = await stat(pointer).catch(() => undefined)
  return found?.isFile() && found.size === size ? pointer : undefined
}

/**
 * Makes a snapshot's file lead to its blob: by a link, as huggingface_hub does, or by a copy where the file system has
 * none. What another process has put there stays.
 *
 * @returns its path
 */
export async function pointToBlob(settings: HubSettings, repo: HubRepo, file: HubFile): Promise<string> {
  const there = await cachedFile(settings, repo, file)
  if (there) return there
  const pointer = join(snapshotFolder(settings, repo), file.path)
  const blob = join(repoFolder(settings, repo), 'blobs', blobName(file))
  await makeFolder(dirname(pointer))
  await refuseFolder(pointer)
  const aside = asidePath(pointer)
  try {
    const target = relative(dirname(pointer), blob)
    await symlink(target, aside).catch(() => copyFile(blob, aside))
    await rename(aside, pointer)
  } finally {
    await rm(aside, { force: true })
  }
  return pointer
}

/** Throws a UserError where there is a folder in the place of a file of the cache. */
export async function refuseFolder(path: string): Promise<void> {
  if ((await lstat(path).catch(absent))?.isDirectory())
    throw new UserError(`${path} is a folder, where a file of the Hub's cache belongs: take it away.`)
}

/** Takes a file out of the cache whose bytes are not those of its name. */
export async function dropFile(settings: HubSettings, repo: HubRepo, file: HubFile): Promise<void> {
  await rm(join(snapshotFolder(settings, repo), file.path), { force: true })
  await rm(join(repoFolder(settings, repo), 'blobs', blobName(file)), { force: true })
}

/** Says to programs that make backups that this is a cache (bford.info/cachedir). */
export async function tagCache({ cache }: HubSettings): Promise<void> {
  const path = join(cache, 'CACHEDIR.TAG')
  if (await lstat(path).catch(absent)) return
  await writeFileAtomic(
    path,
    'Signature: 8a477f597d28d172789f06886806bc55\n# This file marks the cache of Hugging Face.\n',
  )
}
