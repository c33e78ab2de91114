import { UserError } from '../../base/user-error.js'
import type { Mark } from '../../formats/mark.js'
import { type JsonElement, readJsonElements } from '../../formats/read-json-elements.js'
import {
  type Column,
  columnsUsed,
  noColumn,
  type PairColumns,
  pairColumnsIn,
  pairColumnsOf,
  pairOf,
  requireKey,
} from '../read/columns.js'
import { fileSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { listPath, pairColumns, pairPictures, sourceSchema } from '../read/source-keys.js'
import { problemRow, type SourceRow } from '../read/source-row.js'

const schema = sourceSchema('json', {
  path: listPath,
  columns: pairColumns,
  ...pairPictures,
}).describe('pairs in one JSON file: a list of objects, or an object of lists')
const endings = ['.json']

/**
 * Pairs from a JSON file: an array of objects, whose keys are the columns; or an object of arrays of equal
 * length, a column each (the form of SBU's list). One row is in memory at a time.
 */
export const json: SourceFormat<typeof schema> = {
  name: 'json',
  schema,
  isRemote: true,
  endings,
  hasBoxes: () => false,
  open: (config) =>
    fileSource(requirePath(config), endings, (path, from) => readPairs(path, config.columns, from), {
      joins: config.join !== 'no',
    }),
}

type GivenColumns = Partial<PairColumns> | undefined

async function* readPairs(path: string, columns: GivenColumns, from?: Mark): AsyncGenerator<SourceRow> {
  let isList = false
  const onArray = () => {
    isList = true
  }
  const first = (await peek(readJsonElements(path, { onArray })))?.key
  // An empty list has no rows, which whoever reads them tells.
  if (first === undefined && isList) return
  if (first === undefined) throw new UserError(`${path} holds neither an array nor arrays under keys.`)
  yield* first === null
    ? readObjectRows(path, columns, from)
    : readColumnRows(path, pairColumnsOf(columns), from)
}

async function* readObjectRows(path: string, given: GivenColumns, from?: Mark): AsyncGenerator<SourceRow> {
  const before = from?.line ?? 0
  for await (const { at, index, value } of readJsonElements(path, { from: from?.at })) {
    // There are no lines: the place counts rows.
    const mark = { at, line: before + index }
    const place = `${path} row ${mark.line}`
    if (!value || typeof value !== 'object' || Array.isArray(value)) {
      yield problemRow(mark, place, 'not an object')
      continue
    }
    const row = value as Readonly<Record<Column, unknown>>
    const columns = pairColumnsIn(row, given)
    if (mark.line === 0) {
      for (const column of columnsUsed(columns)) requireKey(row, column, place)
    }
    yield pairOf(mark, place, columns, (column) => row[column])
  }
}

/** Each column has a reader of its own, at its own place in the file. */
async function* readColumnRows(path: string, columns: PairColumns, from?: Mark): AsyncGenerator<SourceRow> {
  const names = columnsUsed(columns)
  const readers = names.map((name) => readJsonElements(path, { wanted: (key) => key === name }))
  try {
    for (let row = 0; ; row++) {
      const cells = await Promise.all(readers.map(async (reader) => (await reader.next()).value))
      if (row === 0) await requireColumns(path, names, cells)
      const ended = cells.findIndex((cell) => !cell)
      if (ended !== -1) {
        const longer = names.find((_, index) => cells[index])
        if (longer === undefined) return
        throw new UserError(`${path}: "${names[ended]}" ends after ${row} values, "${longer}" has more.`)
      }
      if (row < (from?.at ?? 0)) continue
      const value = (column: Column) => cells[names.indexOf(column)]?.value
      yield pairOf({ at: row, line: row }, `${path} row ${row}`, columns, value)
    }
  } finally {
    await Promise.all(readers.map((reader) => reader.return(undefined)))
  }
}

async function requireColumns(
  path: string,
  names: readonly Column[],
  cells: readonly (JsonElement | undefined)[],
) {
  const missing = names.find((_, index) => !cells[index])
  if (missing === undefined) return
  const known = new Set<string>()
  for await (const { key } of readJsonElements(path)) known.add(String(key))
  throw noColumn(path, missing, known)
}

async function peek(elements: AsyncGenerator<JsonElement>): Promise<JsonElement | undefined> {
  const { value } = await elements.next()
  await elements.return(undefined)
  return value ?? undefined
}
