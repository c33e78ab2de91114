import { hash53 } from '../../base/hash.js'

/** Names that are known apart at most: 64 MiB of hashes. */
export const mostNames = 1 << 22

/** Of a longer name, in characters or bytes, its two ends and its length are looked at: some hold a picture in base64. */
const longestName = 4096

/** Counts names that came before. */
export interface RepeatedNames {
  add(name: Uint8Array | string): void
  /** How many names were there already when they were added. */
  readonly count: number
  /** Whether there were more names than are known apart: those behind them are not looked at. */
  readonly isFull: boolean
}

/**
 * Counts names that come again, by 53 bits of their hashes: among four million names one is taken for another with a
 * probability of 1 in 1000. The table grows with the names, up to `mostNames` of them.
 */
export function repeatedNames(): RepeatedNames {
  // A hash is never 0, which marks a free place.
  let table = new Float64Array(1 << 10)
  let size = 0
  let count = 0
  const placeOf = (hash: number, places: Float64Array) => {
    const mask = places.length - 1
    let place = hash % places.length
    while (places[place] !== 0 && places[place] !== hash) place = (place + 1) & mask
    return place
  }
  const grow = () => {
    const larger = new Float64Array(2 * table.length)
    for (const hash of table) if (hash !== 0) larger[placeOf(hash, larger)] = hash
    table = larger
  }
  return {
    add(name) {
      const hash = hash53(name.length > longestName ? endsOf(name) : name)
      const place = placeOf(hash, table)
      if (table[place] === hash) count++
      else if (size < mostNames) {
        table[place] = hash
        if (2 * ++size > table.length) grow()
      }
    },
    get count() {
      return count
    },
    get isFull() {
      return size === mostNames
    },
  }
}

const endsOf = (name: Uint8Array | string) => {
  const half = longestName / 2
  const ends = [name.slice(0, half), name.slice(-half)].map((end) =>
    Buffer.from(end as string).toString('latin1'),
  )
  return `${ends.join('')} ${name.length}`
}
