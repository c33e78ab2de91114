import { stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { filesBelow } from '../base/files/files-below.js'
import { unreadable } from '../base/files/read-file.js'
import { UserError } from '../base/user-error.js'
import { isHub } from '../hub/hub-address.js'
import { isS3 } from '../storage/s3-storage.js'
import { listNames } from './read/metadata-lists.js'
import { endsWith, isPattern } from './read/name-pattern.js'
import { pictureEndings } from './read/picture-endings.js'
import { csv } from './sources/csv.js'
import { json } from './sources/json.js'
import { jsonl } from './sources/jsonl.js'
import { parquet } from './sources/parquet.js'
import { tsv } from './sources/tsv.js'
import { webdataset } from './sources/webdataset.js'

/** What a path names. */
export interface GuessedSource {
  /** The keys of an ingest stage that read it. */
  readonly ingest: { readonly format: string } & Readonly<Record<string, string>>
  /** Whether its pictures certainly have no captions. */
  readonly isBare: boolean
  /** Whether it is a folder without any. */
  readonly isEmpty: boolean
}

/** Formats that the ending of a name says, the first that fits. */
const byEnding = [parquet, webdataset, csv, tsv, jsonl, json]

/**
 * Which format a source has, by its name and what lies in it: a file or a pattern by its ending, a folder of COCO's
 * captions by its files, a folder of lists by the first kind of them that it has, any other as pictures with their
 * captions beside them; a dataset of the Hub without a path as Parquet.
 *
 * @throws UserError where there is nothing, or where the ending is that of no list
 */
export async function guessSource(path: string): Promise<GuessedSource> {
  // An address of a bucket has its endpoint behind the name.
  const named = formatOf([isS3(path) ? path.replace(/\?.*$/s, '') : path])
  const isAddress = isHub(path) || isS3(path)
  const found = isAddress ? undefined : await stat(path).catch(() => undefined)
  if (!found?.isDirectory()) {
    if (named || isAddress)
      return { ingest: { format: named ?? parquet.name, path }, isBare: false, isEmpty: false }
    if (!found && !isPattern(path))
      throw new UserError(`Cannot read ${path}: there is no such file or folder.`)
    const endings = byEnding.flatMap((format) => format.endings ?? [])
    throw new UserError(
      `${path}: a folder of pictures was expected, or a list (${endings.join(', ')}): write a pipeline for another kind of source.`,
    )
  }
  const names = await filesBelow(path).catch(unreadable(path))
  if (names.includes('captions.json')) {
    const ingest = { format: 'coco', images: join(path, 'images'), captions: join(path, 'captions.json') }
    return { ingest, isBare: false, isEmpty: false }
  }
  const hasPictures = names.some((name) => pictureEndings.has(extname(name).toLowerCase()))
  const listed = hasPictures ? undefined : formatOf(names.filter((name) => !/[/\\]/.test(name)))
  return {
    ingest: { format: listed ?? 'folder', path },
    isBare: !listed && !hasCaptions(names),
    isEmpty: !listed && !hasPictures,
  }
}

const hasCaptions = (names: readonly string[]) =>
  names.some((name) => /\.txt$/i.test(name) || (listNames as readonly string[]).includes(basename(name)))

function formatOf(names: readonly string[]): string | undefined {
  const isOf = (ending: string) => names.some((name) => endsWith(name, ending))
  return byEnding.find(({ endings = [] }) => endings.some(isOf))?.name
}
