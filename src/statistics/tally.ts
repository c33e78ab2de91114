/**
 * How often each word came, in bounded space. Up to a limit every word is kept and all is exact. Beyond it a
 * tally is cut: the most frequent words stay, with one bound for what any word may have more, and for the
 * tail a sample of the words whose hashes end in so many zeros. Since the same words are sampled in every
 * shard, their counts add up exactly, and the tail's length can be told from them (Gibbons, "Distinct
 * Sampling", VLDB 2001).
 */
export interface Tally {
  /**
   * Each count is exact where there is no tail; else the word came at least that often, and at most
   * `tail.more` oftener.
   */
  readonly words: Readonly<Record<string, number>>
  readonly tail?: TallyTail
}

/** What a cut tally knows of the words that it has not. */
export interface TallyTail {
  /** How often all words came together. */
  readonly total: number
  /** Bound for what a word may have come oftener than `words` says, whether it is there or not. */
  readonly more: number
  /** Sampled are words whose hash ends in so many zero bits: one in 2^level. */
  readonly level: number
  /** The sampled words' exact counts. */
  readonly sample: Readonly<Record<string, number>>
}

/** Words of a tally in a commit record: those of a shard are seldom more, and a record stays small. */
export const recordWords = 2048

/** Words of a sum in memory. */
export const sumWords = 65_536

/**
 * Sampled words at least, once the tail is long: its length is then told with a standard error of 4.4 % or
 * less.
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
    isEstimated: tail !== undefined,
  }
}

/** Adds tallies up in bounded memory. */
export interface TallySum {
  add(part: Tally): void
  /** Exact where all parts and the sum are whole. */
  result(): Tally
}

/** @param limit most words of the sum: where there are more it is cut */
export function tallySum(limit = sumWords): TallySum {
  const words: Counts = new Map()
  const sample: Counts = new Map()
  let [total, more, level, isCut] = [0, 0, 0, false]

  const thinTo = (next: number) => {
    level = next
    for (const word of sample.keys()) if (zeros(word) < level) sample.delete(word)
  }
  const addToSample = (own: Iterable<readonly [string, number]>) => {
    for (const [word, count] of own) {
      if (zeros(word) < level) continue
      increase(sample, word, count)
      while (sample.size > 2 * sampleWords) thinTo(level + 1)
    }
  }
  // Until now every word was there, so that no sample was needed.
  const beginSample = () => {
    if (!isCut) addToSample(words)
    isCut = true
  }
  const cut = () => {
    beginSample()
    const least = leastToKeep(words.values(), limit)
    for (const [word, count] of words) if (count < least) words.delete(word)
    more += least - 1
  }
  return {
    add({ words: own, tail }) {
      const entries = Object.entries(own)
      if (tail) {
        beginSample()
        total += tail.total
        more += tail.more
        if (tail.level > level) thinTo(tail.level)
        addToSample(Object.entries(tail.sample))
      } else {
        for (const [, count] of entries) total += count
        if (isCut) addToSample(entries)
      }
      for (const [word, count] of entries) increase(words, word, count)
      if (words.size > 2 * limit) cut()
    },
    result() {
      if (words.size > limit) cut()
      if (!isCut) return { words: sorted(words) }
      return { words: sorted(words), tail: { total, more, level, sample: sorted(sample) } }
    },
  }
}

/** The least count from which on there are no more than so many words. */
function leastToKeep(counts: Iterable<number>, limit: number): number {
  const words = new Map<number, number>()
  for (const count of counts) words.set(count, (words.get(count) ?? 0) + 1)
  let kept = 0
  let least = Number.POSITIVE_INFINITY
  for (const [count, own] of [...words].sort((a, b) => b[0] - a[0])) {
    kept += own
    if (kept > limit) return Number.isFinite(least) ? least : count + 1
    least = count
  }
  return least
}

/** The most frequent words with their counts, equal ones by the alphabet. */
export function topWords({ words }: Tally, count: number): [string, number][] {
  return Object.entries(words).sort(byCount).slice(0, count)
}

/**
 * Zero bits at the end of a word's hash: of FNV-1a over its UTF-16 units, its bits mixed as MurmurHash3 does
 * at the end.
 */
function zeros(word: string): number {
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
