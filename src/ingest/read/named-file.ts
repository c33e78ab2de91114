import { basename, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { slashed } from '../../formats/coco-entries.js'
import { decoded, isAddress, isForeign } from '../../formats/picture-places.js'
import type { PicturePlaces } from './picture-place.js'
import type { SourceRow } from './source-row.js'

/** The folder that a `base_url` is: a path or a `file:` address. Undefined where it is one of the web. */
export function folderOfBase(base: string | undefined): string | undefined {
  if (base === undefined) return undefined
  return /^file:/i.test(base) ? pathOf(base) : hasScheme(base) ? undefined : base
}

/** A name with something like `ftp:` before it; a drive of Windows has one letter. */
const hasScheme = (name: string): boolean => /^[a-z][a-z\d+.-]+:/i.test(name)

/** The path of a `file:` address; undefined where it is of another machine, or none. */
function pathOf(address: string): string | undefined {
  try {
    return fileURLToPath(address)
  } catch {
    return undefined
  }
}

/**
 * A row of a list whose address is the name of a file below the folder `images`: its picture is read there. A whole
 * path is taken at its word, and read where it lies in that folder. What is an address stays one.
 */
export function rowWithFile(row: SourceRow, { images }: Pick<PicturePlaces, 'images'>): SourceRow {
  const { url, file, load, problem } = row
  if (images === undefined || url === null || file !== null || load || problem || isAddress(url)) return row
  const name = /^file:/i.test(url) ? pathOf(url) : hasScheme(url) ? undefined : slashed(url.trim())
  if (name === undefined) return row
  const own = `${basename(resolve(images))}/`
  const below = [name, decoded(name), ...(name.startsWith(own) ? [name.slice(own.length)] : [])]
  const isWhole = isAbsolute(name) || (isForeign(name) && !name.startsWith('../'))
  const [first = name, ...elsewhere] = isWhole ? [name] : new Set(below.map((one) => join(images, one)))
  const meta = { file_name: url, ...row.meta }
  return { ...row, url: null, file: first, elsewhere, roots: [images], meta }
}
