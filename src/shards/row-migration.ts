import type { ParquetFooter } from '../parquet/read-footer.js'
import type { Family } from '../rows/rows.js'

/** A row of any family as its file has it. */
export type StoredRow = Readonly<Record<string, unknown>>

/**
 * Makes rows of an older schema version into rows of this one; undefined where a file's rows are of this one.
 * In version 1 proposals had no labels: they become null.
 */
export function rowMigration(
  family: Family,
  { schema }: Pick<ParquetFooter, 'schema'>,
): ((row: StoredRow) => StoredRow) | undefined {
  if (family !== 'proposals' || hasColumn(schema, 'label')) return undefined
  return (row) => {
    // Where this column is not read, there is nothing to mend.
    const proposals = row.proposals as readonly object[] | undefined
    if (!proposals) return row
    return { ...row, proposals: proposals.map((proposal) => ({ ...proposal, label: null })) }
  }
}

/** Whether a column of that name is in a schema, at whatever depth. */
const hasColumn = (tree: ParquetFooter['schema'], name: string): boolean =>
  tree.element.name === name || tree.children.some((child) => hasColumn(child, name))
