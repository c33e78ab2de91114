import { UserError } from '../../base/user-error.js'
import { readLines } from '../read/read-lines.js'
import { type Mark, problemRow, type SourceRow } from '../read/source-row.js'
import { columnsUsed, pairColumns, pairOf } from './columns.js'
import type { IngestConfig } from './config.js'

/** Pairs from a JSON object a line; columns are its keys, `url` and `caption` unless said otherwise. */
export async function* readJsonl(
  config: IngestConfig & { path: string },
  from?: Mark,
): AsyncGenerator<SourceRow> {
  const { path } = config
  const columns = pairColumns(config)
  let first = from === undefined
  for await (const { mark, place, value, problem } of readObjects(path, from)) {
    if (!value) {
      yield problemRow(mark, place, problem)
      continue
    }
    // A column that the first row lacks is a wrong name; one that a later row lacks is a bad row.
    if (first) for (const column of columnsUsed(columns)) requireKey(value, column, place)
    first = false
    yield pairOf(mark, place, columns, (column) => value[column])
  }
}

/** Throws a UserError that lists the keys there are. */
export function requireKey(value: object, key: string | number, place: string): void {
  if (Object.hasOwn(value, key)) return
  throw new UserError(`${place} has no key "${key}"; it has: ${Object.keys(value).join(', ')}.`)
}

export type ObjectLine = { readonly mark: Mark; readonly place: string } & (
  | { readonly value: Readonly<Record<string, unknown>>; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: string }
)

/** The JSON objects of a file, one a line, from a mark on; a line that is none says why. */
export async function* readObjects(path: string, from?: Mark, longest?: number): AsyncGenerator<ObjectLine> {
  for await (const line of readLines(path, from, longest)) {
    const base = { mark: line.mark, place: `${path}:${line.mark.line}` }
    if (line.text === null) yield { ...base, problem: line.problem }
    else yield { ...base, ...parseObject(line.text) }
  }
}

function parseObject(text: string): { value: Readonly<Record<string, unknown>> } | { problem: string } {
  try {
    const value: unknown = JSON.parse(text)
    if (value && typeof value === 'object' && !Array.isArray(value)) {
      return { value: value as Readonly<Record<string, unknown>> }
    }
    return { problem: 'not a JSON object' }
  } catch (error) {
    return { problem: `not JSON: ${(error as Error).message}` }
  }
}
