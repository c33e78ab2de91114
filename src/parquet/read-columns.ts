import type {
  AsyncBuffer,
  ColumnMetaData,
  DecodedArray,
  Encoding,
  FileMetaData,
  RowGroup,
  SchemaTree,
} from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import { decompressPage, readDataPage } from 'hyparquet/src/datapage.js'
import { readPlain } from 'hyparquet/src/plain.js'
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getSchemaPath } from 'hyparquet/src/schema.js'
import type { ColumnDecoder, PageHeader } from 'hyparquet/src/types.js'
import { compressors } from 'hyparquet-compressors'
import { readHybrid } from './read-hybrid.js'

/**
 * A leaf column of a row group as Parquet stores it: its values, and for every entry the levels that say where in a row
 * it stands (Melnik et al., "Dremel", 2010).
 */
export interface LeafColumn {
  /** Only those that are there. */
  readonly values: DecodedArray
  readonly entries: number
  /** Up to which level an entry is defined; absent where every entry has a value. */
  readonly definitions?: Uint8Array
  /** At which list an entry goes on, 0 at the start of a row; absent where there is no list. */
  readonly repetitions?: Uint8Array
}

/** Parts of a file with less than this between them are read as one. */
const gapBytes = 8192

/**
 * Reads the leaf columns of a row group, by the path of their names joined by dots.
 *
 * hyparquet reads headers and values. It does not put the rows together: it would make an array for every level of every
 * value, which cost more than all the rest.
 *
 * @param columns top-level columns; all of them where it is absent
 * @throws Error where bytes are not what the footer says
 */
export async function readColumns(
  file: AsyncBuffer,
  { schema }: FileMetaData,
  group: RowGroup,
  columns?: readonly string[],
): Promise<ReadonlyMap<string, LeafColumn>> {
  const chunks = group.columns
    .map(({ meta_data: chunk }) => {
      if (!chunk) throw new Error('a column of a row group is not described')
      return { chunk, path: chunk.path_in_schema, ...rangeOf(chunk) }
    })
    .filter(({ path }) => !columns || columns.includes(path[0]))
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
  return new Map(
    chunks.map(({ chunk, path, start, end }) => {
      const part = parts.find((one) => start >= one.start && end <= one.end)
      if (!part) throw new Error(`column ${path.join('.')} was not read`)
      const bytes = new Uint8Array(part.bytes, start - part.start, end - start)
      return [path.join('.'), readChunk(bytes, chunk, getSchemaPath(schema, path))]
    }),
  )
}

function rangeOf({ dictionary_page_offset, data_page_offset, total_compressed_size }: ColumnMetaData) {
  const start = Number(dictionary_page_offset || data_page_offset)
  return { start, end: start + Number(total_compressed_size) }
}

/** What a page holds; no levels where all have a value, or where there is no list. */
interface Page {
  readonly values: DecodedArray
  readonly entries: number
  readonly definitions?: Uint8Array
  readonly repetitions?: Uint8Array
}

function readChunk(bytes: Uint8Array, chunk: ColumnMetaData, schemaPath: SchemaTree[]): LeafColumn {
  const { element } = schemaPath[schemaPath.length - 1]
  const { type, codec } = chunk
  const pathInSchema = chunk.path_in_schema
  const decoder = { pathInSchema, type, element, schemaPath, codec, parsers: DEFAULT_PARSERS, utf8: false }
  const reader = { view: viewOf(bytes), offset: 0 }
  const entries = Number(chunk.num_values)
  const pages: Page[] = []
  let dictionary: DecodedArray | undefined
  let read = 0
  while (read < entries) {
    const header = parquetHeader(reader)
    const size = header.compressed_page_size
    if (!(size >= 0 && reader.offset + size <= bytes.length)) throw new Error('a page goes beyond its column')
    const body = bytes.subarray(reader.offset, reader.offset + size)
    reader.offset += size
    if (header.dictionary_page_header) {
      const page = decompressPage(body, header.uncompressed_page_size, codec, compressors)
      const count = header.dictionary_page_header.num_values
      dictionary = convert(
        readPlain({ view: viewOf(page), offset: 0 }, type, count, element.type_length),
        decoder,
      )
      continue
    }
    const page = readPage(body, header, decoder, dictionary)
    pages.push(page)
    read += page.entries
  }
  if (read !== entries) throw new Error(`${read} of ${entries} values`)
  return joined(pages, entries, getMaxDefinitionLevel(schemaPath))
}

