import type { ParquetType, SchemaTree } from 'hyparquet'
import { getMaxRepetitionLevel, getTreePath } from 'hyparquet/src/schema.js'
import type { ByteSource } from './open-parquet.js'
import { type PageHeader, readPageHeader } from './page-header.js'
import type { ColumnChunk, RowGroup } from './read-footer.js'

/** A leaf column, as it lies in a row group of a file that `parquetChunks` has written. */
interface Leaf {
  readonly path: readonly string[]
  readonly type: ParquetType
  /** Whether it has no list: then each of its entries is a row. */
  readonly isFlat: boolean
  /** Of a picture's struct: its pages are plain and have no dictionary before them. */
  readonly isPicture: boolean
}

/** More than the header of any page that is written here. */
const headerBytes = 64 * 1024

/**
 * Finds the row groups of a file whose footer is lost, by its pages, which lie one behind the other in an
 * order that `parquetChunks` always keeps: the pictures of a group, then its other columns, each behind its
 * dictionary. It ends before the first group of which not all is there.
 *
 * @param schema of the file
 * @param mostRows rows that the file has at most
 */
export async function findRowGroups(
  file: ByteSource,
  size: number,
  schema: SchemaTree,
  mostRows: number,
): Promise<RowGroup[]> {
  const leaves = leavesOf(schema)
  const groups: RowGroup[] = []
  let [at, rows] = [4, 0]
  for (;;) {
    const group = await groupAt(file, size, leaves, at, mostRows - rows)
    if (!group) return groups
    groups.push(group)
    rows += group.rows
    at = Math.max(...group.chunks.map(({ end }) => end))
  }
}

/** In the order of the file: pictures come first. */
function leavesOf(schema: SchemaTree): readonly Leaf[] {
  const leaves: Leaf[] = []
  const add = ({ path, element, children }: SchemaTree) => {
    for (const child of children) add(child)
    if (children.length > 0 || !element.type) return
    const isFlat = getMaxRepetitionLevel(getTreePath(schema, [...path])) === 0
    leaves.push({ path, type: element.type, isFlat, isPicture: path[0] === 'image' })
  }
  add(schema)
  return leaves.sort((a, b) => Number(b.isPicture) - Number(a.isPicture))
}

async function groupAt(
  file: ByteSource,
  size: number,
  leaves: readonly Leaf[],
  start: number,
  mostRows: number,
): Promise<RowGroup | undefined> {
  const chunks: ColumnChunk[] = []
  let rows: number | undefined
  let at = start
  for (const leaf of leaves) {
    const from = at
    let [entries, isFirst] = [0, true]
    while (!(leaf.isFlat && entries === rows)) {
      const page = await pageAt(file, size, at)
      if (!page && !(isFirst || leaf.isFlat)) break
      if (!page) return undefined
      if (!isFirst && isOfNext(page, leaf)) break
      // Each column but those of pictures begins with its dictionary.
      if (isFirst && !leaf.isPicture && !page.header.dictionary) return undefined
      entries += page.header.data?.entries ?? 0
      if (leaf.isFlat && entries > (rows ?? mostRows)) return undefined
      at = page.end
      isFirst = false
    }
    if (leaf.isFlat) rows ??= entries
    if (entries < (rows ?? 1)) return undefined
    const codec = leaf.isPicture ? 'UNCOMPRESSED' : 'ZSTD'
    chunks.push({ type: leaf.type, path: leaf.path, codec, entries, start: from, end: at })
  }
  return rows ? { rows, chunks } : undefined
}

interface Page {
  readonly header: PageHeader
  readonly end: number
  /** Of plain pages: the level of their first entry. */
  readonly firstLevel: number | undefined
}

/** Undefined where there is no whole page. */
async function pageAt(file: ByteSource, size: number, at: number): Promise<Page | undefined> {
  if (at >= size) return undefined
  const bytes = new Uint8Array(await file.slice(at, Math.min(size, at + headerBytes)))
  try {
    const { header, end: body } = readPageHeader(bytes, 0)
    const end = at + body + header.stored
    if (end > size) return undefined
    // The length of the levels is in four bytes; then come a run's length, in bytes of seven bits, and its
    // level.
    let level = body + 4
    while ((bytes[level] ?? 0) >= 128) level++
    return { header, end, firstLevel: bytes[level + 1] }
  } catch {
    return undefined
  }
}

/**
 * Whether a page is of the column behind: that begins with a dictionary, and paths of pictures with nulls.
 */
const isOfNext = ({ header, firstLevel }: Page, { isPicture }: Leaf) =>
  header.dictionary !== undefined || (isPicture && firstLevel === 1)
