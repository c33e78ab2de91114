/** Cells of a query's rows as text. */
import { plainText } from '../base/plain-text.js'

/**
 * A cell as JSON can hold it: large numbers and dates as strings, bytes as base64, what is not finite as
 * null.
 */
export function jsonValue(value: unknown): unknown {
  if (typeof value === 'bigint') return isExact(value) ? Number(value) : String(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(jsonValue)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, jsonValue(field)]))
  return value ?? null
}

/** A line of CSV as RFC 4180 has it, with lists and structs as JSON and null as nothing. */
export function csvLine(row: readonly unknown[]): string {
  return `${row.map(csvCell).join(',')}\r\n`
}

function csvCell(value: unknown): string {
  const text = plain(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

const maxCellLength = 60

/** A cell of a table: cut where it is long, and without signs that would do something to a terminal. */
export function tableCell(value: unknown): string {
  const text =
    typeof value === 'number' && !Number.isInteger(value)
      ? String(Number(value.toPrecision(6)))
      : plain(value)
  const safe = [...plainText(text.slice(0, 4 * maxCellLength))]
  return safe.length > maxCellLength ? `${safe.slice(0, maxCellLength - 1).join('')}…` : safe.join('')
}

function plain(value: unknown): string {
  const json = jsonValue(value)
  if (json === null) return ''
  return typeof json === 'object' ? JSON.stringify(json) : String(json)
}

const isExact = (value: bigint) => value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
