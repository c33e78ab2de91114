import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import { parseJson, stringifyJson } from '../../base/parse-json.js'
import { UserError } from '../../base/user-error.js'
import type { Mark } from '../../formats/mark.js'
import { isHub } from '../../hub/hub-address.js'
import { openParquet, openParquetObject, type ParquetFile } from '../../parquet/open-parquet.js'
import { columnNames, type ParquetFooter } from '../../parquet/read-footer.js'
import { eachRowGroup, readRows } from '../../parquet/read-rows.js'
import { Reject } from '../fetch/reject.js'
import {
  type Column,
  captionNames,
  noColumn,
  notesOf,
  pairColumnsOf,
  pairOf,
  plain,
} from '../read/columns.js'
import { damagedParquet, soundRows } from '../read/damaged-parquet.js'
import { joinedRows } from '../read/join-captions.js'
import { type LocalFiles, readPicture } from '../read/local-file.js'
import { type PictureColumn, pictureColumn, pictureIn } from '../read/picture-value.js'
import { regionRow, sizeOf, textOf } from '../read/region-values.js'
import type { RepeatedNames } from '../read/repeated-names.js'
import { fileSource } from '../read/row-source.js'
import type { PlannedMarks } from '../read/source.js'
import { folderOf } from '../read/source-files.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { joinsPairs, listPath, pairPictures, pictureColumns, sourceSchema } from '../read/source-keys.js'
import { captionedRow, type SourceRow } from '../read/source-row.js'

const schema = sourceSchema('parquet', {
  path: listPath,
  columns: pictureColumns,
  ...pairPictures,
}).describe('pairs in Parquet files, with addresses or with the pictures themselves')
type Columns = z.infer<typeof schema>['columns']
const endings = ['.parquet']

/** Columns of a picture's size, which boxes are in. */
const sides = ['width', 'height'] as const

/**
 * Rows from the named or numbered columns of a Parquet file, a row group of those columns in memory at a
 * time: pairs of url and caption; or, with an image column, pictures and captions. The image column holds
 * structs of `bytes` and `path`, plain bytes, or texts that name files or addresses: the one that the
 * configuration names, else the one that Hugging Face datasets' metadata calls an Image, unless the
 * configuration names a url. Of a list of pictures the first is taken, and the others are counted as
 * `other_picture`. What is only named is read from the folder of the Parquet file, or fetched where the
 * column is of texts. Captions may be lists.
 */
export const parquet: SourceFormat<typeof schema> = {
  name: 'parquet',
  schema,
  isRemote: true,
  endings,
  hasBoxes: ({ columns }) => columns?.regions !== undefined,
  open: (config) =>
    fileSource(requirePath(config), endings, (path, from) => sourceRows(path, config, from), {
      joins: joinsPairs(config),
      plan: (path, names) => sourceMarks(path, config, names),
      plansPlaces: true,
    }),
}

/** A row group may have millions of rows: so many marks are made at a time. */
const marksAtOnce = 10_000
/** So many rows with pictures are held at a time; who writes pictures makes smaller row groups. */
const picturesAtOnce = 10_000

/** Of a file of the Hub that is not on this machine yet, its parts are asked for there. */
const openPlanned = async (path: string): Promise<ParquetFile> =>
  isHub(path)
    ? openParquetObject(path, await (await import('../../hub/open-hub-object.js')).openHubObject(path))
    : openParquet(path)

/**
 * Where the rows of a file begin: its footer says how many there are. Where rows join, the one column is read that
 * names their pictures.
 */
async function* sourceMarks(
  path: string,
  config: z.infer<typeof schema>,
  names?: RepeatedNames,
): AsyncGenerator<PlannedMarks> {
  const file = await openPlanned(path).catch(damagedParquet(path))
  try {
    const needed = neededColumns(path, file.footer, config.columns)
    if (names && nameColumn(needed) !== undefined) {
      yield* joinedMarks(path, file, needed, names)
      return
    }
    let groupStart = 0
    for (const { rows } of file.footer.groups) {
      const end = groupStart + rows
      for (; groupStart < end; groupStart = Math.min(end, groupStart + marksAtOnce)) {
        const start = groupStart
        const count = Math.min(marksAtOnce, end - start)
        yield { marks: Array.from({ length: count }, (_, row) => ({ at: start + row, line: 0 })) }
      }
    }
  } finally {
    await file.close()
  }
}

/** Marks as `sourceMarks` gives them, with those that go on with the picture before. */
async function* joinedMarks(
  path: string,
  file: ParquetFile,
  needed: NeededColumns,
  names: RepeatedNames,
): AsyncGenerator<PlannedMarks> {
  const columns = [nameColumn(needed) as string]
  let before: string | null = null
  let at = 0
  const goesOn = joinedRows(names)
  try {
    for await (const rows of eachRowGroup(file, { columns, bytesAsText: true })) {
      let marks: Mark[] = []
      let joined = new Set<number>()
      for (const row of rows) {
        const name = pictureNameOf(row, needed)
        if (goesOn(name, name !== null && name === before)) joined.add(marks.length)
        before = name
        marks.push({ at: at++, line: 0 })
        if (marks.length < marksAtOnce) continue
        yield { marks, joined }
        marks = []
        joined = new Set()
      }
      if (marks.length > 0) yield { marks, joined }
    }
  } catch (error) {
    damagedParquet(path)(error)
  }
}

