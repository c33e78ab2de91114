import { createReadStream } from 'node:fs'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { hashFile } from '../../base/files/hash-file.js'
import { absent, syncFolder } from '../../base/files/sync-folder.js'
import { asideSuffix } from '../../base/files/write-file-atomic.js'
import type { Storage } from '../../storage/storage.js'
import { modelCache } from './model-cache.js'
import { readRunRecord } from './run-record.js'

/** The folders in which a model of a run is made and opened: onnxruntime wants files of this machine. */
export interface ModelStore {
  /** Where it is made. What a stopped training has left there, the next one goes on from. */
  readonly work: string
  /** The folder of the model that the run's record speaks of; undefined where not all of it is there. */
  open(): Promise<string | undefined>
  /**
   * Puts what lies in `work` in the place of the run's model, as a whole, and takes the earlier one's record
   * away with it.
   *
   * @returns SHA-256 of its files, by their names in the run
   */
  place(): Promise<Readonly<Record<string, string>>>
}

/**
 * Where a model of a run lies. In a folder it is made as NAME.partial and moved to NAME when it is whole. A run
 * in a bucket has its models in the user's cache as well.
 *
 * @param prefix the model's folder in the run: `models/NAME`
 */
export function modelStore(run: Storage, prefix: string): ModelStore {
  return run.isLocal ? localStore(run, prefix) : bucketStore(run, prefix)
}

/** Name of the lock under which a model is made. It lies beside the folder, which is moved. */
export const modelLock = (prefix: string): string => `${prefix}.lock`

function localStore(run: Storage, prefix: string): ModelStore {
  const folder = run.path(prefix)
  const work = `${folder}.partial`
  return {
    work,
    open: async () => ((await run.exists(`${prefix}/record.json`)) ? folder : undefined),
    async place() {
      const files = await hashFiles(work, prefix)
      await syncFolder(work)
      const before = `${folder}.replaced`
      // Of a program that was killed between the two.
      if (await stat(folder).catch(absent)) await rm(before, { recursive: true, force: true })
      else await rename(before, folder).catch(absent)
      await rename(folder, before).catch(absent)
      await rename(work, folder)
      await keepOthers(before, folder)
      await syncFolder(dirname(folder))
      await rm(before, { recursive: true, force: true })
      return files
    },
  }
}

/** What a model's folder holds besides what makes one is someone's own: it goes along. */
async function keepOthers(from: string, to: string): Promise<void> {
  const made =
    /^(model[-\dx]*\.onnx|(model|checkpoint|best)\.safetensors|record\.json|metrics\.jsonl|loss\.svg|events\.out\.tfevents\.\d+\.groundmill)$/
  for (const name of (await readdir(from).catch(absent)) ?? []) {
    const isOther = !made.test(name) && !(await stat(join(to, name)).catch(absent))
    if (isOther) await rename(join(from, name), join(to, name))
  }
}

function bucketStore(run: Storage, prefix: string): ModelStore {
  const cache = modelCache(run, prefix)
  return {
    work: cache.work,
    async open() {
      const record = await readRunRecord(run, `${prefix}/record.json`)
      return record && cache.fetch(record)
    },
    async place() {
      // Objects are replaced one by one: without a record nobody takes them for a model.
      await run.remove(`${prefix}/record.json`)
      const files = await hashFiles(cache.work, prefix)
      for (const name of Object.keys(files))
        await run.writeStream(name, createReadStream(join(cache.work, name.slice(prefix.length + 1))))
      await cache.keep(files)
      return files
    },
  }
}

/**
 * SHA-256 of the files of a folder, by the names that they have below `prefix`. What was half written there is of
 * a program that was killed: nobody else writes in it.
 */
async function hashFiles(folder: string, prefix: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    if (entry.name.endsWith(asideSuffix)) {
      await rm(path)
      continue
    }
    files[`${prefix}/${relative(folder, path).replaceAll('\\', '/')}`] = (await hashFile(path)).sha256
  }
  return files
}
