import type { Encoding } from 'hyparquet'
import { Encodings } from 'hyparquet/src/constants.js'
import { numberOf, readThriftAt, structOf, type ThriftStruct } from './thrift.js'

/** What stands before a page. */
export interface PageHeader {
  /** Bytes of the page as it is stored, behind its header, and when it is decompressed. */
  readonly stored: number
  readonly size: number
  /** Of a dictionary: how many values it has. */
  readonly dictionary?: { readonly count: number }
  /** Of a page of values. */
  readonly data?: DataPageHeader
}

export interface DataPageHeader {
  /** Values and nulls, and one for each empty list. */
  readonly entries: number
  readonly encoding: Encoding | undefined
  /** Of the second version: its levels stand apart, uncompressed. */
  readonly apart?: {
    readonly repetitionBytes: number
    readonly definitionBytes: number
    readonly isCompressed: boolean
  }
}

/**
 * Reads the struct `PageHeader` of parquet.thrift.
 *
 * @returns it, and where the page begins
 * @throws Error where it is damaged, or the page is of another kind
 */
export function readPageHeader(
  bytes: Uint8Array,
  at: number,
): { readonly header: PageHeader; readonly end: number } {
  const { fields, end } = readThriftAt(bytes, at)
  const header = { size: countOf(fields, 2), stored: countOf(fields, 3), ...kindOf(fields) }
  return { header, end }
}

function kindOf(fields: ThriftStruct): Pick<PageHeader, 'dictionary' | 'data'> {
  const type = numberOf(fields, 1)
  // DATA_PAGE 0, DICTIONARY_PAGE 2 and DATA_PAGE_V2 3 have a struct of their own each.
  const about = structOf(fields, type === 0 ? 5 : type === 2 ? 7 : type === 3 ? 8 : -1)
  if (!about) throw new Error(`a page of type ${type}`)
  const count = countOf(about, 1)
  if (type === 2) return { dictionary: { count } }
  const encoding = Encodings[numberOf(about, type === 0 ? 2 : 4) ?? -1]
  if (type === 0) return { data: { entries: count, encoding } }
  const apart = {
    repetitionBytes: countOf(about, 6),
    definitionBytes: countOf(about, 5),
    isCompressed: about.get(7)?.type !== 2,
  }
  return { data: { entries: count, encoding, apart } }
}

function countOf(fields: ThriftStruct, id: number): number {
  const value = numberOf(fields, id)
  if (value === undefined || !(value >= 0))
    throw new Error(`a page's header says ${value} where it says how many`)
  return value
}
