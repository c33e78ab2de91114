import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Storage } from '../../storage/storage.js'
import { runFolder } from './run-folder.js'

const nameOf = (hash: string) => `${runFolder}/models/${hash}.json`

type Hashes = Readonly<Record<string, string>>

const pinSchema = z.object({ files: z.record(z.string(), z.string()) })

/** Whether a stage has made the model of a folder: then its record lies there, and its files are held against that. */
export const isMadeModel = (folder: string): Promise<boolean> =>
  access(join(folder, 'record.json')).then(
    () => true,
    () => false,
  )

/** Leaves in a run of which files a model consists that is none of its own, under the model's hash. */
export async function pinModel(run: Storage, hash: string, folder: string, files: Hashes): Promise<void> {
  if (await run.exists(nameOf(hash))) return
  await run.create(nameOf(hash), `${JSON.stringify({ folder, files }, null, 1)}\n`)
}

/** The SHA-256 of the files of such a model, by their names; undefined where the run does not know it. */
export async function pinnedFiles(run: Storage, hash: string): Promise<Hashes | undefined> {
  const bytes = await run.read(nameOf(hash))
  try {
    return bytes && pinSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).files
  } catch {
    return undefined
  }
}
