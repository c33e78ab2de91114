import type { ListColumns } from '../parquet/list-columns.js'
import type { BoxList } from './filter-proposals.js'
import type { Candidate } from './rule/rule.js'

/** A picture's proposals as their file has them: most are dropped, and no object is made of those. */
export class ProposalColumns implements BoxList {
  readonly length: number
  readonly #phrase: ArrayLike<number>
  readonly #label: ArrayLike<string | null> | undefined
  readonly #xyxy: ArrayLike<number>
  readonly #score: ArrayLike<number>
  readonly #contrast: ArrayLike<number | null> | undefined
  readonly #last = {
    phrase: 0,
    xyxy: [0.5, 0.5, 0.5, 0.5] as Sides,
    score: 0.5,
    label: null,
    contrast: null,
  } as Writable

  constructor({ length, members }: ListColumns) {
    this.length = length
    const { phrase = [], xyxy = [], score = [], label, contrast } = members
    this.#phrase = phrase as ArrayLike<number>
    this.#xyxy = xyxy as ArrayLike<number>
    this.#score = score as ArrayLike<number>
    // Older files have neither.
    this.#label = label as ArrayLike<string | null> | undefined
    this.#contrast = contrast as ArrayLike<number | null> | undefined
  }

  /** A box that is good until the next one is asked for. */
  peek(index: number): Candidate {
    const box = this.#last
    const side = 4 * index
    box.phrase = this.#phrase[index] as number
    box.xyxy[0] = this.#xyxy[side] as number
    box.xyxy[1] = this.#xyxy[side + 1] as number
    box.xyxy[2] = this.#xyxy[side + 2] as number
    box.xyxy[3] = this.#xyxy[side + 3] as number
    box.score = this.#score[index] as number
    box.label = this.#label?.[index] ?? null
    box.contrast = this.#contrast?.[index] ?? null
    return box
  }

  at(index: number): Candidate {
    const box = this.peek(index)
    return { ...box, xyxy: [...box.xyxy] }
  }

  all(): Candidate[] {
    return Array.from({ length: this.length }, (_, index) => this.at(index))
  }

  /** Whether all are of phrases, of which there are so many. */
  areOf(phrases: number): boolean {
    const phrase = this.#phrase
    for (let at = 0; at < this.length; at++) if (!(phrase[at]! >= 0 && phrase[at]! < phrases)) return false
    return true
  }

  hasLabels(): boolean {
    for (let at = 0; this.#label && at < this.length; at++) if (this.#label[at] !== null) return true
    return false
  }
}

type Sides = [number, number, number, number]
type Writable = { phrase: number; xyxy: Sides; score: number; label: string | null; contrast: number | null }
