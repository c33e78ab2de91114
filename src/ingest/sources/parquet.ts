import type { z } from 'zod'
import { UserError } from '../../base/user-error.js'
import type { Mark } from '../../formats/mark.js'
import { openParquet } from '../../parquet/open-parquet.js'
import { columnNames, type ParquetFooter } from '../../parquet/read-footer.js'
import { readRows } from '../../parquet/read-rows.js'
import { Reject } from '../fetch/reject.js'
import { type Column, pairColumnsOf, pairOf, plain } from '../read/columns.js'
import { regionRow, sizeOf, textOf } from '../read/region-values.js'
import { fileSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { baseUrl, listPath, pictureColumns, sourceSchema } from '../read/source-keys.js'
import { captionedRow, type SourceRow } from '../read/source-row.js'

const schema = sourceSchema('parquet', { path: listPath, columns: pictureColumns, base_url: baseUrl })
type Columns = z.infer<typeof schema>['columns']
const endings = ['.parquet']

/** Columns of a picture's size, which boxes are in. */
const sides = ['width', 'height'] as const

/** Columns that hold captions where nothing says otherwise, the first that is there. */
const captionNames = ['caption', 'captions', 'text', 'sentences', 'sentences_raw', 'raw', 'TEXT']

/**
 * Rows from the named or numbered columns of a Parquet file, a row group of those columns in memory at a
 * time: pairs of url and caption; or, with an image column, pictures and captions. The image column is a
 * struct of `bytes` and `path` or plain bytes: the one that the configuration names, else the one that
 * Hugging Face datasets' metadata calls an Image, unless the configuration names a url. Captions may be
 * lists.
 */
export const parquet: SourceFormat<typeof schema> = {
  name: 'parquet',
  schema,
  endings,
  hasBoxes: ({ columns }) => columns?.regions !== undefined,
  open: (config) =>
    fileSource(
      requirePath(config),
      endings,
      (path, from) => sourceRows(path, config.columns, from),
      [],
      (path) => sourceMarks(path, config.columns),
    ),
}

/** Where the rows of a file begin: its footer says how many there are, and no column is read. */
async function* sourceMarks(path: string, given: Columns): AsyncGenerator<readonly Mark[]> {
  const file = await openParquet(path).catch(damaged(path))
  try {
    neededColumns(path, file.footer, given)
    let groupStart = 0
    for (const { rows } of file.footer.groups) {
      const start = groupStart
      yield Array.from({ length: rows }, (_, row) => ({ at: start + row, line: 0 }))
      groupStart += rows
    }
  } finally {
    await file.close()
  }
}

/** What is read of a file. Throws a UserError where a column is not there. */
function neededColumns(path: string, footer: ParquetFooter, given: Columns) {
  const known = columnNames(footer)
  const resolve = (column: Column) => {
    const name = typeof column === 'number' ? known[column] : column
    if (name !== undefined && known.includes(name)) return name
    throw new UserError(`${path} has no column "${column}"; it has: ${known.join(', ')}.`)
  }
  const image = imageColumn(given, footer, known)
  const columns = pairColumnsOf(given)
  const caption = given?.caption ?? (image && captionNames.find((name) => known.includes(name))) ?? 'caption'
  const needed = image ? [caption] : [columns.url, caption]
  const { regions } = given ?? {}
  const beside = regions === undefined ? [] : [regions, ...sides.filter((name) => known.includes(name))]
  const names = new Map(
    [...needed, ...beside, ...(columns.license === undefined ? [] : [columns.license]), ...columns.meta].map(
      (column) => [column, resolve(column)] as const,
    ),
  )
  return { columns, caption, regions, names, imageName: image === undefined ? undefined : resolve(image) }
}

async function* sourceRows(
  path: string,
  given: Columns,
  from: Mark = { at: 0, line: 0 },
): AsyncGenerator<SourceRow> {
  const file = await openParquet(path).catch(damaged(path))
  const { footer, close } = file
  try {
    const { columns, caption, regions, names, imageName } = neededColumns(path, footer, given)
    let rowEnd = 0
    for (const group of footer.groups) {
      const groupStart = rowEnd
      rowEnd += group.rows
      const rowStart = Math.max(from.at, groupStart)
      if (rowStart >= rowEnd) continue
      const part = { start: rowStart, end: rowEnd, columns: [...new Set(names.values())], bytesAsText: true }
      const pictures = imageName === undefined ? undefined : pictureReader(path, imageName, rowStart, rowEnd)
      let at = rowStart - 1
      for await (const row of heard(path, readRows(file, part))) {
        const index = ++at - rowStart
        const value = (column: Column) => plain(row[names.get(column) as string])
        const place = `${path} row ${at}`
        const mark = { at, line: 0 }
        if (regions !== undefined) {
          const license = columns.license === undefined ? null : textOf(value(columns.license))
          const load = pictures && (() => pictures(index, place))
          const from = load ? { load } : { url: textOf(value(columns.url)) }
          const meta = columns.meta.map((column) => [String(column), value(column)] as const)
          const size = sizeOf(...(sides.map(value) as [unknown, unknown]))
          const more = { ...from, license, meta: meta.length > 0 ? Object.fromEntries(meta) : null, size }
          yield regionRow({ ...more, mark, place }, value(caption), value(regions))
          continue
        }
        if (!pictures) {
          yield pairOf(mark, place, { ...columns, caption }, value)
          continue
        }
        const license = columns.license === undefined ? null : value(columns.license)
        const meta = columns.meta.map((column) => [String(column), value(column)] as const)
        yield captionedRow(mark, place, value(caption), {
          load: () => pictures(index, place),
          license: typeof license === 'string' ? license : null,
          meta: meta.length > 0 ? Object.fromEntries(meta) : null,
        })
      }
    }
  } finally {
    await close()
  }
}

function imageColumn(columns: Columns, { notes }: ParquetFooter, known: readonly string[]) {
  if (columns?.image !== undefined) return columns.image
  if (columns?.url !== undefined) return undefined
  const text = notes.get('huggingface')
  return known.find((name) => featuresOf(text)[name]?._type === 'Image')
}

function featuresOf(text: string | undefined): Readonly<Record<string, { readonly _type?: unknown }>> {
  try {
    return JSON.parse(text ?? '{}').info?.features ?? {}
  } catch {
    return {}
  }
}

/** Pictures of a part of a row group, read together when the first of them is asked for. */
function pictureReader(path: string, column: string, rowStart: number, rowEnd: number) {
  let pictures: Promise<readonly Record<string, unknown>[]> | undefined
  return async (index: number, place: string): Promise<Uint8Array> => {
    pictures ??= readColumn(path, column, rowStart, rowEnd)
    const value = (await pictures)[index]?.[column] as Uint8Array | { readonly bytes?: unknown } | null
    const bytes = value instanceof Uint8Array ? value : value?.bytes
    if (bytes instanceof Uint8Array && bytes.length > 0) return bytes
    throw new Reject('missing_file', `${place}: "${column}" holds no bytes`)
  }
}

async function readColumn(path: string, column: string, rowStart: number, rowEnd: number) {
  const file = await openParquet(path).catch(damaged(path))
  try {
    const rows: Record<string, unknown>[] = []
    const part = { start: rowStart, end: rowEnd, columns: [column] }
    for await (const row of heard(path, readRows(file, part))) rows.push(row)
    return rows
  } finally {
    await file.close()
  }
}

/** Rows, with what is wrong with their file said as `damaged` does. */
async function* heard<Row>(path: string, rows: AsyncGenerator<Row>): AsyncGenerator<Row> {
  try {
    yield* rows
  } catch (error) {
    damaged(path)(error)
  }
}

/** Rethrows what is wrong with the file, without the advice that is given for shards of our own. */
const damaged =
  (path: string) =>
  (error: unknown): never => {
    const message = error instanceof Error ? error.message : String(error)
    if (error instanceof UserError) throw new UserError(message.replace(/ Delete it and its .*$/, ''))
    throw new UserError(`${path} is damaged: ${message}`)
  }
