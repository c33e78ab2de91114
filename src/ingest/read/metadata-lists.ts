import { stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, posix, relative, resolve } from 'node:path'
import { counted } from '../../base/counted.js'
import { isInside, outsideAdvice } from '../../base/files/inside.js'
import { UserError } from '../../base/user-error.js'
import { slashed } from '../../formats/coco-entries.js'
import type { Mark } from '../../formats/mark.js'
import { decoded } from '../../formats/picture-places.js'
import { csvRows } from '../../formats/read-cells.js'
import { type ObjectLine, readObjects } from '../../formats/read-objects.js'
import { openParquet } from '../../parquet/open-parquet.js'
import { columnNames } from '../../parquet/read-footer.js'
import { readRows } from '../../parquet/read-rows.js'
import { type Column, captionNames, columnsUsed, noColumn, notesOf, type PairColumns } from './columns.js'
import { damagedParquet, soundRows } from './damaged-parquet.js'
import { captionedRow, type SourceRow, sourceRow } from './source-row.js'

/** Names of lists in a folder of pictures: Hugging Face's image folders have `metadata`. */
export const listNames = ['captions.jsonl', 'metadata.jsonl', 'metadata.csv', 'metadata.parquet'] as const

/** Keys that hold the name of the file where nothing says otherwise, the first that is there. */
const fileKeys = ['file_name', 'image_file_name', 'filename', 'image']

/** What the lists of a folder say of its pictures. */
export interface MetadataLists {
  /** By the name of the file, from the folder on. */
  readonly pictures: ReadonlyMap<string, ListedPicture>
  /** Lines that say nothing of a picture of the folder. */
  readonly problems: readonly ListProblem[]
}

/** Of a line: there may be as many of them as lines. */
interface ListProblem {
  readonly place: string
  readonly reason: string
  /** What is to be said after the place. */
  readonly what: string
}

/** The row of a line that says nothing of a picture. */
export const listProblemRow = (mark: Mark, { place, reason, what }: ListProblem): SourceRow =>
  sourceRow({ mark, place, problem: { reason, detail: `${place}: ${what}` } })

export interface ListedPicture extends Pick<SourceRow, 'license' | 'meta'> {
  /** Of all lines that name it. */
  readonly captions: readonly string[]
  /** Lines of a list of captions that name it without one. */
  readonly blanks: number
}

/** A picture while lists are read. */
interface Listed {
  readonly captions: string[]
  blanks: number
  license: SourceRow['license']
  meta: SourceRow['meta']
}

interface ListOptions {
  readonly columns?: Partial<PairColumns> | undefined
  readonly outside?: boolean | undefined
  /** Whether pictures may have captions without a list: then one may say other things of them alone. */
  readonly hasOtherCaptions: boolean
}

/**
 * Reads all lists of a folder and of those below it: rows of a file's name, from the folder of its list on, and a
 * caption or a list of them. Lines without anything in them are none.
 *
 * @param files all files below the folder, with slashes
 * @param pictures those that are pictures
 * @throws UserError where a list lacks a key, or is a link that leads out of the folder or nowhere
 */
export async function readMetadataLists(
  folder: string,
  files: readonly string[],
  pictures: readonly string[],
  { columns, outside = false, hasOtherCaptions }: ListOptions,
): Promise<MetadataLists> {
  const listed = new Map<string, Listed>()
  const problems: ListProblem[] = []
  const malformed = (place: string, what: string) => problems.push({ place, reason: 'malformed_row', what })
  const fileNamed = fileFinder(folder, pictures)
  let hasCaptions = hasOtherCaptions
  let lacking: UserError | undefined
  for (const list of listsAmong(files)) {
    const path = join(folder, list)
    if (!(await stat(path).catch(() => undefined)))
      throw new UserError(`${path} is a link that leads nowhere: put the list there, or take the link away.`)
    if (!outside && !(await isInside(path, [folder])))
      throw new UserError(`${path} is a link that leads out of ${folder}: ${outsideAdvice}.`)
    /** Whether the list has captions; known from its first row on. */
    let captioned: boolean | undefined
    for await (const { mark, place, value, problem } of rowsOf(path, columns)) {
      if (!value) {
        malformed(place, problem)
        continue
      }
      const keys = keysOf(value, columns)
      if (captioned === undefined) {
        captioned = columns?.caption !== undefined || Object.hasOwn(value, keys.caption)
        // A key that the first row lacks is a wrong name; one that a later row lacks is a bad row.
        lacking ??= requireKeys(value, keys, place, captioned)
        hasCaptions ||= captioned
      }
      const given = value[keys.url as string]
      if (typeof given !== 'string' || given.trim() === '') {
        malformed(place, 'no file name')
        continue
      }
      const { captions, license, meta, problem: blank } = rowOf(mark, place, value, keys)
      const name = fileNamed(given, dirname(list))
      if (blank && blank.reason !== 'empty_caption') malformed(place, 'its caption is not UTF-8')
      else if (name === undefined) {
        const what = `there is no picture ${join(folder, dirname(list), slashed(given))}`
        problems.push({ place, reason: 'missing_file', what })
      } else {
        const picture = listed.get(name) ?? { captions: [], blanks: 0, license, meta }
        listed.set(name, picture)
        for (const { text } of captions) picture.captions.push(text)
        if (blank && captioned) picture.blanks++
        picture.license ??= license
        if (meta) picture.meta = { ...meta, ...picture.meta }
      }
    }
  }
  if (lacking && !hasCaptions) throw lacking
  return { pictures: listed, problems }
}

