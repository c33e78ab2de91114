/** Parts of SQL that read shards. */
import type { CommittedFile } from './dataset-files.js'

/** A string as SQL writes it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** Names of columns that are words of DuckDB's own. */
const ownWords: ReadonlySet<string> = new Set(['at', 'end'])

/** The name of a column as a query has to write it. */
export const columnName = (name: string): string => (ownWords.has(name) ? `"${name}"` : name)

/** The rows of these files. Columns of newer versions are null in the rows of older ones. */
export const rowsOf = (files: readonly Pick<CommittedFile, 'path'>[]): string =>
  `read_parquet([${files.map(({ path }) => quoted(patternOf(path))).join(', ')}], union_by_name = true)`

/** DuckDB takes a path for a pattern: signs with a meaning stand in brackets. */
export const patternOf = (path: string) => path.replace(/[*?[]/g, '[$&]')

/**
 * A row for each item of a list column: `key`, the item's place as `place`, from 0 on, and the item as
 * `item`.
 *
 * @param also further columns of the row
 */
export const itemsOf = (files: readonly Pick<CommittedFile, 'path'>[], list: string, also = ''): string =>
  `(select key, ${also && `${also}, `}generate_subscripts(${list}, 1)::integer - 1 as place, unnest(${list}) as item from ${rowsOf(files)})`
