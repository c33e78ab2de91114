import { UserError } from '../base/user-error.js'
import { findRowGroups } from '../parquet/find-row-groups.js'
import { openParquet } from '../parquet/open-parquet.js'
import { type PictureCell, pictureCells } from '../parquet/picture-cells.js'
import { columnNames, type ParquetFooter, type RowGroup, readFooter } from '../parquet/read-footer.js'
import { readRows } from '../parquet/read-rows.js'
import type { Family } from '../rows/rows.js'
import { openObject } from '../storage/open-storage.js'
import type { OpenObject } from '../storage/storage.js'
import type { StoredRow } from './row-migration.js'
import type { ShardFile } from './write-shard.js'

/**
 * What could be read of a row of a damaged file. It may be another value than was written: nobody has
 * checked.
 */
export interface DamagedRow {
  readonly row: StoredRow
  /**
   * Of images: where the picture lies in the file; undefined where it could not be read, and is not in the
   * row.
   */
  readonly picture?: PictureCell | undefined
  /** Where the other columns of its group lie in the file. */
  readonly others: { readonly start: number; readonly end: number }
}

/** What a picture is known by, without its captions and license: those its source has too. */
const emptyOf: StoredRow = { captions: [], license: null }

/**
 * Reads a damaged file as far as it can be read, a row group in memory at a time: by its footer, or by its
 * pages where that is cut off or broken. Of a group in which a column is broken the other columns are read;
 * where the key is lost, or what nothing else tells, the group is left out.
 *
 * @param path of the file
 * @param expected what its record says of it
 */
export async function* damagedRows(
  path: string,
  family: Family,
  expected: Pick<ShardFile, 'rows'>,
): AsyncGenerator<DamagedRow, void, void> {
  const object = await openObject(path)
  try {
    const file = { slice: (start: number, end: number) => sliceOf(object, start, end) }
    const footer = await footerOf(path, object, family, expected.rows)
    for (const group of footer.groups) {
      const rows = await othersOf(file, footer, group)
      const pictures = rows ? await pictureCells(file, group) : []
      const beside = group.chunks.filter(({ path: [name] }) => name !== 'image')
      const others = {
        start: Math.min(...beside.map(({ start }) => start)),
        end: Math.max(...beside.map(({ end }) => end)),
      }
      for (const [index, row] of (rows ?? []).entries()) {
        const picture = pictures[index]
        const image = picture && { image: { bytes: picture.bytes, path: null } }
        yield { row: { ...row, ...image }, picture, others }
      }
    }
  } finally {
    await object.close()
  }
}

async function sliceOf({ size, read }: OpenObject, start: number, end: number): Promise<ArrayBuffer> {
  if (!(start >= 0 && end >= start && end <= size)) throw new Error(`there is nothing at ${start} to ${end}`)
  return read(start, end)
}

/** What pages say where all of them are there; else the file's own footer, where that can be read. */
async function footerOf(
  path: string,
  object: OpenObject,
  family: Family,
  rows: number,
): Promise<ParquetFooter> {
  const { schema, notes } = await emptyFooter(family)
  const file = { slice: (start: number, end: number) => sliceOf(object, start, end) }
  const groups = await findRowGroups(file, object.size, schema, rows)
  const found = groups.reduce((sum, group) => sum + group.rows, 0)
  const made = { schema, notes, rows: found, groups }
  if (found === rows) return made
  try {
    const opened = await openParquet(path)
    await opened.close()
    return opened.rows >= found ? opened.footer : made
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return made
  }
}

/** The footer of a file of a family without rows: its schema is that of all others. */
async function emptyFooter(family: Family): Promise<ParquetFooter> {
  const { parquetChunks } = await import('../parquet/parquet-chunks.js')
  const { arrowSchema, nullable } = await import('../rows/arrow-schema.js')
  const pieces: Uint8Array[] = []
  for await (const piece of parquetChunks(arrowSchema(family), nullable[family], [])) pieces.push(piece)
  const bytes = Buffer.concat(pieces)
  const end = bytes.length - 8
  return readFooter(bytes.subarray(end - bytes.readUInt32LE(end), end))
}

/** The rows of a group without pictures. */
async function othersOf(
  file: { slice(start: number, end: number): Promise<ArrayBuffer> },
  footer: ParquetFooter,
  group: RowGroup,
): Promise<StoredRow[] | undefined> {
  const only = { file, footer: { ...footer, rows: group.rows, groups: [group] } }
  const names = columnNames(footer).filter((name) => name !== 'image')
  const read = async (columns: readonly string[]): Promise<StoredRow[] | undefined> => {
    const rows: StoredRow[] = []
    try {
      for await (const row of readRows(only, { columns })) rows.push(row)
      return rows
    } catch {
      // What a decoder stumbles over is damage, whichever way it is told.
      return undefined
    }
  }
  const all = await read(names)
  if (all) return all
  let rows: StoredRow[] = Array.from({ length: group.rows }, () => ({}))
  for (const name of names) {
    const own = await read([name])
    if (!own && !(name in emptyOf)) return undefined
    rows = rows.map((row, index) => ({ ...row, ...(own?.[index] ?? { [name]: emptyOf[name] }) }))
  }
  return rows
}
