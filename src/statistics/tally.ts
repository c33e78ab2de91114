/**
 * How often each word came, in bounded space. Up to a limit every word is kept and all is exact. Beyond it a
 * tally is cut: the most frequent words stay, with one bound for what any word may have more, and for the
 * tail a sample of the words whose hashes end in so many zeros. Since the same words are sampled in every
 * shard, their counts add up exactly, and the tail's length can be told from them (Gibbons, "Distinct
 * Sampling", VLDB 2001).
 */
export interface Tally {
  /**
   * Exact counts where there is no tail; otherwise lower bounds, which may be too low by up to `tail.more`.
   */
  readonly words: Readonly<Record<string, number>>
  readonly tail?: TallyTail
}

/** What a cut tally keeps of the words that it left out. */
export interface TallyTail {
  /** Sum of the counts of all words. */
  readonly total: number
  /**
   * By how much a count of `words` may be too low at most; also a bound for the count of a word not in it.
   */
  readonly more: number
  /** Words are sampled whose hash ends in so many zero bits: one in 2^level. */
  readonly level: number
  /** The sampled words' exact counts. */
  readonly sample: Readonly<Record<string, number>>
}

/** How many words a tally in a commit record may have: few shards have more, and records stay small. */
export const recordWords = 2048

/**
 * How many words it may have where most words come once or twice, such as whole phrases: what is wanted is how many
 * differ.
 */
export const recordTexts = 256

/** How many words a sum in memory may have. */
export const sumWords = 65_536

/**
 * The smallest sample of a long tail: it estimates the tail's length with a standard error of 4.4 % or less.
 */
const sampleWords = 512

/** What is known of a tally as a whole. */
export interface TallySummary {
  readonly total: number
  /** Different words. */
  readonly different: number
  /** Words that came once. */
  readonly once: number
  /** Whether `different` and `once` are told from a sample. */
  readonly isEstimated: boolean
}

export function summarise({ words, tail }: Tally): TallySummary {
  const counts = Object.values(tail ? tail.sample : words)
  const scale = tail ? 2 ** tail.level : 1
  return {
    total: tail ? tail.total : sum(counts),
    different: scale * counts.length,
    once: scale * counts.filter((count) => count === 1).length,
    // At level 0 the sample has every word.
    isEstimated: tail !== undefined && tail.level > 0,
  }
}

/** Adds tallies up in bounded memory. */
export interface TallySum {
  add(part: Tally): void
  /** Exact where all parts and the sum are whole. */
  result(): Tally
}

/**
 * @param limit how many words the sum may have: where there are more it is cut
 * @param leastSample the fewest words of which the sample of a long tail then is
 */
export function tallySum(limit = sumWords, leastSample = sampleWords): TallySum {
  const words: Counts = new Map()
  const sample: Counts = new Map()
  let total = 0
  let more = 0
  let level = 0
  let isCut = false

  const thinTo = (next: number) => {
    level = next
    for (const word of sample.keys()) {
      if (trailingZeros(word) < level) sample.delete(word)
    }
  }
  const addToSample = (entries: Iterable<readonly [string, number]>) => {
    for (const [word, count] of entries) {
      if (trailingZeros(word) < level) continue
      increase(sample, word, count)
      while (sample.size > 2 * leastSample) thinTo(level + 1)
    }
  }
  // Until now all words were kept and a sample was not needed, so it begins with all of them.
  const beginSample = () => {
    if (!isCut) addToSample(words)
    isCut = true
  }
  const cut = () => {
    beginSample()
    const minCount = minCountWithin(words.values(), limit)
    for (const [word, count] of words) {
      if (count < minCount) words.delete(word)
    }
    more += minCount - 1
  }
  return {
    add({ words: partWords, tail }) {
      if (tail) {
        beginSample()
        total += tail.total
        more += tail.more
        if (tail.level > level) thinTo(tail.level)
        addToSample(Object.entries(tail.sample))
      } else {
        for (const word in partWords) total += partWords[word] as number
        if (isCut) addToSample(Object.entries(partWords))
      }
      for (const word in partWords) increase(words, word, partWords[word] as number)
      if (words.size > 2 * limit) cut()
    },
    result() {
      if (words.size > limit) cut()
      if (!isCut) return { words: sorted(words) }
      return { words: sorted(words), tail: { total, more, level, sample: sorted(sample) } }
    },
  }
}

/** The lowest count such that at most `limit` words have it or a higher one. */
function minCountWithin(counts: Iterable<number>, limit: number): number {
  const wordsByCount = new Map<number, number>()
  for (const count of counts) wordsByCount.set(count, (wordsByCount.get(count) ?? 0) + 1)
  let kept = 0
  let minCount = Number.POSITIVE_INFINITY
  for (const [count, words] of [...wordsByCount].sort((a, b) => b[0] - a[0])) {
    kept += words
    if (kept > limit) return Number.isFinite(minCount) ? minCount : count + 1
    minCount = count
  }
  return minCount
}

/** The most frequent words with their counts, equal ones by the alphabet. */
export function topWords({ words }: Tally, count: number): [string, number][] {
  return Object.entries(words).sort(byCount).slice(0, count)
}

/** Zero bits at the end of a word's hash: FNV-1a over its UTF-16 units, then MurmurHash3's finalizer. */
function trailingZeros(word: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  hash ^= hash >>> 16
  return hash === 0 ? 32 : 31 - Math.clz32(hash & -hash)
}

const byCount = (a: readonly [string, number], b: readonly [string, number]) =>
  b[1] - a[1] || (a[0] < b[0] ? -1 : 1)

const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0)

/** Maps, since a word may be "__proto__". */
type Counts = Map<string, number>

const increase = (counts: Counts, word: string, by: number) => {
  counts.set(word, (counts.get(word) ?? 0) + by)
}

const sorted = (words: ReadonlyMap<string, number>) =>
  Object.fromEntries([...words].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
