import { hash } from 'node:crypto'

/**
 * A hash table that finds equal texts: 16 bytes a text and 5 to 10 for its slots, however long the texts are.
 */
export interface ExactIndex {
  /** The number that a text was added with; -1 where it was not added. */
  find(text: string): number
  /** Adds a text that `find` does not know, with a number under 2^32. */
  add(text: string, number: number): void
  readonly size: number
}

const none = 0xffffffff

/**
 * A table of texts by the first 96 bits of their SHA-256; a text that is itself a SHA-256 in hex is not
 * hashed again. Among 24 million texts, two different ones have the same 96 bits with a probability of 4e-15.
 *
 * @param capacity how many texts will be added at most
 */
export function createExactIndex(capacity: number): ExactIndex {
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(8, capacity * 1.25)))).fill(none)
  const mask = slots.length - 1
  // Three words of hash and the number.
  const entries = new Uint32Array(4 * capacity)
  let size = 0
  const words = new Uint32Array(3)
  /** What `words` are of: a text is looked up before it is added. */
  let hashed: string | undefined

  /** The slot of a text, or the free one where it would go. */
  const slotOf = (text: string): number => {
    if (text !== hashed) {
      const digest = /^[0-9a-f]{64}$/.test(text) ? text : hash('sha256', text)
      for (let word = 0; word < 3; word++)
        words[word] = Number.parseInt(digest.slice(8 * word, 8 * word + 8), 16)
      hashed = text
    }
    for (let slot = words[0]! & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]!
      if (entry === none) return slot
      const at = 4 * entry
      if (entries[at] === words[0] && entries[at + 1] === words[1] && entries[at + 2] === words[2])
        return slot
    }
  }
  return {
    find(text) {
      const entry = slots[slotOf(text)]!
      return entry === none ? -1 : entries[4 * entry + 3]!
    },
    add(text, number) {
      if (size === capacity) throw new Error(`the index was made for ${capacity} texts`)
      const slot = slotOf(text)
      entries.set(words, 4 * size)
      entries[4 * size + 3] = number
      slots[slot] = size++
    },
    get size() {
      return size
    },
  }
}
