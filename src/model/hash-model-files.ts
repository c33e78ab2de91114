import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { relative } from 'node:path'
import { UserError } from '../base/user-error.js'

/**
 * SHA-256 over files of a model folder, one behind another.
 *
 * @param withNames hash their names in the folder too. A folder of our own always has the same files in the
 * same order: their bytes say all. Of others it depends on the folder which files there are. Records hold
 * both kinds of hash, so that neither can become the other.
 * @throws UserError that names a file that is missing
 */
export async function hashModelFiles(
  folder: string,
  paths: readonly string[],
  { withNames }: { readonly withNames: boolean },
): Promise<string> {
  const hash = createHash('sha256')
  for (const path of paths) {
    if (withNames) hash.update(`${path.startsWith(folder) ? path.slice(folder.length) : path}\0`)
    try {
      for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
    } catch {
      throw new UserError(`${folder} is not a whole model folder: ${relative(folder, path)} is missing.`)
    }
  }
  return hash.digest('hex')
}
