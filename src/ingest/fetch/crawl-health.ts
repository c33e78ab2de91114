import { isTransientReason } from './transient.js'

/** Looks at what becomes of the last fetches of a crawl. */
export interface CrawlHealth {
  /** @param reason why there is no picture; undefined where there is one */
  add(reason: string | undefined): void
  /** Why nothing more is to be asked for; undefined while all is well. */
  readonly trouble: string | undefined
  /** Forgets all that was seen. */
  reset(): void
}

/** Fetches that are looked at: half of the list's, but no fewer than this and no more than that. */
const fewest = 200
const most = 2000
/** Reasons that are named. */
const maxReasons = 3

/**
 * A crawl is in trouble where of its last fetches more than a share fails for reasons that may pass: then it
 * is the network, the name servers or the one host of a list, and not the list. It is found out before most of
 * the list has been tried. One dead host among others is not enough, unless it has a thousand rows in a row.
 *
 * @param rows of the list
 * @param share more than that of the last fetches have failed; 1 for never
 */
export function watchHealth(rows: number, share: number): CrawlHealth {
  const size = Math.min(most, Math.max(fewest, Math.ceil(rows / 2)))
  let last: (string | undefined)[] = []
  let next = 0
  let failed = 0
  const countsOf = () => {
    const counts = new Map<string, number>()
    for (const reason of last) if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    return [...counts].sort((a, b) => b[1] - a[1]).slice(0, maxReasons)
  }
  return {
    add(reason) {
      const kept = reason !== undefined && isTransientReason(reason) ? reason : undefined
      if (last.length === size && last[next] !== undefined) failed--
      last[next] = kept
      if (kept !== undefined) failed++
      next = (next + 1) % size
    },
    get trouble() {
      if (failed <= share * size) return undefined
      const named = countsOf().map(([reason, count]) => `${reason} ${count}`)
      return `${failed} of the last ${last.length} fetches failed (${named.join(', ')})`
    },
    reset() {
      last = []
      next = 0
      failed = 0
    },
  }
}
