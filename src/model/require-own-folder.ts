import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { readTextIfThere, unreadable } from '../base/files/read-file.js'
import { requireWritable } from '../base/files/require-writable.js'
import { asideSuffix } from '../base/files/write-file-atomic.js'
import { UserError } from '../base/user-error.js'

/** One of these is written last into every model that is trained or imported. */
const records = ['record.json', 'import.json']
/** What a stopped training or import leaves, before it says whose the folder is. */
const begun =
  /^(tokenizer\.json|(model|checkpoint|best)\.safetensors|metrics\.jsonl|events\.out\.tfevents\.\d+\.groundmill)$/

/**
 * Looks whether a model may be written into a folder: it is not there, or empty, or holds what groundmill has trained or
 * imported, which is replaced. Anything else is somebody's own, and stays.
 *
 * @throws UserError that says why not
 */
export async function requireOwnFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined)
  if (found && !found.isDirectory())
    throw new UserError(`${shownPath(folder)} is a file, where the folder of a model is to be: name another.`)
  const names = found ? await readdir(folder).catch(unreadable(folder)) : []
  const isOwn = records.some((name) => names.includes(name)) || (await isOurFamily(folder))
  if (!isOwn && !names.every((name) => begun.test(name) || name.endsWith(asideSuffix)))
    throw new UserError(
      `${shownPath(folder)} is there and holds no model that groundmill has made: it stays as it is. Name a new folder.`,
    )
  await requireWritable(folder)
}

/** Whether a folder has the configuration of a model of ours: `check --mend` takes the record of a damaged one away. */
async function isOurFamily(folder: string): Promise<boolean> {
  const text = await readTextIfThere(join(folder, 'config.json')).catch(() => undefined)
  return /"model_type"\s*:\s*"groundmill-(glip|judge)"/.test(text ?? '')
}

/** A path as one names it who works beside it. */
function shownPath(folder: string): string {
  const beside = relative('', folder)
  return beside === '' || beside.startsWith('..') ? folder : beside
}
