/** So much memory is asked for at once, or as much as one copy takes. */
const blockBytes = 4 << 20

/** Memory in which copies lie one behind the other. */
interface Block {
  readonly bytes: Uint8Array
  used: number
  /** The count of all copies, this block's last included. */
  end: number
}

/** Copies of bytes that are given up in the order in which they were made, in memory that is used again. */
export class ByteCopies {
  readonly #blocks: Block[] = []
  readonly #free: Uint8Array[] = []
  #count = 0

  /** How many were made, those included that are given up. */
  get count(): number {
    return this.#count
  }

  add(bytes: Uint8Array): Uint8Array {
    let block = this.#blocks.at(-1)
    if (!block || block.used + bytes.length > block.bytes.length) {
      block = { bytes: this.#take(bytes.length), used: 0, end: 0 }
      this.#blocks.push(block)
    }
    const copy = block.bytes.subarray(block.used, block.used + bytes.length)
    copy.set(bytes)
    block.used += bytes.length
    block.end = ++this.#count
    return copy
  }

  /** Gives up the first `count` of all copies that were made. */
  dropFirst(count: number): void {
    while (this.#blocks[0] && this.#blocks[0].end <= count)
      this.#free.push((this.#blocks.shift() as Block).bytes)
  }

  #take(least: number): Uint8Array {
    const known = this.#free.pop()
    // What is too small is let go of.
    return known && known.length >= least ? known : Buffer.allocUnsafeSlow(Math.max(least, blockBytes))
  }
}
