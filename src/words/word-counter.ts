/** Counts words in bounded memory: all of them up to a limit, and then the frequent ones. */
export interface WordCounter {
  add(word: string, by?: number): void
  /** Exact while `more` is 0, else lower bounds. */
  readonly counts: ReadonlyMap<string, number>
  /** By how much a count may be too low at most; also a bound for a word that is not there. */
  readonly more: number
}

/** About 200 MB of words. A map of Node holds 2^24. */
const mostWords = 2 ** 21

/**
 * Where there are more than `limit` words the rarest are forgotten, so that at most half as many stay, and a
 * word that comes again begins anew (after Misra, Gries, "Finding repeated elements", 1982).
 */
export function wordCounter(limit = mostWords): WordCounter {
  const counts = new Map<string, number>()
  let more = 0
  const forget = () => {
    const least = leastWithin(counts.values(), limit / 2)
    for (const [word, count] of counts) if (count < least) counts.delete(word)
    more += least - 1
  }
  return {
    counts,
    get more() {
      return more
    },
    add(word, by = 1) {
      counts.set(word, (counts.get(word) ?? 0) + by)
      if (counts.size > limit) forget()
    },
  }
}

/** The lowest count such that at most `limit` words have it or a higher one. */
function leastWithin(counts: Iterable<number>, limit: number): number {
  const wordsByCount = new Map<number, number>()
  for (const count of counts) wordsByCount.set(count, (wordsByCount.get(count) ?? 0) + 1)
  let kept = 0
  let least = Number.POSITIVE_INFINITY
  for (const [count, words] of [...wordsByCount].sort((a, b) => b[0] - a[0])) {
    kept += words
    if (kept > limit) return Number.isFinite(least) ? least : count + 1
    least = count
  }
  return least
}
