import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { asideSuffix, writeFileAtomic } from '../../base/write-file-atomic.js'
import { openObject } from '../../storage/open-storage.js'
import type { Storage } from '../../storage/storage.js'

const partBytes = 16 * 1024 * 1024

/** The folder that a model of a run is trained and opened in: onnxruntime wants files of this machine. */
export interface ModelStore {
  readonly folder: string
  /** Fetches the run's model where the folder holds another or none. */
  pull(): Promise<void>
  /** Puts the folder's files into the run, before the record that says the model is whole. */
  push(): Promise<void>
  /** Notes that the folder holds what the run's record speaks of. */
  settle(): Promise<void>
}

/**
 * A model of a run. A run in a bucket has its models' folders in the user's cache.
 *
 * @param prefix the model's folder in the run: `models/NAME`
 */
export function modelStore(run: Storage, prefix: string): ModelStore {
  if (run.isLocal)
    return { folder: run.path(prefix), pull: async () => {}, push: async () => {}, settle: async () => {} }
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  const name = createHash('sha256').update(run.url).digest('hex').slice(0, 16)
  const folder = join(cache, 'groundmill', name, basename(prefix))
  const record = join(folder, 'record.json')
  return {
    folder,
    async pull() {
      const wanted = await run.read(`${prefix}/record.json`)
      const cached = await readFile(record).catch(() => undefined)
      // A folder without a record may be that of a stopped training, which resumes from its files.
      if (!wanted || cached?.equals(wanted)) return
      await rm(folder, { recursive: true, force: true })
      for (const object of await run.list(prefix)) {
        if (object !== `${prefix}/record.json`)
          await fetchFile(run.path(object), join(folder, object.slice(prefix.length + 1)))
      }
      await writeFileAtomic(record, wanted)
    },
    async settle() {
      const wanted = await run.read(`${prefix}/record.json`)
      if (wanted) await writeFileAtomic(record, wanted)
    },
    async push() {
      await mkdir(folder, { recursive: true })
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      for (const entry of entries) {
        const path = join(entry.parentPath, entry.name)
        if (!entry.isFile() || entry.name.endsWith(asideSuffix) || path === record) continue
        const name = relative(folder, path).replaceAll('\\', '/')
        await run.writeStream(`${prefix}/${name}`, createReadStream(path))
      }
    },
  }
}

/** Weights may be larger than a buffer: they are fetched part by part. */
async function fetchFile(from: string, to: string): Promise<void> {
  const object = await openObject(from)
  await mkdir(dirname(to), { recursive: true })
  const file = await open(to, 'w')
  try {
    for (let at = 0; at < object.size; at += partBytes) {
      await file.writeFile(new Uint8Array(await object.read(at, Math.min(object.size, at + partBytes))))
    }
  } finally {
    await file.close()
    await object.close()
  }
}
