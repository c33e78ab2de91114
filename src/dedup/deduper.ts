import { readFingerprint } from '../rows/fingerprint.js'
import type { DedupConfig } from './config.js'
import { type CopyIndex, createCopyIndex } from './copy-index.js'
import { createExactIndex, type ExactIndex } from './exact-index.js'
import { createNearIndex, type Hash64, type NearIndex, parseHash } from './near-index.js'
import type { HashList } from './read-hash-list.js'
import { bearsOut } from './same-picture.js'

/** What of an image row decides whether it is a duplicate. */
export interface Judged {
  readonly url: string | null
  readonly sha256: string
  readonly phash: string
  readonly fingerprint?: string | null
}

/** What a picture looks like, so far as is known. */
interface Look {
  readonly hash: Hash64 | undefined
  readonly print: Uint32Array | undefined
}

/** Why a picture is dropped, and the earlier one or the entry of an evaluation set that it is like. */
export type Verdict =
  | { readonly reason: 'duplicate_url' | 'duplicate_bytes' | 'near_duplicate'; readonly of: number }
  | { readonly reason: 'contaminated'; readonly of: string }

/** Judges pictures in the order of the source; a verdict depends only on the pictures before. */
export interface Deduper {
  /** Why a picture is dropped; undefined where it is kept. Later duplicates of a kept picture are dropped. */
  judge(judged: Judged, position: number): Verdict | undefined
  /** How many were judged that have no fingerprint, and may be edited copies. */
  readonly withoutFingerprint: number
  /** Adds a picture that an earlier run kept. */
  keep(judged: Judged, position: number): void
}

/**
 * A picture is compared with evaluation sets and with the pictures kept so far, in this order: evaluation
 * sets, equal addresses, equal bytes, near perceptual hashes, fingerprints of edited copies. The earliest match
 * is named. A picture that resembles only dropped ones is kept; one without a fingerprint is compared by the others.
 * Where both have fingerprints, those must bear out what near hashes say (`bearsOut`); not so of a picture of an
 * evaluation set.
 *
 * @param capacity how many pictures there are at most
 */
export function createDeduper(capacity: number, config: DedupConfig, sets: readonly HashList[]): Deduper {
  const { edited = true, mirrored = true } = config
  const urls = config.url ? createExactIndex(capacity) : undefined
  const bytes = config.bytes ? createExactIndex(capacity) : undefined
  const near = config.distance === null ? undefined : createNearIndex(capacity, config.distance)
  const copies = near && edited ? createCopyIndex(capacity, mirrored) : undefined
  const setIndexes = sets.map((set) => ({
    set,
    near: nearIndexOf(set, config.against_distance),
    copies: edited ? copyIndexOf(set, mirrored) : undefined,
  }))
  const lookOf = ({ phash, fingerprint }: Judged): Look => ({
    hash: parseHash(phash),
    print: edited ? readFingerprint(fingerprint) : undefined,
  })

  let withoutFingerprint = 0
  const bornOutBy = (print: Uint32Array | undefined) => (position: number) => {
    const its = print && copies?.get(position)
    return !its || bearsOut(print, its)
  }
  const keep = ({ url, sha256 }: Judged, { hash, print }: Look, position: number) => {
    if (url !== null && urls?.find(url) === -1) urls.add(url, position)
    if (bytes?.find(sha256) === -1) bytes.add(sha256, position)
    if (hash) near?.add(hash, position)
    if (print) copies?.add(print, position)
  }
  const find = ({ url, sha256 }: Judged, { hash, print }: Look): Verdict | undefined => {
    for (const { set, near, copies } of setIndexes) {
      const entries = [hash ? near.find(hash) : -1, print && copies ? copies.find(print) : -1]
      const entry = entries.find((one) => one !== -1)
      if (entry !== undefined) return { reason: 'contaminated', of: set.nameOf(entry) }
    }
    return (
      (url === null ? undefined : found(urls, url, 'duplicate_url')) ??
      found(bytes, sha256, 'duplicate_bytes') ??
      (hash && near ? numbered(near.find(hash, bornOutBy(print)), 'near_duplicate') : undefined) ??
      (print && copies ? numbered(copies.find(print), 'near_duplicate') : undefined)
    )
  }
  return {
    judge(judged, position) {
      const look = lookOf(judged)
      if (edited && !look.print) withoutFingerprint++
      const verdict = find(judged, look)
      if (!verdict) keep(judged, look, position)
      return verdict
    },
    get withoutFingerprint() {
      return withoutFingerprint
    },
    keep: (judged, position) => keep(judged, lookOf(judged), position),
  }
}

type Reason = Exclude<Verdict['reason'], 'contaminated'>

const found = (index: ExactIndex | undefined, text: string, reason: Reason) =>
  index && numbered(index.find(text), reason)

const numbered = (position: number, reason: Reason): Verdict | undefined =>
  position === -1 ? undefined : { reason, of: position }

function nearIndexOf({ hashes }: HashList, distance: number): NearIndex {
  const index = createNearIndex(hashes.length, distance)
  for (const [entry, hash] of hashes.entries()) index.add(hash, entry)
  return index
}

function copyIndexOf({ fingerprints }: HashList, mirrored: boolean): CopyIndex {
  const index = createCopyIndex(fingerprints.length, mirrored)
  for (const [entry, print] of fingerprints.entries()) if (print) index.add(print, entry)
  return index
}
