import type { Mark } from '../../formats/mark.js'
import type { SourceRow } from './source-row.js'

/** A source that is open: it is read once for the plan, and then shard after shard. */
export interface Source {
  /** Where each row begins, in the order of the rows: those of some rows at once. */
  plan(): AsyncGenerator<readonly Mark[]>
  /**
   * The rows from a mark on, from the start by default. Who stops in between leaves the reader open where it
   * stands, and rows that are asked for from there on go on with it: a compressed file has no way in but from
   * its start.
   *
   * @throws UserError where a file is missing or damaged, or lacks a column
   */
  rows(from?: Mark): AsyncGenerator<SourceRow>
  /** SHA-256 of what the rows are read from, in hex. */
  hash(): Promise<string>
  /** Closes what is open. No rows can be read after that. */
  close(): Promise<void>
}

/** How the rows of a source are read: what a format gives to `rowSource`. */
export interface RowReader {
  /** @param marksOnly whether only the rows' places are looked at */
  rows(from: Mark | undefined, marksOnly: boolean): AsyncGenerator<SourceRow>
  /**
   * What `Source.plan` gives, where it can be told without making the rows.
   *
   * @throws UserError as `rows` does
   */
  marks?: (() => AsyncGenerator<readonly Mark[]>) | undefined
  /**
   * The files that the rows are read from, for the hash. Without it the hash is of what the rows say, as of
   * folders of many small files.
   */
  files?(): Promise<readonly (string | undefined)[]>
}
