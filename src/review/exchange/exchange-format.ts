import type { ExchangeRecord } from './exchange-record.js'
import type { NumberedPicture } from './exported-picture.js'
import type { Returned } from './returned-picture.js'

/** A picture that is written for a tool. */
export interface OutPicture extends NumberedPicture {
  /** The name of its file, KEY.jpg. */
  readonly name: string
  /** Where the tool finds it. */
  readonly address: string
}

/** What is written for a tool. */
export interface ExchangeOut {
  readonly id: string
  readonly dataset: string
  readonly grounding: string
  readonly pictures: readonly OutPicture[]
}

/** Finds what was exported under an id, or, where the file names none, what is meant. */
export type FindExchange = (id: string | undefined) => Promise<ExchangeRecord>

/** A tool's form of what is reviewed: out, and in again. */
export interface ExchangeFormat {
  /** Whether its files say who has reviewed. */
  readonly saysWho: boolean
  /** What else the tool needs to be told, in a file of its own beside the export. */
  readonly beside?: {
    /** How its name ends, in the place of the export's ending. */
    readonly ending: string
    readonly text: (out: ExchangeOut) => string
  }
  /** The file, piece by piece. */
  write(out: ExchangeOut): Iterable<string>
  /**
   * The pictures of a file that came back, one in memory at a time where its form allows it.
   *
   * @throws UserError where it is of another form, or of an export that is not known
   */
  read(path: string, find: FindExchange): AsyncGenerator<Returned>
}

/** No picture has more boxes; what is over it is told of. */
export const mostBoxes = 5000