type NeededColumns = ReturnType<typeof neededColumns>

/** The column that names pictures: their ids, their addresses, or their files; none where each row has its own. */
function nameColumn({ columns, names, picture, isText }: NeededColumns): string | undefined {
  if (columns.id !== undefined) return names.get(columns.id)
  return picture ? (isText ? picture.name : undefined) : names.get(columns.url)
}

/** What tells that rows are of one picture. */
function pictureNameOf(row: Readonly<Record<string, unknown>>, needed: NeededColumns): string | null {
  const column = nameColumn(needed)
  const value = column === undefined ? null : plain(row[column])
  if (value === null || (typeof value === 'string' && value.trim() === '')) return null
  return typeof value === 'string' ? value : stringifyJson(value)
}

/** What is read of a file. Throws a UserError where a column is not there. */
function neededColumns(path: string, footer: ParquetFooter, given: Columns) {
  const known = columnNames(footer)
  const resolve = (column: Column) => {
    const name = typeof column === 'number' ? known[column] : column
    const places = known.flatMap((one, at) => (one === name ? [at] : []))
    if (places.length > 1)
      throw new UserError(`${path} has ${places.length} columns "${name}": they cannot be told apart.`)
    if (name !== undefined && places.length === 1) return name
    throw noColumn(path, column, known)
  }
  const image = imageColumn(given, footer, known)
  const columns = pairColumnsOf(given)
  const caption = given?.caption ?? captionNames.find((name) => known.includes(name)) ?? 'caption'
  // Beside pictures that the file holds an address is what it says of them.
  const isNamed = given?.url !== undefined
  const needed = image && !isNamed ? [caption] : [columns.url, caption]
  const { regions } = given ?? {}
  const beside = regions === undefined ? [] : [regions, ...sides.filter((name) => known.includes(name))]
  // Texts that name pictures are read with the row, which says by them what is to be fetched.
  const text = image && isTextColumn(footer, resolve(image.name)) ? [image.name] : []
  const names = new Map(
    [
      ...needed,
      ...text,
      ...beside,
      ...[columns.id, columns.license].filter((column) => column !== undefined),
      ...columns.meta,
    ].map((column) => [column, resolve(column)] as const),
  )
  const picture = image && { ...image, name: resolve(image.name) }
  return { columns, caption, regions, names, picture, isText: picture && isTextColumn(footer, picture.name) }
}

async function* sourceRows(
  path: string,
  { path: source = path, columns: given, images, base_url, outside, fetch }: z.infer<typeof schema>,
  from: Mark = { at: 0, line: 0 },
): AsyncGenerator<SourceRow> {
  const folders = [dirname(path), ...(source === path ? [] : [folderOf(source)])]
  const roots = images === undefined ? folders : [images]
  const files = { roots, outside, maxBytes: fetch.max_bytes }
  const file = await openParquet(path).catch(damagedParquet(path))
  const { footer, close } = file
  try {
    const needed = neededColumns(path, footer, given)
    const { columns, caption, regions, names, picture, isText } = needed
    let rowEnd = 0
    for (const group of footer.groups) {
      const groupStart = rowEnd
      rowEnd += group.rows
      const rowStart = Math.max(from.at, groupStart)
      if (rowStart >= rowEnd) continue
      const part = { start: rowStart, end: rowEnd, columns: [...new Set(names.values())], bytesAsText: true }
      const pictures = picture && pictureReader({ path, files }, picture, rowStart, rowEnd)
      let at = rowStart - 1
      for await (const row of soundRows(path, readRows(file, part))) {
        const index = ++at - rowStart
        const raw = (column: Column) => row[names.get(column) as string]
        const value = (column: Column) => plain(raw(column))
        const place = `${path} row ${at}`
        const mark = { at, line: 0 }
        const address = picture && isText ? addressIn(row[picture.name], base_url) : undefined
        const source = address === undefined ? pictures?.(index, place) : { url: address }
        const pictureName = pictureNameOf(row, needed)
        if (regions === undefined && !source) {
          yield { ...pairOf(mark, place, { ...columns, caption }, raw), pictureName }
          continue
        }
        const license = columns.license === undefined ? null : textOf(value(columns.license))
        const url = source && given?.url !== undefined ? { url: textOf(value(columns.url)) } : {}
        const more = { license, ...notesOf(columns, raw), pictureName, ...(address === undefined && url) }
        if (regions === undefined) {
          yield captionedRow(mark, place, raw(caption), { ...source, ...more })
          continue
        }
        const size = sizeOf(...(sides.map(value) as [unknown, unknown]))
        const from = source ?? { url: textOf(value(columns.url)) }
        yield regionRow({ ...from, ...more, mark, place, size }, value(caption), value(regions))
      }
    }
  } finally {
    await close()
  }
}