/** The lists of each folder, in the order of their names above: in which order a folder gives them is its own affair. */
function listsAmong(files: readonly string[]): string[] {
  const known = new Set(files)
  const folders = [...new Set(files.map((file) => dirname(file)))].sort()
  return folders.flatMap((folder) =>
    listNames.map((name) => posix.join(folder, name)).filter((name) => known.has(name)),
  )
}

/**
 * Finds the picture of the folder that a list names: from the folder of the list on; as it is written, without the blanks around it,
 * as what was percent-encoded, behind the folder's own name, or by its whole path. Accents may be letters of their own in one of
 * the two names, as macOS has them.
 */
function fileFinder(folder: string, pictures: readonly string[]) {
  const known = new Set(pictures)
  const composed = new Map(pictures.map((name) => [name.normalize('NFC'), name]))
  return (given: string, listFolder: string): string | undefined => {
    const own = slashed(given)
    const exact = posix.join(listFolder, own)
    if (known.has(exact)) return exact
    const trimmed = own.trim()
    const head = `${basename(resolve(folder, listFolder))}/`
    const names = [own, trimmed, decoded(trimmed)]
      .flatMap((name) => (name.startsWith(head) ? [name, name.slice(head.length)] : [name]))
      .map((name) => posix.join(listFolder, name))
    if (isAbsolute(trimmed)) names.push(relative(resolve(folder), trimmed).replaceAll('\\', '/'))
    for (const name of names) {
      const found = composed.get(name.normalize('NFC'))
      if (found !== undefined) return found
    }
    return undefined
  }
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

/**
 * The error for a list without captions, where nothing named the key of them.
 *
 * @throws UserError for any other key that a list lacks
 */
function requireKeys(
  row: Row,
  { url, caption, id, license, meta }: PairColumns,
  place: string,
  captioned: boolean,
): UserError | undefined {
  const names = Object.keys(row)
  const lacks = (key: Column | undefined) => key !== undefined && !Object.hasOwn(row, key)
  const error = (key: Column, advice: string) => noColumn(place, key, names, { what: 'key', advice })
  if (lacks(url)) {
    const [parted] = names.length === 1 ? (/[;\t|]/.exec(names[0] ?? '') ?? []) : []
    const how = parted === undefined ? ' Name another in columns.url: the name of the file.' : ''
    throw error(url, how || ` Its cells seem to be parted by ${JSON.stringify(parted)}: save it with commas.`)
  }
  if (lacks(caption) && captioned) throw error(caption, ' Name another in columns.caption.')
  const missing = [id, license, ...meta].find(lacks)
  if (missing !== undefined) throw error(missing, '')
  if (!lacks(caption)) return undefined
  return error(
    caption,
    ' Name another in columns.caption, put captions into text files beside the pictures, or give `names` to ask for.',
  )
}

function rowOf(mark: Mark, place: string, row: Row, keys: PairColumns): SourceRow {
  const value = (key: Column) => row[key as string]
  const license = keys.license === undefined ? null : value(keys.license)
  return captionedRow(mark, place, value(keys.caption), {
    license: typeof license === 'string' && license !== '' ? license : null,
    ...notesOf(keys, value),
  })
}

/** Rows of a list; of Parquet the columns that are asked for. */
async function* rowsOf(path: string, columns?: Partial<PairColumns>): AsyncGenerator<ObjectLine> {
  if (path.endsWith('.csv')) yield* tableRows(path)
  else if (path.endsWith('.parquet')) yield* parquetRows(path, columns)
  else for await (const line of readObjects(path)) if (line.value || !line.isBlank) yield line
}

async function* tableRows(path: string): AsyncGenerator<ObjectLine> {
  let names: readonly string[] | undefined
  for await (const { mark, cells, problem } of csvRows(path)) {
    const base = { mark, place: `${path}:${mark.line}` }
    if (!cells) yield { ...base, problem }
    else if (cells.length === 1 && cells[0]?.trim() === '') continue
    else if (!names) names = cells
    else if (cells.length > names.length)
      yield {
        ...base,
        problem: `${counted(cells.length, 'column')}, the first line has ${names.length} (is a comma in a cell without quotation marks?)`,
      }
    else yield { ...base, value: Object.fromEntries(names.map((name, at) => [name, cells[at] ?? null])) }
  }
}

async function* parquetRows(path: string, columns?: Partial<PairColumns>): AsyncGenerator<ObjectLine> {
  const file = await openParquet(path).catch(damagedParquet(path))
  try {
    const names = columnNames(file.footer)
    const keys = keysOf(Object.fromEntries(names.map((name) => [name, null])), columns)
    const asked = columnsUsed(keys).map(String)
    // Other columns may be large, such as pictures; where one lacks, the message lists them all.
    const read = asked.every((name) => names.includes(name)) ? asked : names
    let at = 0
    for (const { rows } of file.footer.groups) {
      const part = { start: at, end: at + rows, columns: read, bytesAsText: true }
      for await (const value of soundRows(path, readRows(file, part))) {
        yield { mark: { at, line: 0 }, place: `${path} row ${at}`, value }
        at++
      }
    }
  } finally {
    await file.close()
  }
}
