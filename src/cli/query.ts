import { once } from 'node:events'
import { listViews, type QueryResult, runQuery } from '../query/run-query.js'
import { UserError } from '../user-error.js'
import { formatTable } from './format-table.js'
import { openDataset } from './open-dataset.js'

export interface QueryCommandOptions {
  readonly format: 'table' | 'csv' | 'jsonl'
  /** Most rows of a table. */
  readonly rows: number
  readonly images?: boolean
  readonly json?: boolean
}

/** `groundmill query`: SQL over a dataset's column families, or the list of their views. */
export async function query(
  url: string,
  sql: string | undefined,
  options: QueryCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  const { storage } = await openDataset(url)
  const how = { withImages: options.images, signal }
  if (sql === undefined) {
    const views = await listViews(storage, how)
    if (options.json) await write(`${JSON.stringify({ dataset: url, views })}\n`)
    else
      for (const { name, rows, columns } of views) {
        const named = columns.map(({ name: column, type }) => `${column} ${type}`)
        await write(`${name}: ${rows}\n  ${named.join(', ')}\n`)
      }
    return
  }
  if (sql.trim() === '') throw new UserError('The query is empty.')
  const print = options.json ? printJson(url) : printers[options.format]
  await runQuery(storage, sql, how, (result) => print(result, options))
}

type Printer = (result: QueryResult, options: QueryCommandOptions) => Promise<void>

const printers: Readonly<Record<QueryCommandOptions['format'], Printer>> = {
  table: printTable,
  csv: printCsv,
  jsonl: printJsonLines,
}

/** Widths are told by all rows of a table, so that it holds a few only. */
async function printTable({ columns, rows }: QueryResult, { rows: most }: QueryCommandOptions) {
  const shown: string[][] = []
  let isCut = false
  for await (const part of rows) {
    shown.push(...part.slice(0, most - shown.length).map((row) => row.map(asText)))
    if (shown.length < most) continue
    isCut = part.length > 0
    break
  }
  await write(`${formatTable(columns, shown)}\n`)
  if (isCut && shown.length === most)
    process.stderr.write(`The first ${most} rows: --rows shows more, --format csv all.\n`)
}

/** RFC 4180, with line feeds alone. */
async function printCsv({ columns, rows }: QueryResult) {
  const line = (cells: readonly string[]) => `${cells.map(csvCell).join(',')}\n`
  await write(line(columns))
  for await (const part of rows) await write(part.map((row) => line(row.map(asText))).join(''))
}

const csvCell = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

async function printJsonLines({ columns, rows }: QueryResult) {
  for await (const part of rows) {
    const objects = part.map((row) => Object.fromEntries(columns.map((name, at) => [name, asJson(row[at])])))
    await write(objects.map((object) => `${JSON.stringify(object)}\n`).join(''))
  }
}

const printJson =
  (dataset: string) =>
  async ({ columns, rows }: QueryResult) => {
    await write(`{"dataset":${JSON.stringify(dataset)},"columns":${JSON.stringify(columns)},"rows":[`)
    let isFirst = true
    for await (const part of rows) {
      const text = part.map((row) => JSON.stringify(row.map(asJson))).join(',')
      if (text === '') continue
      await write(isFirst ? text : `,${text}`)
      isFirst = false
    }
    await write(']}\n')
  }

function asText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  const plain = asJson(value)
  return typeof plain === 'string' ? plain : JSON.stringify(plain)
}

/** Values of DuckDB as JSON has them: large whole numbers as text, times as ISO 8601, bytes as base64. */
function asJson(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : String(value)
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(asJson)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, asJson(part)]))
  return value ?? null
}

/** A slow reader holds the query up, not the memory. */
async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}