/** What is to be fetched of a text that names a picture. */
const addressIn = (value: unknown, base: string | undefined) =>
  typeof value === 'string' && (base !== undefined || /^https?:\/\//i.test(value)) ? value : undefined

function isTextColumn({ schema }: ParquetFooter, name: string): boolean {
  const { element, children } = schema.children.find((child) => child.element.name === name) ?? schema
  const { converted_type, logical_type } = element
  return children.length === 0 && (converted_type === 'UTF8' || logical_type?.type === 'STRING')
}

/** The column of pictures; one that the configuration names may be a struct's field, as `photo.thumbnail`. */
function imageColumn(
  columns: Columns,
  { notes, schema }: ParquetFooter,
  known: readonly string[],
): PictureColumn | undefined {
  const features = featuresOf(notes.get('huggingface'))
  const named = columns?.image
  if (named === undefined && columns?.url !== undefined) return undefined
  if (named === undefined) return pictureColumn(features, known) ?? pictureStruct(schema, known)
  const [name = '', ...keys] = known.includes(named) ? [named] : named.split('.')
  if (!known.includes(name)) return { name: named, keys: [] }
  return keys.length > 0 ? { name, keys } : (pictureColumn(features, [name]) ?? { name, keys })
}

/**
 * The one column of structs of `bytes` and `path`, as an Image is stored: other programs that write such a
 * file anew lose what says that it is one.
 */
function pictureStruct(
  { children }: ParquetFooter['schema'],
  known: readonly string[],
): PictureColumn | undefined {
  const isImage = ({ children: fields }: (typeof children)[number]) =>
    fields
      .map(({ element }) => element.name)
      .sort()
      .join() === 'bytes,path'
  const [one, ...others] = known.includes('url') ? [] : children.filter(isImage)
  return one && others.length === 0 ? { name: one.element.name, keys: [] } : undefined
}

function featuresOf(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    const { info } = parseJson(text ?? '{}') as { readonly info?: { readonly features?: unknown } }
    return Object.fromEntries(Object.entries(info?.features ?? {}))
  } catch {
    return {}
  }
}

/** Pictures of a part of a row group, read together when the first of them is asked for. */
function pictureReader(
  { path, files }: { readonly path: string; readonly files: LocalFiles },
  { name, keys }: PictureColumn,
  rowStart: number,
  rowEnd: number,
) {
  /** By where each begins: rows on both sides of a border are read by turns. */
  const parts = new Map<number, Promise<readonly Record<string, unknown>[]>>()
  const partFrom = (start: number) => {
    const end = Math.min(rowEnd, rowStart + start + picturesAtOnce)
    const part = parts.get(start) ?? readColumn(path, name, rowStart + start, end)
    parts.set(start, part)
    const [oldest = start] = parts.keys()
    if (parts.size > 2) parts.delete(oldest)
    return part
  }
  return (index: number, place: string) => {
    const dropped: Record<string, number> = {}
    const load = async (): Promise<Uint8Array> => {
      const start = index - (index % picturesAtOnce)
      const found = pictureIn((await partFrom(start))[index - start]?.[name], keys)
      // How many there are is only known now; what a row leaves out is counted behind its picture.
      if (found && found.others > 0) dropped.other_picture = found.others
      if (found?.bytes) return found.bytes
      if (found?.path) return readBeside(files, found.path, `${place}: "${name}"`)
      throw new Reject('missing_file', `${place}: "${name}" holds no bytes`)
    }
    return { load, dropped }
  }
}

/** Of a path in a message: some columns hold whole pictures in base64. */
const longestShown = 200

/** A picture that a row names: a file in the folder of the Parquet file or below it, or in the source's. */
async function readBeside(files: LocalFiles, named: string, place: string): Promise<Uint8Array> {
  const shown = named.length > longestShown ? `${named.slice(0, longestShown)}...` : named
  const only = `${place} holds no bytes, only the path ${shown}`
  if (/^[a-z][a-z0-9+.-]+:/i.test(named) && !/^[a-z]:[\\/]/i.test(named))
    throw new Reject('missing_file', `${only}: name a column of addresses as columns.url`)
  const [first = '', ...others] = files.roots.map((root) => resolve(root, named.replaceAll('\\', '/')))
  return readPicture(first, others, files).catch((error: unknown) => {
    throw error instanceof Reject ? new Reject(error.reason, `${only}: ${error.message}`) : error
  })
}

async function readColumn(path: string, column: string, rowStart: number, rowEnd: number) {
  const file = await openParquet(path).catch(damagedParquet(path))
  try {
    const rows: Record<string, unknown>[] = []
    const part = { start: rowStart, end: rowEnd, columns: [column] }
    for await (const row of soundRows(path, readRows(file, part))) rows.push(row)
    return rows
  } finally {
    await file.close()
  }
}
