import { UserError } from '../../base/user-error.js'
import { type JsonElement, readJsonElements } from '../read/read-json-elements.js'
import { type Mark, problemRow, type SourceRow } from '../read/source-row.js'
import { type Column, columnsUsed, pairColumns, pairOf } from './columns.js'
import type { IngestConfig } from './config.js'
import { requireKey } from './source-jsonl.js'

type Located = IngestConfig & { path: string }

/**
 * Pairs from a JSON file: an array of objects, whose keys are the columns; or an object of arrays of equal length, a
 * column each (the form of SBU's list). One row is in memory at a time.
 */
export async function* readJson(config: Located, from?: Mark): AsyncGenerator<SourceRow> {
  const first = (await peek(readJsonElements(config.path)))?.key
  if (first === undefined) throw new UserError(`${config.path} holds neither an array nor arrays under keys.`)
  yield* first === null ? readObjectRows(config, from) : readColumnRows(config, from)
}

async function* readObjectRows(config: Located, from?: Mark): AsyncGenerator<SourceRow> {
  const { path } = config
  const columns = pairColumns(config)
  const before = from?.line ?? 0
  for await (const { at, index, value } of readJsonElements(path, undefined, from?.at)) {
    // There are no lines: the place counts rows.
    const mark = { at, line: before + index }
    const place = `${path} row ${mark.line}`
    if (!value || typeof value !== 'object' || Array.isArray(value)) {
      yield problemRow(mark, place, 'not an object')
      continue
    }
    const row = value as Readonly<Record<Column, unknown>>
    if (mark.line === 0) for (const column of columnsUsed(columns)) requireKey(row, column, place)
    yield pairOf(mark, place, columns, (column) => row[column])
  }
}

/** Each column has a reader of its own, at its own place in the file. */
async function* readColumnRows(config: Located, from?: Mark): AsyncGenerator<SourceRow> {
  const { path } = config
  const columns = pairColumns(config)
  const names = columnsUsed(columns)
  const readers = names.map((name) => readJsonElements(path, (key) => key === name))
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
  throw new UserError(`${path} has no column "${missing}"; it has: ${[...known].join(', ')}.`)
}

async function peek(elements: AsyncGenerator<JsonElement>): Promise<JsonElement | undefined> {
  const { value } = await elements.next()
  await elements.return(undefined)
  return value ?? undefined
}
