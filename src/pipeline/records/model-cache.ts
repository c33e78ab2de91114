import { createHash } from 'node:crypto'
import { open, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { makeFolder } from '../../base/files/make-folder.js'
import { isLeftOver } from '../../base/files/sweep-aside.js'
import { absent } from '../../base/files/sync-folder.js'
import { asidePath, asideSuffix } from '../../base/files/write-file-atomic.js'
import { canonicalJson, hashBytes } from '../../base/hash.js'
import { hashObject } from '../../storage/hash-object.js'
import { openObject } from '../../storage/open-storage.js'
import type { Storage } from '../../storage/storage.js'
import type { RunRecord } from './run-record.js'

const partBytes = 16 * 1024 * 1024
/** Versions of a model that nobody has opened for so long, in milliseconds, are no longer kept. */
const keptFor = 7 * 24 * 3600 * 1000

/** The user's cache of a model of a run that lies in a bucket. */
export interface ModelCache {
  /** Where the model is made on this machine. */
  readonly work: string
  /** The folder of the model that a record speaks of, fetched where it is not there; undefined where objects lack. */
  fetch(record: RunRecord<unknown>): Promise<string | undefined>
  /** Moves `work` to where a model of these files is looked for. */
  keep(files: Readonly<Record<string, string>>): Promise<void>
}

/**
 * A model has a folder for each of its versions, named by the hash of its files, which appears whole and is never
 * changed: several processes of this machine share it.
 *
 * @param prefix the model's folder in the run: `models/NAME`
 */
export function modelCache(run: Storage, prefix: string): ModelCache {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const root = join(cache, 'groundmill', hashBytes(run.url).slice(0, 16), basename(prefix))
  const cardName = `${prefix}/README.md`
  const folderOf = (files: Readonly<Record<string, string>>) => {
    // What became of a model is noted on its card: it stays the same model.
    const { [cardName]: _, ...others } = files
    return join(root, hashBytes(canonicalJson(others)).slice(0, 16))
  }

  async function fetchAll(files: Readonly<Record<string, string>>, folder: string): Promise<boolean> {
    const there = new Set(await run.list(prefix))
    const aside = asidePath(folder)
    try {
      for (const [name, hash] of Object.entries(files)) {
        if (!there.has(name)) return false
        const fetched = await fetchFile(run.path(name), join(aside, name.slice(prefix.length + 1)))
        if (fetched !== hash && name !== cardName)
          throw new Error(
            `${run.path(name)} is not what its record says (its SHA-256 is ${fetched}, not ${hash}): another process replaces the model, or it is damaged. Run again; if it stays so, \`groundmill check --deep --mend ${run.url}\` removes its record, and the next run makes it anew.`,
          )
      }
      if (await moveTo(aside, folder)) return true
      if (!(await hasFiles(folder, files, prefix))) {
        // It is not that another process was first: the cache has lost a file, or one is damaged.
        await rename(folder, asidePath(folder))
        await moveTo(aside, folder)
      }
      return true
    } finally {
      await rm(aside, { recursive: true, force: true })
    }
  }

  return {
    work: join(root, 'work'),
    async fetch({ files }) {
      // Older versions did not write down what a model consists of: it is made again.
      if (!files) return undefined
      const folder = folderOf(files)
      if (!(await hasFiles(folder, files, prefix)) && !(await fetchAll(files, folder))) return undefined
      await utimes(folder, new Date(), new Date())
      await sweepVersions(root, folder)
      return folder
    },
    async keep(files) {
      const work = join(root, 'work')
      if (!(await moveTo(work, folderOf(files)))) await rm(work, { recursive: true, force: true })
    },
  }
}

/** Moves a folder; false where there is one already. */
async function moveTo(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) return false
    throw error
  }
}

/** Folders whose files this process has held against their hashes. */
const whole = new Set<string>()

/** Whether a folder of the cache has the files of a record, byte for byte where this process looks first. */
async function hasFiles(
  folder: string,
  files: Readonly<Record<string, string>>,
  prefix: string,
): Promise<boolean> {
  for (const [name, hash] of Object.entries(files)) {
    const path = join(folder, name.slice(prefix.length + 1))
    if (!(await stat(path).catch(absent))) return false
    // The card is written on after the record.
    if (!whole.has(folder) && name !== `${prefix}/README.md` && (await hashFile(path)) !== hash) return false
  }
  whole.add(folder)
  return true
}

async function hashFile(path: string): Promise<string> {
  const object = await openObject(path)
  try {
    return await hashObject(object)
  } finally {
    await object.close()
  }
}

/** Removes versions that are no longer used, and what processes that are gone have left of fetching. */
async function sweepVersions(root: string, current: string): Promise<void> {
  for (const name of await readdir(root)) {
    const path = join(root, name)
    if (path === current || name === 'work') continue
    const modified = (await stat(path).catch(absent))?.mtimeMs ?? Date.now()
    const isOld = name.endsWith(asideSuffix)
      ? await isLeftOver(name, modified)
      : Date.now() - modified > keptFor
    if (isOld) await rm(path, { recursive: true, force: true })
  }
}

/** Weights may be larger than a buffer: they are fetched part by part. Gives their SHA-256. */
async function fetchFile(from: string, to: string): Promise<string> {
  const object = await openObject(from)
  const hash = createHash('sha256')
  await makeFolder(dirname(to))
  const file = await open(to, 'w')
  try {
    for (let at = 0; at < object.size; at += partBytes) {
      const part = new Uint8Array(await object.read(at, Math.min(object.size, at + partBytes)))
      hash.update(part)
      await file.writeFile(part)
    }
  } finally {
    await file.close()
    await object.close()
  }
  return hash.digest('hex')
}
