import type { DedupConfig } from './config.js'
import { createExactIndex, type ExactIndex } from './exact-index.js'
import { createNearIndex, type NearIndex, parseHash } from './near-index.js'
import type { HashList } from './read-hash-list.js'

/** What of an image row decides whether it is a duplicate. */
export interface Fingerprint {
  readonly url: string | null
  readonly sha256: string
  readonly phash: string
}

/** Why a picture is dropped, and the earlier one or the entry of an evaluation set that it is like. */
export type Verdict =
  | { readonly reason: 'duplicate_url' | 'duplicate_bytes' | 'near_duplicate'; readonly of: number }
  | { readonly reason: 'contaminated'; readonly of: string }

/** Judges pictures in the order of the source; a verdict depends only on the pictures before. */
export interface Deduper {
  /** Why a picture is dropped; undefined where it is kept. Later duplicates of a kept picture are dropped. */
  judge(print: Fingerprint, position: number): Verdict | undefined
  /** Adds a picture that an earlier run kept. */
  keep(print: Fingerprint, position: number): void
}

/**
 * A picture is compared with evaluation sets and with the pictures kept so far, in this order: evaluation
 * sets, equal addresses, equal bytes, near perceptual hashes. The earliest match is named. A picture that
 * resembles only dropped ones is kept.
 *
 * @param capacity how many pictures there are at most
 */
export function createDeduper(capacity: number, config: DedupConfig, sets: readonly HashList[]): Deduper {
  const urls = config.url ? createExactIndex(capacity) : undefined
  const bytes = config.bytes ? createExactIndex(capacity) : undefined
  const near = config.distance === null ? undefined : createNearIndex(capacity, config.distance)
  const setIndexes = sets.map((set) => ({ set, index: indexOf(set, config.against_distance) }))

  const keep = ({ url, sha256, phash }: Fingerprint, position: number) => {
    if (url !== null && urls?.find(url) === -1) urls.add(url, position)
    if (bytes?.find(sha256) === -1) bytes.add(sha256, position)
    const hash = parseHash(phash)
    if (hash) near?.add(hash, position)
  }
  const find = ({ url, sha256, phash }: Fingerprint): Verdict | undefined => {
    const hash = parseHash(phash)
    for (const { set, index } of setIndexes) {
      const entry = hash ? index.find(hash) : -1
      if (entry !== -1) return { reason: 'contaminated', of: set.nameOf(entry) }
    }
    return (
      (url === null ? undefined : found(urls, url, 'duplicate_url')) ??
      found(bytes, sha256, 'duplicate_bytes') ??
      (hash && near ? numbered(near.find(hash), 'near_duplicate') : undefined)
    )
  }
  return {
    judge(print, position) {
      const verdict = find(print)
      if (!verdict) keep(print, position)
      return verdict
    },
    keep,
  }
}

type Reason = Exclude<Verdict['reason'], 'contaminated'>

const found = (index: ExactIndex | undefined, text: string, reason: Reason) =>
  index && numbered(index.find(text), reason)

const numbered = (position: number, reason: Reason): Verdict | undefined =>
  position === -1 ? undefined : { reason, of: position }

function indexOf({ hashes }: HashList, distance: number): NearIndex {
  const index = createNearIndex(hashes.length, distance)
  for (const [entry, hash] of hashes.entries()) index.add(hash, entry)
  return index
}
