import type { Xyxy } from '../boxes/xyxy.js'
import type { Picture } from '../pictures/picture.js'

/** A picture with one text and the phrases of it that are to be found. */
export interface Query {
  readonly picture: Picture
  readonly text: string
  /** Spans in the text, code points, half open. */
  readonly phrases: readonly (readonly [start: number, end: number])[]
}

/** A box that was found for one phrase of a query. */
export interface PhraseDetection {
  /** Index into the query's phrases. */
  readonly phrase: number
  /** Pixels of the query's picture. A box of an official network may end less than a pixel behind its edge. */
  readonly xyxy: Xyxy
  readonly score: number
  /**
   * What a model with a fixed list of labels calls the box. Such a model proposes every box for every phrase;
   * which labels a phrase can mean is decided by the caller.
   */
  readonly label?: string
}

export interface DetectOptions {
  /** Weaker boxes are not returned. */
  readonly floor: number
  /** Boxes of one phrase that overlap more are one. */
  readonly nms: number
  /** Boxes of one phrase at most. */
  readonly max_boxes: number
  /**
   * Boxes of a picture at most, over all its phrases, for a network that has such a limit; its own where not
   * given. GLIP gives 100, and 300 for LVIS.
   */
  readonly boxes?: number
  /**
   * Texts in which each phrase is asked for, `{}` being the phrase; what is said of them is put together. Only of a
   * teacher that takes them.
   */
  readonly templates?: readonly string[]
}

/** A model that finds the phrases of a text in a picture. Holds native memory until it is closed. */
export interface Teacher {
  readonly name: string
  /** Changes whenever its answers could. */
  readonly hash: string
  /** Longer side to which pictures are best decoded. */
  readonly pictureSide: number
  /** Queries that are best asked together. */
  readonly batch: number
  /** Calls of `detect` that run at once; one more is worth starting, so that it is prepared meanwhile. */
  readonly parallel: number
  /**
   * Category names that the model was prompt-tuned for: it is asked for all of them, in this order, or not at
   * all.
   */
  readonly prompt?: readonly string[]
  /** All names that a model with a fixed list of labels can give a box; absent where it has none. */
  readonly labels?: readonly string[]
  /** Whether it reads each phrase as a text of its own, as CLIP does, and so can be asked in templates. */
  readonly takesTemplates?: boolean
  /** Tokens that a text takes, and how many there is room for. */
  tokensOf(text: string): number
  readonly maxTokens: number
  /** One list for each query, best first. Nothing is found for phrases beyond `maxTokens`. */
  detect(queries: readonly Query[], options: DetectOptions): Promise<PhraseDetection[][]>
  close(): Promise<void>
}
