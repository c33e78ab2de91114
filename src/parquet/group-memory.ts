/**
 * Memory that row groups are read into one after another. V8 looks through its whole heap for every 64 MB that are asked
 * for anew, and drops the machine code of functions that nobody holds by then: it is compiled again.
 */
export class GroupMemory {
  readonly #parts: ArrayBuffer[] = []
  #taken = 0

  /** Begins another group: what was taken for the one before is given up. */
  begin(): void {
    this.#taken = 0
  }

  /** At least so many bytes, with whatever they hold. */
  take(size: number): ArrayBuffer {
    const place = this.#taken++
    const known = this.#parts[place]
    if (known && known.byteLength >= size) return known
    // Groups are about as large as each other: a little more serves the next ones too.
    const made = Buffer.allocUnsafeSlow(Math.ceil(size * 1.1)).buffer as ArrayBuffer
    this.#parts[place] = made
    return made
  }
}
