import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join, relative } from 'node:path'
import { readTextIfThere } from '../base/files/read-file.js'
import { UserError } from '../base/user-error.js'

/** A model's file is not the one that the model's record speaks of. */
export class DamagedModelError extends UserError {}

export interface HashOptions {
  /**
   * Hash their names in the folder too. A folder of our own always has the same files in the same order: their
   * bytes say all. Of others it depends on the folder which files there are. Records hold both kinds of hash,
   * so that neither can become the other.
   */
  readonly withNames: boolean
  /** Told the SHA-256 of each file, by its name in the folder. */
  readonly onFile?: (name: string, sha256: string) => void
}

/**
 * SHA-256 over files of a model folder, one behind another. In a folder that a stage of a run has made, each is held
 * against the record that lies there: a flipped bit is damage, and no other model.
 *
 * @throws UserError that names a file that is missing, or not the one of the record (`DamagedModelError`)
 */
export async function hashModelFiles(
  folder: string,
  paths: readonly string[],
  { withNames, onFile }: HashOptions,
): Promise<string> {
  const recorded = await readRecorded(folder)
  const hash = createHash('sha256')
  for (const path of paths) {
    if (withNames) hash.update(`${path.startsWith(folder) ? path.slice(folder.length) : path}\0`)
    const name = relative(folder, path).replaceAll('\\', '/')
    const expected = recorded?.files.get(name)
    const own = expected !== undefined || onFile ? createHash('sha256') : undefined
    try {
      for await (const chunk of createReadStream(path)) {
        hash.update(chunk as Uint8Array)
        own?.update(chunk as Uint8Array)
      }
    } catch {
      throw new UserError(`${folder} is not a whole model folder: ${name} is missing.`)
    }
    const found = own?.digest('hex')
    if (recorded && expected !== undefined && found !== expected)
      throw new DamagedModelError(
        `${path} is damaged: its SHA-256 is ${found}, its record says ${expected}. ${recorded.advice}`,
      )
    if (found !== undefined) onFile?.(name, found)
  }
  return hash.digest('hex')
}

/** What the record of a made model says of its files, by their names in the folder. */
interface Recorded {
  readonly files: ReadonlyMap<string, string>
  readonly advice: string
}

/** The record beside a model; undefined where there is none, or it says nothing of files. */
async function readRecorded(folder: string): Promise<Recorded | undefined> {
  const path = join(folder, 'record.json')
  const text = await readTextIfThere(path)
  let files: unknown
  try {
    files = text === undefined ? undefined : (JSON.parse(text) as { files?: unknown } | null)?.files
  } catch {
    return undefined
  }
  if (typeof files !== 'object' || files === null) return undefined
  const names = Object.keys(files)
  // They are named by their place in the run: `models/NAME/config.json`.
  const config = names.find((name) => name === 'config.json' || name.endsWith('/config.json'))
  if (config === undefined) return undefined
  const prefix = config.slice(0, -'config.json'.length)
  const found = new Map<string, string>()
  for (const [name, hash] of Object.entries(files))
    if (name.startsWith(prefix) && typeof hash === 'string') found.set(name.slice(prefix.length), hash)
  const advice = prefix.startsWith('models/')
    ? `\`groundmill check --deep --mend ${join(folder, '../..')}\` removes its record, and the next run makes the model anew.`
    : `Bring that file back, or remove ${path} and train the model again.`
  return { files: found, advice }
}
