import { stat } from 'node:fs/promises'
import { UserError } from '../base/user-error.js'
import { isDataset } from '../shards/dataset.js'
import { openStorage } from '../storage/open-storage.js'

/**
 * Looks whether a dataset or a run may be at a URL: on this machine there is a folder.
 *
 * @throws UserError where there is none, with what a file or the name of a stage behind it was meant for
 */
export async function requireFolder(url: string): Promise<void> {
  if (!openStorage(url).isLocal) return
  const found = await stat(url).catch(() => undefined)
  if (found?.isDirectory()) return
  if (found)
    throw new UserError(
      `${url} is a file, and a folder is needed: that of a run, such as runs/photos, or of a dataset in it, which \`groundmill run\` makes.`,
    )
  const [, dataset, stage] = /^(.+):([\w.-]+)$/.exec(url) ?? []
  if (dataset !== undefined && (await isDataset(openStorage(dataset)).catch(() => false)))
    throw new UserError(
      `${url}: there is no such folder. The dataset is ${dataset}; where this command works on one stage, an option names ${stage} (--help).`,
    )
  throw new UserError(`Cannot read ${url}: there is no such file or folder.`)
}
