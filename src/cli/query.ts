import { nameList } from '../base/name-list.js'
import { plainJson } from '../base/plain-text.js'
import { stagesWith } from '../catalog/choose-stage.js'
import { type OpenDataset, openDataset } from '../catalog/open-dataset.js'
import { csvLine, jsonValue, tableCell } from '../query/format-rows.js'
import { listViews, type QueryResult, runQuery } from '../query/run-query.js'
import { columnName } from '../query/sql.js'
import { formatTable } from './terminal/format-table.js'
import { note, printExact, say } from './terminal/print.js'

export interface QueryCommandOptions {
  readonly format: 'table' | 'csv' | 'json' | 'jsonl'
  readonly rows: number
  readonly images?: boolean
  readonly json?: boolean
}

/**
 * `groundmill query`: the rows of one SELECT, printed while they come; without SQL the views and their
 * columns.
 */
export async function query(
  url: string,
  sql: string | undefined,
  { format, rows, images, json }: QueryCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  const dataset = await openDataset(url)
  const { storage } = dataset
  const options = { withImages: images, signal }
  const as = json ? 'json' : format
  if (sql === undefined) {
    const views = await listViews(storage, options)
    if (as !== 'table') return printExact(`${plainJson(views)}\n`)
    const cells = views.map(({ name, rows, columns }) => [
      name,
      rows,
      columns.map((column) => columnName(column.name)).join(', '),
    ])
    return printExact(`${formatTable(['view', 'a row is', 'columns'], cells)}\n`)
  }
  noteStages(dataset, sql)
  await runQuery(storage, sql, options, (result) =>
    as === 'table' ? printTable(result, rows) : printLines(result, as),
  )
}

/** Says of which stages a view is that has the rows of several, where the query does not ask for them. */
function noteStages(dataset: OpenDataset, sql: string): void {
  if (/\bstage\b/i.test(sql)) return
  for (const what of ['phrases', 'proposals', 'grounding', 'negatives', 'verdicts'] as const) {
    const stages = stagesWith(dataset, what)
    if (stages.length < 2 || !new RegExp(`(?<![.\\w])${what}\\b`, 'i').test(sql)) continue
    note(
      `${what} has the rows of ${stages.length} stages, ${nameList(stages)}: its column \`stage\` tells them apart, and ${what}_STAGE has those of one`,
    )
  }
}

/** Prints at most `maxRows` rows: they are held in memory, since a column is as wide as its widest cell. */
async function printTable({ columns, rows }: QueryResult, maxRows: number): Promise<void> {
  const cells: string[][] = []
  let isMore = false
  for await (const chunk of rows) {
    for (const row of chunk)
      if (cells.length < maxRows) cells.push(row.map(tableCell))
      else isMore = true
    if (isMore) break
  }
  await printExact(`${formatTable(columns.map(tableCell), cells)}\n`)
  if (isMore) say(`These are the first ${maxRows} rows: --rows gives more, --format csv or jsonl all.`)
}

async function printLines({ columns, rows }: QueryResult, format: 'csv' | 'json' | 'jsonl'): Promise<void> {
  const object = (row: readonly unknown[]) =>
    plainJson(Object.fromEntries(columns.map((name, at) => [name, jsonValue(row[at])])))
  let isFirst = true
  if (format === 'csv') await printExact(csvLine(columns))
  if (format === 'json') await printExact('[')
  try {
    for await (const chunk of rows) {
      // A chunk of pictures may be longer than a string can be.
      for (let at = 0; at < chunk.length; at += 64) {
        const part = chunk.slice(at, at + 64)
        if (format === 'csv') await printExact(part.map(csvLine).join(''))
        else if (format === 'jsonl') await printExact(part.map((row) => `${object(row)}\n`).join(''))
        else await printExact(`${isFirst ? '' : ','}${part.map(object).join(',')}`)
        isFirst = false
      }
    }
  } catch (error) {
    // What is said of it stands in a line of its own.
    if (format === 'json') await printExact('\n')
    throw error
  }
  if (format === 'json') await printExact(']\n')
}
