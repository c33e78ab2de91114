import { dirname, join, posix } from 'node:path'
import { counted } from '../../base/counted.js'
import { isInside, outsideAdvice } from '../../base/files/inside.js'
import { nameList } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import { slashed } from '../../formats/coco-entries.js'
import type { Mark } from '../../formats/mark.js'
import { csvRows } from '../../formats/read-cells.js'
import { type ObjectLine, readObjects } from '../../formats/read-objects.js'
import { openParquet } from '../../parquet/open-parquet.js'
import { columnNames } from '../../parquet/read-footer.js'
import { readRows } from '../../parquet/read-rows.js'
import { type Column, captionNames, notesOf, type PairColumns } from './columns.js'
import { captionedRow, problemRow, type SourceRow, sourceRow } from './source-row.js'

/** Names of lists in a folder of pictures, the first that is there: Hugging Face's image folders have `metadata`. */
const listNames = ['captions.jsonl', 'metadata.jsonl', 'metadata.csv', 'metadata.parquet'] as const

/** Keys that hold the name of the file where nothing says otherwise, the first that is there. */
const fileKeys = ['file_name', 'image_file_name', 'filename', 'image']

/** What the lists of a folder say of its pictures. */
export interface MetadataLists {
  /** By the name of the file, from the folder on. */
  readonly pictures: ReadonlyMap<string, ListedPicture>
  /** Lines that say nothing of a picture of the folder. */
  readonly problems: readonly SourceRow[]
}

export interface ListedPicture extends Pick<SourceRow, 'license' | 'meta'> {
  /** Of all lines that name it. */
  readonly captions: readonly string[]
}

/**
 * Reads the lists of a folder and of those below it: rows of a file's name, from the folder of its list on, and a
 * caption or a list of them.
 *
 * @param files all files below the folder, with slashes
 * @param pictures those that are pictures
 * @throws UserError where a list lacks a key, or is a link that leads out of the folder
 */
export async function readMetadataLists(
  folder: string,
  files: readonly string[],
  pictures: ReadonlySet<string>,
  {
    columns,
    outside = false,
  }: { readonly columns?: Partial<PairColumns> | undefined; readonly outside?: boolean | undefined },
): Promise<MetadataLists> {
  const listed = new Map<string, { captions: string[] } & Omit<ListedPicture, 'captions'>>()
  const problems: SourceRow[] = []
  for (const list of listsAmong(files)) {
    const path = join(folder, list)
    if (!outside && !(await isInside(path, [folder])))
      throw new UserError(`${path} is a link that leads out of ${folder}: ${outsideAdvice}.`)
    let isFirst = true
    for await (const { mark, place, value, problem } of rowsOf(path)) {
      if (!value) {
        problems.push(problemRow(mark, place, problem))
        continue
      }
      const keys = keysOf(value, columns)
      // A key that the first row lacks is a wrong name; one that a later row lacks is a bad row.
      if (isFirst) requireKeys(value, keys, place)
      isFirst = false
      const given = value[keys.url as string]
      const name =
        typeof given === 'string' ? posix.normalize(posix.join(dirname(list), slashed(given))) : undefined
      const { captions, license, meta, problem: blank } = rowOf(mark, place, value, keys)
      if (name === undefined || blank) {
        const why = name === undefined ? 'no file name' : 'no file name or no caption'
        problems.push(problemRow(mark, place, why))
      } else if (!pictures.has(name)) {
        const detail = `${place}: there is no ${join(folder, name)}`
        problems.push(sourceRow({ mark, place, problem: { reason: 'missing_file', detail } }))
      } else {
        const before = listed.get(name)
        const texts = captions.map(({ text }) => text)
        if (before) before.captions.push(...texts)
        else listed.set(name, { captions: texts, license, meta })
      }
    }
  }
  return { pictures: listed, problems }
}

/** Of each folder the first list that it has. */
function listsAmong(files: readonly string[]): string[] {
  const known = new Set(files)
  const folders = new Set(files.map((file) => dirname(file)))
  return [...folders].sort().flatMap((folder) => {
    const names = listNames.map((name) => posix.join(folder, name))
    return names.find((name) => known.has(name)) ?? []
  })
}

type Row = Readonly<Record<string, unknown>>

/** The keys of a row: those that the configuration names, else the first that it has. */
function keysOf(row: Row, { url, caption, id, license, meta = [] }: Partial<PairColumns> = {}): PairColumns {
  const first = (names: readonly string[]) => names.find((name) => Object.hasOwn(row, name))
  return {
    url: url ?? first(fileKeys) ?? 'file_name',
    caption: caption ?? first(['text', ...captionNames]) ?? 'caption',
    id,
    license,
    meta,
  }
}

function requireKeys(row: Row, { url, caption, id, license, meta }: PairColumns, place: string) {
  const keys = [url, caption, id, license, ...meta]
  const missing = keys.find((key) => key !== undefined && !Object.hasOwn(row, key))
  if (missing === undefined) return
  const hint =
    missing === url ? 'columns.url: the name of the file' : missing === caption ? 'columns.caption' : ''
  const advice = hint === '' ? '' : ` Name another in ${hint}.`
  throw new UserError(`${place} has no key "${missing}"; it has: ${nameList(Object.keys(row))}.${advice}`)
}

function rowOf(mark: Mark, place: string, row: Row, keys: PairColumns): SourceRow {
  const value = (key: Column) => row[key as string]
  const license = keys.license === undefined ? null : value(keys.license)
  return captionedRow(mark, place, value(keys.caption), {
    license: typeof license === 'string' && license !== '' ? license : null,
    ...notesOf(keys, value),
  })
}

async function* rowsOf(path: string): AsyncGenerator<ObjectLine> {
  if (path.endsWith('.jsonl')) yield* readObjects(path)
  else if (path.endsWith('.csv')) yield* tableRows(path)
  else yield* parquetRows(path)
}

async function* tableRows(path: string): AsyncGenerator<ObjectLine> {
  let names: readonly string[] | undefined
  for await (const { mark, cells, problem } of csvRows(path)) {
    const base = { mark, place: `${path}:${mark.line}` }
    if (!cells) yield { ...base, problem }
    else if (!names) names = cells
    else if (cells.length > names.length)
      yield {
        ...base,
        problem: `${counted(cells.length, 'column')}, the first line has ${names.length} (is a comma in a cell without quotation marks?)`,
      }
    else yield { ...base, value: Object.fromEntries(names.map((name, at) => [name, cells[at] ?? null])) }
  }
}

async function* parquetRows(path: string): AsyncGenerator<ObjectLine> {
  const file = await openParquet(path).catch((error: Error) => {
    throw error instanceof UserError ? error : new UserError(`${path} is damaged: ${error.message}`)
  })
  try {
    const columns = columnNames(file.footer)
    let at = 0
    for (const { rows } of file.footer.groups) {
      const part = { start: at, end: at + rows, columns, bytesAsText: true }
      for await (const value of readRows(file, part)) {
        yield { mark: { at, line: 0 }, place: `${path} row ${at}`, value }
        at++
      }
    }
  } finally {
    await file.close()
  }
}
