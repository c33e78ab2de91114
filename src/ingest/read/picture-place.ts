import { basename, isAbsolute, join, resolve } from 'node:path'
import { decoded, isAddress, isOfElsewhere, nameEnds } from '../../formats/picture-places.js'
import type { SourceRow } from './source-row.js'

/** What a configuration says of where pictures are. */
export interface PicturePlaces {
  readonly images?: string | undefined
  readonly base_url?: string | undefined
  readonly outside?: boolean | undefined
}

/**
 * Where a picture is that a source names: at the address that its name is, at a base address, or below a
 * folder (`fileBelow`); undefined where neither is given.
 *
 * @param name with slashes
 */
export function placeOf(
  name: string,
  { images, base_url, outside }: PicturePlaces,
  isSole: (end: string) => boolean,
): Pick<SourceRow, 'url'> | Pick<SourceRow, 'file' | 'elsewhere' | 'roots'> | undefined {
  if (isAddress(name)) return { url: name }
  if (base_url) return { url: name.split('/').map(encodeURIComponent).join('/') }
  return images ? { ...fileBelow(images, name, isSole, outside), roots: [images] } : undefined
}

/**
 * The file of a picture below a folder, and where it may lie as well, the likeliest first: one that is named
 * by a path of another machine, as Label Studio (`/data/upload/1/a.jpg`), buckets (`s3://set/a.jpg`) and lists
 * made on Windows do, by its last parts; one whose name is percent-encoded, by the name before that; and one
 * whose name begins with the folder itself, by the rest.
 *
 * @param name with slashes
 * @param isSole whether an end of the name is that of no other picture: others are not looked for
 * @param outside whether a whole path is taken at its word
 */
function fileBelow(
  folder: string,
  name: string,
  isSole: (end: string) => boolean,
  outside = false,
): { readonly file: string; readonly elsewhere: readonly string[] } {
  const file = join(folder, name)
  const own = `${basename(resolve(folder))}/`
  const ends = isOfElsewhere(name)
    ? nameEnds(name)
    : [decoded(name), ...(name.startsWith(own) ? [name.slice(own.length)] : [])]
  const below = ends.filter((end) => end !== name && isSole(end)).map((end) => join(folder, end))
  const others = outside && isAbsolute(name) ? [name, ...below] : below
  return { file, elsewhere: [...new Set(others)].filter((other) => other !== file) }
}
