import { damaged, openParquet, type ParquetFile } from '../parquet/open-parquet.js'
import { readRows } from '../parquet/read-rows.js'
import { familyPath } from '../rows/family-path.js'
import type { Families, Family } from '../rows/rows.js'
import type { Storage } from '../storage/storage.js'
import { rowMigration, type StoredRow } from './row-migration.js'

/** Footers and handles of files that are held open: reading a few rows of one again costs no more than its pages. */
const mostFiles = 48

interface Held {
  readonly opened: Promise<ParquetFile>
  readers: number
  isDropped: boolean
}

/**
 * Reads single rows of shards, of which only the columns and row groups that hold them are fetched, some megabytes of
 * pictures. Files stay open for the next rows, the last used of them; `close` lets go of all.
 */
export class ShardRows {
  readonly #held = new Map<string, Held>()

  constructor(readonly storage: Storage) {}

  /**
   * Rows `start` up to `end` of a shard, fewer where it ends before. Those of an older schema version come as those
   * of this one.
   *
   * @param columns top-level columns; all by default
   * @throws UserError where the file is missing, cut short or not Parquet
   */
  async read<F extends Family, Column extends keyof Families[F] & string>(
    family: F,
    stage: string | null,
    shard: string,
    {
      start,
      end,
      columns,
    }: { readonly start: number; readonly end: number; readonly columns?: readonly Column[] },
  ): Promise<Pick<Families[F], Column>[]> {
    const path = this.storage.path(familyPath(family, stage, shard, 'parquet'))
    const held = this.#open(path)
    held.readers++
    try {
      const file = await held.opened
      const migrate = rowMigration(family, file.footer)
      const found: StoredRow[] = []
      try {
        for await (const row of readRows(file, { start, end, ...(columns && { columns }) }))
          found.push(migrate ? migrate(row) : row)
      } catch (error) {
        throw damaged(path, error)
      }
      return found as unknown as Pick<Families[F], Column>[]
    } finally {
      held.readers--
      if (held.isDropped) this.#closeIdle(held)
    }
  }

  async close(): Promise<void> {
    const all = [...this.#held.values()]
    this.#held.clear()
    for (const held of all) await held.opened.then((file) => file.close()).catch(() => {})
  }

  #open(path: string): Held {
    const known = this.#held.get(path)
    if (known) {
      // The last used are at the end.
      this.#held.delete(path)
      this.#held.set(path, known)
      return known
    }
    const held: Held = { opened: openParquet(path), readers: 0, isDropped: false }
    this.#held.set(path, held)
    held.opened.catch(() => this.#held.delete(path))
    for (const [oldest, other] of this.#held) {
      if (this.#held.size <= mostFiles) break
      this.#held.delete(oldest)
      other.isDropped = true
      this.#closeIdle(other)
    }
    return held
  }

  #closeIdle(held: Held) {
    if (held.readers === 0) held.opened.then((file) => file.close()).catch(() => {})
  }
}
