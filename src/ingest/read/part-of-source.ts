import { createHash } from 'node:crypto'
import { isAbsolute, relative } from 'node:path'
import { withoutCredentials } from '../../base/without-credentials.js'
import { rowSource } from './row-source.js'
import type { Source } from './source.js'
import type { SourceRow } from './source-row.js'

/** The pictures whose place in [0, 1) lies in [from, to). */
export interface Part {
  readonly from: number
  readonly to: number
}

/**
 * The rows of a source whose pictures are of a part, as if it had no others. Which part a picture is of is decided by a
 * hash of its name alone: not by its place in the list, by what else there is, or by which list names it. So parts that
 * do not overlap share no picture, and a picture that is added moves no other.
 */
export function partOfSource(source: Source, part: Part): Source {
  async function* rows(from?: Parameters<Source['rows']>[0]) {
    for await (const row of source.rows(from)) if (isOfPart(row, part)) yield row
  }
  const own = rowSource({ rows, joins: source.joins, hash: source.hash })
  return {
    ...own,
    async close() {
      await own.close()
      await source.close()
    },
  }
}

function isOfPart(row: SourceRow, { from, to }: Part): boolean {
  const place = createHash('sha256').update(pictureName(row)).digest().readUIntBE(0, 6) / 2 ** 48
  return place >= from && place < to
}

/** The name of a row's picture, which is the same wherever the source lies: its address, else its path below the folder. */
function pictureName({ url, file, roots, place }: SourceRow): string {
  if (url !== null) return withoutCredentials(url)
  if (file === null) return lastPart(place)
  const below = roots
    .map((root) => relative(root, file))
    .find((path) => !/^\.\.([/\\]|$)/.test(path) && !isAbsolute(path))
  return below?.replaceAll('\\', '/') ?? lastPart(file)
}

const lastPart = (path: string) => path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
