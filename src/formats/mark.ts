/** Where in its source a row begins, so that it can be read without what lies before it. */
export interface Mark {
  /** Byte of a list, or number of a row. */
  readonly at: number
  /** Line of a list, from 1; 0 where there are no lines. */
  readonly line: number
  /** Number of the file among those of the source, from 0; absent for the first. */
  readonly file?: number
}
