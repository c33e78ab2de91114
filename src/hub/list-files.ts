import { listFiles } from '@huggingface/hub'
import { nameList } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { hubText, isInside } from './hub-address.js'
import { type HubFile, isHubFile } from './hub-cache.js'
import { type HubPlace, notAHub } from './hub-error.js'
import type { HubSettings } from './hub-settings.js'

/** Files and folders of a repository that are listed at most. */
const mostEntries = 300_000
/** Pages of a list: the Hub's have a thousand entries. */
const mostPages = 5_000

type Asked = Parameters<typeof listFiles>[0] & { readonly fetch: typeof globalThis.fetch }

/** Files of a repository at a commit. */
export interface ListedFiles {
  readonly files: readonly HubFile[]
  /** Paths that lead out of the repository, or that no disk takes: nobody can ask for these. */
  readonly leftOut: readonly string[]
}

/** Whether disks take the names in a path. */
const isStorable = (path: string) => path.split('/').every((name) => Buffer.byteLength(name) <= 255)

/**
 * Lists the files of a repository, in pages as the Hub gives them.
 *
 * @throws UserError where they are too many, or what answers is no Hub; and as `askHub` does
 */
export async function listRepository(
  asked: Asked,
  place: HubPlace,
  settings: HubSettings,
): Promise<ListedFiles> {
  const pages = new Set<string>()
  const fetch: typeof globalThis.fetch = (input, init) => {
    const url = String(input)
    if (pages.has(url) || pages.size === mostPages)
      throw notAHub(place, settings, 'its list of files has no end')
    pages.add(url)
    return asked.fetch(input, init)
  }
  const files: HubFile[] = []
  const leftOut: string[] = []
  let count = 0
  try {
    for await (const entry of listFiles({ ...asked, fetch, recursive: true })) {
      if (++count > mostEntries)
        throw new UserError(
          `${hubText(place)} has more than ${mostEntries} files and folders, which are not listed.`,
        )
      if (typeof entry !== 'object' || entry === null) throw notAHub(place, settings)
      const { type, path, size, oid = '', lfs } = entry
      if (type !== 'file') continue
      const file = { path, size: lfs?.size ?? size, oid, ...(lfs && { sha256: lfs.oid }) }
      if (typeof path === 'string' && !(isInside(path) && isStorable(path))) leftOut.push(path)
      else if (isHubFile(file)) files.push(file)
      else throw notAHub(place, settings, `it lists ${nameList([String(path)])} without its size or hash`)
    }
  } catch (error) {
    throw error instanceof SyntaxError || error instanceof TypeError
      ? notAHub(place, settings, undefined, error)
      : error
  }
  return { files, leftOut }
}
