import { UserError } from '../base/user-error.js'
import { damaged, openParquet } from '../parquet/open-parquet.js'
import { readRowGroups } from '../parquet/read-row-groups.js'
import { familyPath } from '../rows/family-path.js'
import type { Families, Family } from '../rows/rows.js'
import type { Storage } from '../storage/storage.js'

export interface ReadOptions<Column extends string = string> {
  /** Top-level columns to read; the others are absent from the rows. */
  readonly columns?: readonly Column[]
}

/**
 * Streams the rows of a shard: the columns of one row group are in memory at a time, and each row is made when it is asked
 * for. Picture bytes are views into their row group: who keeps few of many copies them.
 *
 * @throws UserError where the file is missing, cut short, not Parquet, or has not the columns
 */
export async function* readShard<F extends Family, Column extends keyof Families[F] & string>(
  storage: Storage,
  family: F,
  stage: string | null,
  shard: string,
  { columns }: ReadOptions<Column> = {},
): AsyncGenerator<Pick<Families[F], Column>, void, void> {
  const path = storage.path(familyPath(family, stage, shard, 'parquet'))
  const { file, metadata, close } = await openParquet(path)
  try {
    checkColumns(path, family, columns, new Set(metadata.schema.map(({ name }) => name)))
    yield* readRowGroups({ file, metadata }, columns) as AsyncGenerator<Pick<Families[F], Column>, void, void>
  } catch (error) {
    throw error instanceof UserError ? error : damaged(path, error)
  } finally {
    await close()
  }
}

function checkColumns(
  path: string,
  family: Family,
  columns: readonly string[] | undefined,
  known: ReadonlySet<string>,
) {
  const missing = (columns ?? ['key']).find((column) => !known.has(column))
  if (missing !== undefined) {
    throw new UserError(`${path} has no column "${missing}": it is not a shard of ${family}.`)
  }
}
