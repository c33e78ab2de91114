import type { Mark } from '../../formats/mark.js'
import type { LinePiece } from '../../formats/read-lines.js'
import type { RepeatedNames } from './repeated-names.js'
import type { SourceFile } from './source-file.js'
import type { SourceRow } from './source-row.js'

/** Rows as a plan reads them: where they begin, and all that one says, or what many are known by together. */
export interface PlannedRows {
  readonly marks: readonly Mark[]
  readonly said: string
  /** Places among the marks of those that go on with the row before them: their captions join. */
  readonly joined?: ReadonlySet<number>
}

/** A piece of a list as a plan reads it, and what its lines hang on besides themselves: the columns. */
export interface PlannedLines extends LinePiece {
  readonly head: string
  /** As that of rows. */
  readonly joined?: ReadonlySet<number>
}

/** A source that is open: it is read once for the plan, and then shard after shard. */
export interface Source {
  /** Where each row begins and what it says, in the order of the rows: row by row, or as pieces of a list. */
  plan(): AsyncGenerator<PlannedRows | PlannedLines>
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
  /** Whether rows next to each other of one picture are one. */
  readonly joins: boolean
  /**
   * Rows of the last plan that name a picture which an earlier row has named that is not next to them; undefined
   * where rows do not join.
   */
  repeated?(): RepeatedNames | undefined
  /** Closes what is open. No rows can be read after that. */
  close(): Promise<void>
}

/** Marks of a file that is known as a whole. */
export type PlannedMarks = Pick<PlannedRows, 'marks' | 'joined'>

/** How the rows of a source are read: what a format gives to `rowSource`. */
export interface RowReader {
  /** @param marksOnly whether only the rows' places are looked at */
  rows(from: Mark | undefined, marksOnly: boolean): AsyncGenerator<SourceRow>
  /**
   * How a plan reads it where the rows need not be made for that: the pieces of a list whose rows are its lines, or
   * the marks of a file that is known as a whole.
   *
   * @throws UserError as `rows` does
   */
  plan?: ((names?: RepeatedNames) => AsyncGenerator<PlannedLines | PlannedMarks>) | undefined
  /** Whether rows next to each other of one picture are joined: then a plan is given what counts its names. */
  readonly joins?: boolean
  /**
   * The files that the rows are read from, for the hash. Without it the hash is of what the rows say, as of
   * folders of many small files.
   */
  files?(): Promise<readonly (SourceFile | string | undefined)[]>
  /** The hash of what the rows are read from, where it is known without `files`. */
  hash?(): Promise<string>
  /** Whether a row is read from the one of `files` that its mark numbers: pictures in it are known by that. */
  readonly isOfOneFile?: boolean
}
