/** A stream of random numbers that a seed decides. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** A whole number in [0, below). */
  integer(below: number): number
  /** Uniform in [low, high). */
  between(low: number, high: number): number
  /** Standard normal (Box and Muller). */
  normal(): number
  pick<T>(items: readonly T[]): T
  /** A shuffled copy (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[]
}

/**
 * sfc32 (Chris Doty-Humphrey's small fast counting generator), seeded from any number of words and strings,
 * so that each thing that is drawn (a scene, an epoch, a sample) has a stream of its own and order never
 * matters.
 */
export function random(...seed: readonly (number | string)[]): Random {
  let [a, b, c] = hash(seed.join('/'))
  let counter = 1
  const word = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return sum >>> 0
  }
  for (let round = 0; round < 12; round++) word()
  const next = () => word() / 2 ** 32
  const integer = (below: number) => Math.floor(next() * below)
  return {
    next,
    integer,
    between: (low, high) => low + (high - low) * next(),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    pick: (items) => items[integer(items.length)]!,
    shuffle: (items) => {
      const copy = [...items]
      for (let last = copy.length - 1; last > 0; last--) {
        const other = integer(last + 1)
        const swapped = copy[last] as (typeof copy)[number]
        copy[last] = copy[other] as (typeof copy)[number]
        copy[other] = swapped
      }
      return copy
    },
  }
}

/** Three 32-bit words of a text (FNV-1a with three starts). */
function hash(text: string): [number, number, number] {
  const words: [number, number, number] = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b]
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    for (let at = 0; at < 3; at++) words[at] = Math.imul(words[at]! ^ code, 0x01000193)
  }
  return words
}
