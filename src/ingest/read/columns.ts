import { nameList } from '../../base/name-list.js'
import { didYouMean } from '../../base/nearest-name.js'
import { stringifyJson } from '../../base/parse-json.js'
import { UserError } from '../../base/user-error.js'
import type { Mark } from '../../formats/mark.js'
import { pairRow, type SourceRow } from './source-row.js'

/** A column by its name, or by its number from 0. */
export type Column = string | number

/** The columns of a list of pairs; `url` and `caption` unless said otherwise. */
export interface PairColumns {
  readonly url: Column
  readonly caption: Column
  /** The picture's own id. */
  readonly id?: Column | undefined
  readonly license?: Column | undefined
  readonly meta: readonly Column[]
}

/** The columns that a configuration names. */
export function pairColumnsOf(columns: Partial<PairColumns> = {}): PairColumns {
  const { url = 'url', caption = 'caption', id, license, meta = [] } = columns
  return { url, caption, id, license, meta }
}

/** Columns that hold captions where nothing says otherwise and there is no `caption`, the first that is there. */
export const captionNames = [
  'caption',
  'captions',
  'text',
  'sentences',
  'sentences_raw',
  'raw',
  'TEXT',
] as const

/**
 * The columns of an object, as `pairColumnsOf`: where none is named, its captions are under the first of
 * `captionNames` that it has.
 */
export function pairColumnsIn(row: object, columns: Partial<PairColumns> = {}): PairColumns {
  const caption = columns.caption ?? captionNames.find((name) => Object.hasOwn(row, name))
  return pairColumnsOf({ ...columns, ...(caption !== undefined && { caption }) })
}

/** The columns that are read, without repetitions. */
export function columnsUsed({ url, caption, id, license, meta }: PairColumns): Column[] {
  return [...new Set([url, caption, ...[id, license].filter((column) => column !== undefined), ...meta])]
}

/** A row of the values that `value` gives for each column. */
export function pairOf(
  mark: Mark,
  place: string,
  columns: PairColumns,
  value: (column: Column) => unknown,
): SourceRow {
  const license = columns.license === undefined ? null : value(columns.license)
  return pairRow(mark, place, value(columns.url), value(columns.caption), {
    license: typeof license === 'string' && license !== '' ? license : null,
    ...notesOf(columns, value),
  })
}

/** What a row says of its picture beside address and caption; its name where it has an id. */
export function notesOf(
  { id, meta }: PairColumns,
  value: (column: Column) => unknown,
): Pick<SourceRow, 'meta'> & Partial<Pick<SourceRow, 'pictureName'>> {
  const own = id === undefined ? null : plain(value(id))
  const notes = meta.map((column) => [String(column), plain(value(column))] as const)
  const all = [...(id === undefined ? [] : [['id', own] as const]), ...notes]
  return {
    meta: all.length > 0 ? Object.fromEntries(all) : null,
    ...(id !== undefined && { pictureName: isBlank(own) ? null : `id ${stringifyJson(own)}` }),
  }
}

const isBlank = (value: unknown) => value === null || (typeof value === 'string' && value.trim() === '')

/**
 * A value as JSON holds it: whole numbers of 64 bits as numbers where that is exact, as text else; bytes in
 * base64.
 */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Date) return value.toISOString()
  if (value && typeof value === 'object' && !ArrayBuffer.isView(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
  }
  return value ?? null
}

/**
 * Says that there is no such column, which there are, and what to do.
 *
 * @param what it is called there
 * @param advice how another is named, by default
 */
export function noColumn(
  place: string,
  column: Column,
  names: Iterable<string>,
  { what = 'column', advice }: { readonly what?: 'column' | 'key'; readonly advice?: string } = {},
): UserError {
  const known = [...names]
  return new UserError(
    `${place} has no ${what} "${column}"; it has: ${nameList(known)}.${advice ?? columnAdvice(column, known)}`,
  )
}

function columnAdvice(column: Column, known: readonly string[]): string {
  // One that nobody has named: the usual name is not that of this list.
  const isUsual = column === 'url' || column === 'caption'
  return isUsual
    ? ` Name the one that is meant with \`columns.${column}\`.`
    : didYouMean(String(column), known)
}

/** Throws a UserError that lists the keys of an object where it lacks one. */
export function requireKey(value: object, key: Column, place: string): void {
  if (!Object.hasOwn(value, key)) throw noColumn(place, key, Object.keys(value), { what: 'key' })
}

/**
 * Place of a column among names; where there are none, columns have numbers. Throws a UserError that lists
 * them.
 */
export function columnIndex(column: Column, names: readonly string[] | undefined, path: string): number {
  if (!names && typeof column === 'string')
    throw new UserError(`${path} has no header: name its columns by number, not "${column}".`)
  const index = typeof column === 'number' ? column : (names ?? []).indexOf(column)
  if (names && (index === -1 || index >= names.length)) {
    const advice = delimiterHint(names)
    throw noColumn(path, column, names, advice === '' ? {} : { advice })
  }
  const places = (names ?? []).flatMap((name, at) => (name === column ? [at] : []))
  if (places.length > 1)
    throw new UserError(
      `${path} has ${places.length} columns "${column}": name one by its number (${nameList(places.map(String))}).`,
    )
  return index
}

/** What to do where a first line is one cell because its delimiter is another. */
function delimiterHint(names: readonly string[]): string {
  const [name = ''] = names
  if (names.some((one) => /^".*"$/.test(one))) return ' Its cells are in quotation marks: say `quoted: true`.'
  const [delimiter] = /[\t,;|]/.exec(name) ?? []
  if (names.length > 1 || delimiter === undefined) return ''
  const formats: Readonly<Record<string, string>> = { '\t': 'say `format: tsv`', ',': 'say `format: csv`' }
  return ` Its cells seem to be parted by ${JSON.stringify(delimiter)}: ${formats[delimiter] ?? 'save it with commas'}.`
}
