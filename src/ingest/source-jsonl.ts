import { UserError } from '../user-error.js'
import type { IngestConfig } from './config.js'
import { readLines } from './read-lines.js'
import { type Mark, pairRow, type SourceRow, sourceRow } from './source-row.js'

/** Pairs from a JSON object a line; columns are its keys, `url` and `caption` unless said otherwise. */
export async function* readJsonl(
  config: IngestConfig & { path: string },
  from?: Mark,
): AsyncGenerator<SourceRow> {
  const { path, columns = { url: 'url', caption: 'caption' } } = config
  let first = from === undefined
  for await (const { mark, text } of readLines(path, from)) {
    const place = `${path}:${mark.line}`
    const value = parseObject(text)
    if (typeof value === 'string') {
      yield sourceRow({ mark, place, problem: { reason: 'malformed_row', detail: `${place}: ${value}` } })
      continue
    }
    // A column that the first row lacks is a wrong name; one that a later row lacks is a bad row.
    for (const column of first ? [columns.url, columns.caption] : []) {
      if (!(column in value)) {
        throw new UserError(`${place} has no key "${column}"; it has: ${Object.keys(value).join(', ')}.`)
      }
    }
    first = false
    yield pairRow(mark, place, value[columns.url], value[columns.caption])
  }
}

function parseObject(text: string | null): Readonly<Record<string, unknown>> | string {
  if (text === null) return 'line over 1 MiB'
  try {
    const value: unknown = JSON.parse(text)
    if (value && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
    return 'not a JSON object'
  } catch (error) {
    return `not JSON: ${(error as Error).message}`
  }
}
