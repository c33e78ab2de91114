import { LruCache } from '../base/lru-cache.js'
import { causeOf, type ParquetFile } from '../parquet/open-parquet.js'
import { readRows } from '../parquet/read-rows.js'
import type { Families, Family } from '../rows/rows.js'
import type { Storage } from '../storage/storage.js'
import { committedFile, openVerified } from './committed-file.js'
import { rowMigration, type StoredRow } from './row-migration.js'
import { damagedShard, type ExpectedFile } from './verify-file.js'

/** Files held open with their footers: reading a few rows of one again costs no more than its pages. */
const mostFiles = 48
/** What records say of files is remembered longer: a record is much larger than that. */
const mostKnown = 20_000

interface OpenFile {
  readonly opened: Promise<ParquetFile>
  /** Reads under way: the file is closed after the last of them. */
  readers: number
  isEvicted: boolean
  closing?: Promise<void>
}

interface Range<Column> {
  readonly start: number
  readonly end: number
  readonly columns?: readonly Column[]
}

/**
 * Reads single rows of shards, of which only the columns and row groups that hold them are fetched, some
 * megabytes of pictures. The last used files stay open for the next rows; `close` closes all.
 */
export class ShardRows {
  // Holds the files and not their promises, so that a reader is counted before anything can be evicted.
  readonly #files = new LruCache<string, OpenFile>({
    maxSize: mostFiles,
    onEvict: (file) => {
      file.isEvicted = true
      if (file.readers === 0) close(file)
    },
  })

  readonly #known = new LruCache<string, ExpectedFile>({ maxSize: mostKnown })

  constructor(readonly storage: Storage) {}

  /**
   * Rows `start` up to `end` of a shard, fewer where it ends before. Those of an older schema version come as
   * those of this one.
   *
   * @param columns top-level columns; all by default
   * @throws UserError where the shard is not there, and where its file is missing or not the one that its record
   *   speaks of (`verifyFile`)
   */
  async read<F extends Family, Column extends keyof Families[F] & string>(
    family: F,
    stage: string | null,
    shard: string,
    range: Range<Column>,
  ): Promise<Pick<Families[F], Column>[]> {
    const key = `${family} ${stage} ${shard}`
    const fileOf = async (): Promise<ExpectedFile> => {
      const { path, bytes, sha256 } = await committedFile(this.storage, family, stage, shard)
      return { path, bytes, sha256 }
    }
    const file = await this.#known.load(key, fileOf)
    try {
      return await this.#read(file, family, range)
    } catch (error) {
      if (await this.storage.exists(file.path)) throw error
      // Another process has replaced the file since its record was read.
      const newFile = await fileOf()
      if (newFile.path === file.path) throw error
      this.#known.set(key, newFile)
      return await this.#read(newFile, family, range)
    }
  }

  async close(): Promise<void> {
    const all = [...this.#files.entries()].map(([, file]) => file)
    this.#files.clear()
    await Promise.all(all.map(close))
  }

  async #read<F extends Family, Column extends keyof Families[F] & string>(
    wanted: ExpectedFile,
    family: F,
    { start, end, columns }: Range<Column>,
  ): Promise<Pick<Families[F], Column>[]> {
    const path = this.storage.path(wanted.path)
    const open = this.#open(path, wanted)
    open.readers++
    try {
      const file = await open.opened
      const migrate = rowMigration(family, file.footer)
      const found: StoredRow[] = []
      try {
        for await (const row of readRows(file, { start, end, ...(columns && { columns }) }))
          found.push(migrate ? migrate(row) : row)
      } catch (error) {
        throw damagedShard(this.storage, path, causeOf(error))
      }
      return found as unknown as Pick<Families[F], Column>[]
    } finally {
      open.readers--
      if (open.isEvicted && open.readers === 0) close(open)
    }
  }

  #open(path: string, file: ExpectedFile): OpenFile {
    const known = this.#files.get(path)
    if (known) return known
    const open: OpenFile = { opened: openVerified(this.storage, file), readers: 0, isEvicted: false }
    this.#files.set(path, open)
    // A file that cannot be opened is tried again.
    open.opened.catch(() => this.#files.delete(path))
    return open
  }
}

/** Closes a file once; what could not be opened has nothing to close. */
function close(file: OpenFile): Promise<void> {
  file.closing ??= file.opened.then((opened) => opened.close()).catch(() => {})
  return file.closing
}
