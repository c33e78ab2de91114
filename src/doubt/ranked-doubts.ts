import { SortedLines } from '../base/files/sorted-lines.js'
import { writeFileAtomic } from '../base/files/write-file-atomic.js'
import type { Doubt } from './picture-doubts.js'

/**
 * Doubts, the likeliest first, equal ones as they came. The first are held; all of them go into a file, where one is
 * wanted, which is sorted on the disk beside it.
 */
export class RankedDoubts {
  /** By kind. */
  readonly counts: Record<Doubt['kind'], number> = { missing: 0, misplaced: 0, swapped: 0, extra: 0 }
  readonly #lines: SortedLines | undefined
  #best: Doubt[] = []

  /**
   * @param most so many are held
   * @param path of the file
   */
  constructor(
    private readonly most: number,
    private readonly path?: string,
  ) {
    this.#lines = path === undefined ? undefined : new SortedLines(path)
  }

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0)
  }

  /** The first of all. */
  get top(): readonly Doubt[] {
    this.#cut()
    return this.#best
  }

  async add(doubt: Doubt): Promise<void> {
    this.counts[doubt.kind]++
    this.#best.push(doubt)
    if (this.#best.length > 2 * this.most + 1000) this.#cut()
    await this.#lines?.add(doubt.likelihood, JSON.stringify(doubt))
  }

  /** Writes the file, a doubt a line. */
  async write(): Promise<void> {
    if (this.path !== undefined && this.#lines) await writeFileAtomic(this.path, this.#lines.read())
  }

  #cut(): void {
    this.#best = this.#best.sort((a, b) => b.likelihood - a.likelihood).slice(0, this.most)
  }

  /** Removes what was written aside. */
  async close(): Promise<void> {
    await this.#lines?.close()
  }
}
