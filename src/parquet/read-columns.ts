import type { DecodedArray, SchemaTree } from 'hyparquet'
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getTreePath } from 'hyparquet/src/schema.js'
import { decompressPage, prepareCodecs } from './decompress-page.js'
import { memoryBudget, type TakeMemory } from './memory-budget.js'
import type { ByteSource } from './open-parquet.js'
import { type DataPageHeader, type PageHeader, readPageHeader } from './page-header.js'
import type { ColumnChunk, RowGroup } from './read-footer.js'
import { readHybrid } from './read-hybrid.js'
import { emptyLike, type LeafType, readDictionary, readValues, viewOf } from './read-values.js'

/**
 * A leaf column of a row group as Parquet stores it: its values, and for every entry the levels that say
 * where in a row it stands (Melnik et al., "Dremel", 2010).
 */
export interface LeafColumn {
  /** Only those that are there. */
  readonly values: DecodedArray
  readonly entries: number
  /** Up to which level an entry is defined; absent where every entry has a value. */
  readonly definitions?: Uint8Array
  /** At which list an entry goes on, 0 at the start of a row; absent where there is no list. */
  readonly repetitions?: Uint8Array
  /** The row of the group at which it begins, where the pages before were left alone. */
  readonly firstRow: number
}

export interface ColumnsWanted {
  /** Top-level columns; all of them where it is absent. */
  readonly columns?: readonly string[]
  /**
   * Rows of the group, from `start` up to `end`. Pages without any of them are left alone where that can be
   * seen.
   */
  readonly start: number
  readonly end: number
  readonly bytesAsText: boolean
}

/** Leaf columns by the path of their names, joined as `leafKey` does. */
export type LeafColumns = ReadonlyMap<string, LeafColumn>

/** Names may hold dots: they are joined by what is in none. */
export const leafKey = (path: readonly string[]): string => path.join('\0')

/** Parts of a file with less than this between them are read as one. */
const gapBytes = 8192

/**
 * Reads the leaf columns of a row group. What is taken for them is bounded by `memoryBudget`, whatever the
 * pages say.
 *
 * hyparquet converts values to their logical types, and reads those that are plain. It does not put the rows
 * together: it would make an array for every level of every value, which cost more than all the rest.
 *
 * @throws Error where bytes are not what the footer says
 */
export async function readColumns(
  file: ByteSource,
  schema: SchemaTree,
  group: RowGroup,
  wanted: ColumnsWanted,
): Promise<LeafColumns> {
  const chunks = group.chunks
    .filter(({ path: [name = ''] }) => !wanted.columns || wanted.columns.includes(name))
    .sort((a, b) => a.start - b.start)
  const runs: { start: number; end: number }[] = []
  for (const { start, end } of chunks) {
    const run = runs.at(-1)
    if (run && start - run.end <= gapBytes) run.end = Math.max(run.end, end)
    else runs.push({ start, end })
  }
  const parts = await Promise.all(
    runs.map(async ({ start, end }) => ({ start, end, bytes: await file.slice(start, end) })),
  )
  await prepareCodecs(new Set(chunks.map(({ codec }) => codec)))
  const take = memoryBudget(parts.reduce((sum, { bytes }) => sum + bytes.byteLength, 0))
  return new Map(
    chunks.map((chunk) => {
      const { start, end, path } = chunk
      const part = parts.find((one) => start >= one.start && end <= one.end)
      if (!part) throw new Error(`column ${path.join('.')} was not read`)
      const bytes = new Uint8Array(part.bytes, start - part.start, end - start)
      return [leafKey(path), readChunk(bytes, chunk, leafOf(chunk, schema, wanted.bytesAsText), wanted, take)]
    }),
  )
}

/** A leaf column's type, and its highest levels. */
interface Leaf extends LeafType {
  readonly repeated: number
  readonly defined: number
}

/** Levels are kept as bytes. */
const mostLevels = 255

function leafOf({ type, codec, path }: ColumnChunk, schema: SchemaTree, bytesAsText: boolean): Leaf {
  const nodes = getTreePath(schema, [...path])
  const element = nodes.at(-1)?.element
  const [repeated, defined] = [getMaxRepetitionLevel(nodes), getMaxDefinitionLevel(nodes)]
  if (!element || element.type !== type || defined > mostLevels) {
    throw new Error(`column ${path.join('.')} is not the one of the schema`)
  }
  return { type, codec, element, repeated, defined, bytesAsText }
}

/** What a page holds; no levels where all have a value, or where there is no list. */
type Page = Omit<LeafColumn, 'firstRow'>

