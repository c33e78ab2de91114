import { type Interval, shareInterval } from './share-interval.js'

/** Sums over the pictures of a share such as "right of all labels". */
export interface ClusterRatio {
  /** Pictures that have any. */
  readonly clusters: number
  readonly all: number
  readonly hits: number
  readonly share: number | null
  readonly interval: Interval | null
}

/**
 * Adds up a share picture by picture. Its interval is about pictures like these: what is said of one picture
 * is not independent, so the variance is that of a ratio of two sums over pictures (Cochran 1977, 6.3).
 */
export function clusterRatio() {
  let clusters = 0
  let all = 0
  let hits = 0
  let allSquared = 0
  let hitsSquared = 0
  let product = 0
  return {
    /** Adds a picture's units, of which some are hits. */
    add(units: number, own: number): void {
      if (units === 0) return
      clusters++
      all += units
      hits += own
      allSquared += units * units
      hitsSquared += own * own
      product += units * own
    },
    result(): ClusterRatio {
      if (all === 0) return { clusters, all, hits, share: null, interval: null }
      const share = hits / all
      const squares = Math.max(0, hitsSquared - 2 * share * product + share * share * allSquared)
      const variance = clusters > 1 ? ((clusters / (clusters - 1)) * squares) / (all * all) : 0
      const isMixed = hits > 0 && hits < all
      const interval = shareInterval({
        share,
        variance,
        units: all,
        // Where all are alike, a picture may have told one thing alone.
        independent: isMixed ? all : (all * all) / allSquared,
        degrees: clusters - 1,
      })
      return { clusters, all, hits, share, interval }
    },
  }
}
