import type { ParquetFooter } from '../parquet/read-footer.js'
import type { Family } from '../rows/rows.js'

/** A row of any family as its file has it. */
export type StoredRow = Readonly<Record<string, unknown>>

/** Columns that proposals have got since version 1, in which they are null. */
const laterColumns = ['label', 'contrast'] as const

/** Columns that families have got since version 1 and that rows need not have: of older files they are none. */
export const laterFields: Readonly<Partial<Record<Family, readonly string[]>>> = {
  images: ['fingerprint'],
  phrases: ['left_out'],
  grounding: ['ignored', 'scale', 'disagreement'],
}

/**
 * Makes rows of older files into rows of this version; undefined where a file's rows are of this one. Columns
 * of proposals that a file does not have become null.
 */
export function rowMigration(
  family: Family,
  { schema }: Pick<ParquetFooter, 'schema'>,
): ((row: StoredRow) => StoredRow) | undefined {
  if (family !== 'proposals') return undefined
  const lacking = laterColumns.filter((name) => !hasColumn(schema, name))
  if (lacking.length === 0) return undefined
  const nulls = Object.fromEntries(lacking.map((name) => [name, null]))
  return (row) => {
    // Where this column is not read, there is nothing to mend.
    const proposals = row.proposals as readonly object[] | undefined
    if (!proposals) return row
    return { ...row, proposals: proposals.map((proposal) => ({ ...proposal, ...nulls })) }
  }
}

/** Whether a column of that name is in a schema, at whatever depth. */
const hasColumn = (tree: ParquetFooter['schema'], name: string): boolean =>
  tree.element.name === name || tree.children.some((child) => hasColumn(child, name))
