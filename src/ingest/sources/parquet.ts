import { type FileMetaData, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import type { z } from 'zod'
import { UserError } from '../../base/user-error.js'
import type { Mark } from '../../formats/mark.js'
import { openParquet } from '../../parquet/open-parquet.js'
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
    fileSource(requirePath(config), endings, (path, from) => readRows(path, config.columns, from)),
}

async function* readRows(
  path: string,
  given: Columns,
  from: Mark = { at: 0, line: 0 },
): AsyncGenerator<SourceRow> {
  const { file, metadata, close } = await openParquet(path).catch(damaged(path))
  try {
    const known = topColumns(metadata.schema)
    const resolve = (column: Column) => {
      const name = typeof column === 'number' ? known[column] : column
      if (name !== undefined && known.includes(name)) return name
      throw new UserError(`${path} has no column "${column}"; it has: ${known.join(', ')}.`)
    }
    const image = imageColumn(given, metadata, known)
    const columns = pairColumnsOf(given)
    const caption =
      given?.caption ?? (image && captionNames.find((name) => known.includes(name))) ?? 'caption'
    const needed = image ? [caption] : [columns.url, caption]
    const { regions } = given ?? {}
    const beside = regions === undefined ? [] : [regions, ...sides.filter((name) => known.includes(name))]
    const names = new Map(
      [
        ...needed,
        ...beside,
        ...(columns.license === undefined ? [] : [columns.license]),
        ...columns.meta,
      ].map((column) => [column, resolve(column)] as const),
    )
    const imageName = image === undefined ? undefined : resolve(image)
    let rowEnd = 0
    for (const group of metadata.row_groups) {
      const groupStart = rowEnd
      rowEnd += Number(group.num_rows)
      const rowStart = Math.max(from.at, groupStart)
      if (rowStart >= rowEnd) continue
      const part = { file, metadata, rowStart, rowEnd, columns: [...new Set(names.values())], compressors }
      const rows = await parquetReadObjects(part).catch(damaged(path))
      const pictures = imageName === undefined ? undefined : pictureReader(path, imageName, rowStart, rowEnd)
      for (const [index, row] of rows.entries()) {
        const at = rowStart + index
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

function imageColumn(columns: Columns, metadata: FileMetaData, known: readonly string[]) {
  if (columns?.image !== undefined) return columns.image
  if (columns?.url !== undefined) return undefined
  const text = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value
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
    const value = (await pictures)[index][column] as Uint8Array | { readonly bytes?: unknown } | null
    const bytes = value instanceof Uint8Array ? value : value?.bytes
    if (bytes instanceof Uint8Array && bytes.length > 0) return bytes
    throw new Reject('missing_file', `${place}: "${column}" holds no bytes`)
  }
}

async function readColumn(path: string, column: string, rowStart: number, rowEnd: number) {
  const { file, metadata, close } = await openParquet(path).catch(damaged(path))
  try {
    const part = { file, metadata, rowStart, rowEnd, columns: [column], compressors, utf8: false }
    return await parquetReadObjects(part).catch(damaged(path))
  } finally {
    await close()
  }
}

/** Names of the columns at the top of a schema, which lists them depth first behind its root. */
function topColumns(schema: readonly { readonly name: string; readonly num_children?: number }[]): string[] {
  const names: string[] = []
  let at = 1
  const skip = () => {
    const { num_children = 0 } = schema[at++]
    for (let child = 0; child < num_children; child++) skip()
  }
  while (at < schema.length) {
    names.push(schema[at].name)
    skip()
  }
  return names
}

/** Rethrows what is wrong with the file, without the advice that is given for shards of our own. */
const damaged = (path: string) => (error: unknown) => {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof UserError) throw new UserError(message.replace(/ Delete it and its .*$/, ''))
  throw new UserError(`${path} is damaged: ${message}`)
}