function readPage(
  body: Uint8Array,
  header: PageHeader,
  decoder: ColumnDecoder,
  dictionary: DecodedArray | undefined,
): Page {
  const { codec, schemaPath } = decoder
  const [repeated, defined] = [getMaxRepetitionLevel(schemaPath), getMaxDefinitionLevel(schemaPath)]
  const about = header.data_page_header ?? header.data_page_header_v2
  if (!about || !(about.num_values >= 0)) throw new Error(`a page of type ${header.type}`)
  const { num_values: entries, encoding } = about
  const levels = (bytes: Uint8Array, most: number) => readHybrid(bytes, bitsOf(most), new Uint8Array(entries))
  let bytes: Uint8Array
  let repetitions: Uint8Array | undefined
  let definitions: Uint8Array | undefined
  if (header.data_page_header_v2) {
    const about = header.data_page_header_v2
    const [first, second] = [about.repetition_levels_byte_length, about.definition_levels_byte_length]
    if (repeated > 0) repetitions = levels(body.subarray(0, first), repeated)
    if (defined > 0) definitions = levels(body.subarray(first, first + second), defined)
    bytes = body.subarray(first + second)
    const size = header.uncompressed_page_size - first - second
    if (about.is_compressed !== false) bytes = decompressPage(bytes, size, codec, compressors)
  } else {
    bytes = decompressPage(body, header.uncompressed_page_size, codec, compressors)
    const take = (most: number) => {
      const end = 4 + viewOf(bytes).getUint32(0, true)
      const taken = levels(bytes.subarray(4, end), most)
      bytes = bytes.subarray(end)
      return taken
    }
    if (repeated > 0) repetitions = take(repeated)
    if (defined > 0) definitions = take(defined)
  }
  let count = entries
  if (definitions) {
    count = 0
    for (const level of definitions) if (level === defined) count++
    if (count === entries) definitions = undefined
  }
  return {
    values: readValues(bytes, encoding, count, decoder, dictionary),
    entries,
    definitions,
    repetitions,
  }
}

/** The values of a page, behind its levels. */
function readValues(
  bytes: Uint8Array,
  encoding: Encoding,
  count: number,
  decoder: ColumnDecoder,
  dictionary: DecodedArray | undefined,
): DecodedArray {
  if (count === 0) return []
  if (encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY') {
    if (!dictionary) throw new Error('a page without its dictionary')
    const width = viewOf(bytes).getUint8(0)
    const indices = new Uint32Array(count)
    return chosen(dictionary, width > 0 ? readHybrid(bytes.subarray(1), width, indices) : indices)
  }
  if (encoding === 'RLE') throw new Error('columns of true and false are not read')
  // To hyparquet it is a page of a column without levels.
  const about = {
    num_values: count,
    encoding,
    definition_level_encoding: encoding,
    repetition_level_encoding: encoding,
  }
  return convert(readDataPage(bytes, about, { ...decoder, schemaPath: [] }).dataPage, decoder)
}

function chosen(dictionary: DecodedArray, indices: Uint32Array): DecodedArray {
  const values = emptyLike(dictionary, indices.length)
  for (let at = 0; at < indices.length; at++) {
    if (indices[at] >= dictionary.length) throw new Error('a dictionary has fewer values')
    values[at] = dictionary[indices[at]]
  }
  return values
}

function joined(pages: readonly Page[], entries: number, mostDefined: number): LeafColumn {
  if (pages.length === 1) return pages[0]
  return {
    values: joinedValues(pages.map(({ values }) => values)),
    entries,
    definitions: joinedLevels(pages, 'definitions', entries, mostDefined),
    repetitions: joinedLevels(pages, 'repetitions', entries, 0),
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
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const isSame = parts.every((part) => part.constructor === parts[0].constructor)
  const all = isSame ? emptyLike(parts[0], length) : new Array<unknown>(length)
  let at = 0
  for (const part of parts) for (let index = 0; index < part.length; index++) all[at++] = part[index]
  return all
}

function emptyLike(values: DecodedArray, length: number): DecodedArray {
  if (values instanceof Float32Array) return new Float32Array(length)
  if (values instanceof Int32Array) return new Int32Array(length)
  return new Array(length)
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  new DataView(buffer, byteOffset, byteLength)

/** Bits that hold the numbers up to `most`. */
const bitsOf = (most: number) => 32 - Math.clz32(most)
