import { UserError } from '../base/user-error.js'
import type { GroupMemory } from '../parquet/group-memory.js'
import { causeOf } from '../parquet/open-parquet.js'
import { columnNames } from '../parquet/read-footer.js'
import { eachRowGroup } from '../parquet/read-rows.js'
import type { Families, Family } from '../rows/rows.js'
import type { Storage } from '../storage/storage.js'
import { openCommitted } from './committed-file.js'
import { laterFields, rowMigration, type StoredRow } from './row-migration.js'
import { damagedShard } from './verify-file.js'

export interface ReadOptions<Column extends string = string> {
  /** Top-level columns to read; the others are absent from the rows. */
  readonly columns?: readonly Column[]
}

/** The same, for who is done with the bytes of a row group before the next one. */
export interface GroupOptions extends ReadOptions {
  /** Where row groups are read to: bytes of a row are good until a row of the next group is asked for. */
  readonly memory?: GroupMemory | undefined
  /** A list of structs that rows have as `ListColumns`, with the members of its file: what is later lacks there. */
  readonly columnar?: string | undefined
}

/**
 * Streams the rows of a shard: the columns of one row group are in memory at a time, and each row is made
 * when it is asked for. Picture bytes are views into their row group: who keeps few of many copies them. Rows
 * of an older schema version come as those of this one. Several families of a shard are read together by
 * `joinRows`.
 *
 * @throws UserError where the shard is not there, and where its file is missing, not the one that its record speaks
 *   of (`verifyFile`), or has not the columns
 */
export async function* readShard<F extends Family, Column extends keyof Families[F] & string>(
  storage: Storage,
  family: F,
  stage: string | null,
  shard: string,
  options: ReadOptions<Column> = {},
): AsyncGenerator<Pick<Families[F], Column>, void, void> {
  for await (const rows of readShardGroups(storage, family, stage, shard, options))
    yield* rows as unknown as Iterable<Pick<Families[F], Column>>
}

/** As `readShard`, row group by row group: one waits for a group, and no longer for each of its rows. */
export async function* readShardGroups(
  storage: Storage,
  family: Family,
  stage: string | null,
  shard: string,
  { columns, memory, columnar }: GroupOptions = {},
): AsyncGenerator<Iterator<StoredRow, void, void>, void, void> {
  const { path, opened } = await openCommitted(storage, family, stage, shard)
  const asUserError = (error: unknown) =>
    error instanceof UserError ? error : damagedShard(storage, path, causeOf(error))
  try {
    checkColumns(path, family, columns, columnNames(opened.footer))
    const migrate = columnar === undefined ? rowMigration(family, opened.footer) : undefined
    for await (const rows of eachRowGroup(opened, { memory, columnar, ...(columns && { columns }) }))
      yield wholeRows(rows, migrate, asUserError)
  } catch (error) {
    throw asUserError(error)
  } finally {
    await opened.close()
  }
}

function* wholeRows(
  rows: Iterable<StoredRow>,
  migrate: ReturnType<typeof rowMigration>,
  asUserError: (error: unknown) => UserError,
): Generator<StoredRow, void, void> {
  try {
    for (const row of rows) yield migrate ? migrate(row) : row
  } catch (error) {
    throw asUserError(error)
  }
}

function checkColumns(
  path: string,
  family: Family,
  columns: readonly string[] | undefined,
  known: readonly string[],
) {
  const isLater = (column: string) => laterFields[family]?.includes(column) ?? false
  const missing = (columns ?? ['key']).find((column) => !known.includes(column) && !isLater(column))
  if (missing !== undefined) {
    throw new UserError(`${path} has no column "${missing}": it is not a shard of ${family}.`)
  }
}