function readChunk(
  bytes: Uint8Array,
  { entries }: ColumnChunk,
  leaf: Leaf,
  { start, end }: Pick<ColumnsWanted, 'start' | 'end'>,
  take: TakeMemory,
): LeafColumn {
  const pages: Page[] = []
  let dictionary: DecodedArray | undefined
  let [at, read, firstRow] = [0, 0, 0]
  // Without lists each entry is a row.
  const isFlat = leaf.repeated === 0
  while (read < entries && !(isFlat && read >= end)) {
    const { header, end: body } = readPageHeader(bytes, at)
    at = body + header.stored
    if (at > bytes.length) throw new Error('a page goes beyond its column')
    const stored = bytes.subarray(body, at)
    if (header.dictionary) {
      const page = decompressPage(stored, header.size, leaf.codec, take)
      dictionary = readDictionary(page, header.dictionary.count, leaf, take)
    }
    if (!header.data) continue
    const count = header.data.entries
    // A page of nothing need not have levels either.
    if (count === 0) continue
    if (count > entries - read) throw new Error(`a page of ${count} values where ${entries - read} are left`)
    read += count
    if (isFlat && read <= start) firstRow = read
    else pages.push(readPage(stored, header, header.data, leaf, dictionary, take))
  }
  return { ...joined(pages, leaf.defined), firstRow }
}

function readPage(
  stored: Uint8Array,
  { size }: PageHeader,
  about: DataPageHeader,
  leaf: Leaf,
  dictionary: DecodedArray | undefined,
  take: TakeMemory,
): Page {
  const { entries, encoding, apart } = about
  const { repeated, defined, codec } = leaf
  const levels = (bytes: Uint8Array, most: number) => {
    take(entries)
    return readHybrid(bytes, bitsOf(most), new Uint8Array(entries))
  }
  let bytes: Uint8Array
  let repetitions: Uint8Array | undefined
  let definitions: Uint8Array | undefined
  if (apart) {
    const [first, second] = [apart.repetitionBytes, apart.repetitionBytes + apart.definitionBytes]
    if (second > stored.length || second > size) throw new Error('the levels go beyond their page')
    if (repeated > 0) repetitions = levels(stored.subarray(0, first), repeated)
    if (defined > 0) definitions = levels(stored.subarray(first, second), defined)
    bytes = stored.subarray(second)
    if (apart.isCompressed) bytes = decompressPage(bytes, size - second, codec, take)
  } else {
    bytes = decompressPage(stored, size, codec, take)
    const next = (most: number) => {
      const end = 4 + viewOf(bytes).getUint32(0, true)
      if (end > bytes.length) throw new Error('the levels go beyond their page')
      const taken = levels(bytes.subarray(4, end), most)
      bytes = bytes.subarray(end)
      return taken
    }
    if (repeated > 0) repetitions = next(repeated)
    if (defined > 0) definitions = next(defined)
  }
  let count = entries
  if (definitions) {
    count = countOf(definitions, defined)
    if (count === entries) definitions = undefined
  }
  const values = readValues(bytes, encoding, count, leaf, dictionary, take)
  if (values.length !== count) throw new Error(`${values.length} values instead of ${count}`)
  return { values, entries, ...(definitions && { definitions }), ...(repetitions && { repetitions }) }
}

function countOf(levels: Uint8Array, level: number): number {
  let count = 0
  for (let at = 0; at < levels.length; at++) if (levels[at] === level) count++
  return count
}

function joined(pages: readonly Page[], mostDefined: number): Page {
  const [only] = pages
  if (only && pages.length === 1) return only
  const entries = pages.reduce((sum, page) => sum + page.entries, 0)
  const definitions = joinedLevels(pages, 'definitions', entries, mostDefined)
  const repetitions = joinedLevels(pages, 'repetitions', entries, 0)
  return {
    values: joinedValues(pages.map(({ values }) => values)),
    entries,
    ...(definitions && { definitions }),
    ...(repetitions && { repetitions }),
  }
}

function joinedLevels(
  pages: readonly Page[],
  of: 'definitions' | 'repetitions',
  entries: number,
  absent: number,
): Uint8Array | undefined {
  if (pages.every((page) => !page[of])) return undefined
  const all = new Uint8Array(entries).fill(absent)
  let at = 0
  for (const page of pages) {
    const levels = page[of]
    if (levels) all.set(levels, at)
    at += page.entries
  }
  return all
}

function joinedValues(parts: readonly DecodedArray[]): DecodedArray {
  const [first = []] = parts
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const isSame = parts.every((part) => part.constructor === first.constructor)
  const all = isSame ? emptyLike(first, length) : new Array<unknown>(length)
  let at = 0
  if (all instanceof Float32Array)
    for (const part of parts) {
      all.set(part as Float32Array, at)
      at += part.length
    }
  else for (const part of parts) for (let index = 0; index < part.length; index++) all[at++] = part[index]
  return all
}

/** Bits that hold the numbers up to `most`. */
const bitsOf = (most: number) => 32 - Math.clz32(most)
