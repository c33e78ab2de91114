import { shownName } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { readLines } from '../formats/read-lines.js'
import { readFingerprint } from '../rows/fingerprint.js'
import { readShard } from '../shards/read-shard.js'
import type { Storage } from '../storage/storage.js'
import { type Hash64, parseHash } from './near-index.js'

/** Perceptual hashes of a set whose pictures must not be in the data. */
export interface HashList {
  readonly hashes: readonly Hash64[]
  /** Of each of them; undefined where the set has none. */
  readonly fingerprints: readonly (Uint32Array | undefined)[]
  /** Names an entry in the detail of a reject: the set, and the picture's key or line. */
  nameOf(entry: number): string
}

/** The hashes of a dataset's pictures. */
export async function datasetHashes(
  name: string,
  storage: Storage,
  shards: readonly string[],
): Promise<HashList> {
  const hashes: Hash64[] = []
  const fingerprints: (Uint32Array | undefined)[] = []
  const keys: string[] = []
  for (const shard of shards) {
    const columns = ['key', 'phash', 'fingerprint'] as const
    for await (const { key, phash, fingerprint } of readShard(storage, 'images', null, shard, { columns })) {
      const hash = parseHash(phash)
      if (!hash)
        throw new UserError(`${storage.url}: picture ${key} has no perceptual hash of 16 hex digits.`)
      hashes.push(hash)
      fingerprints.push(readFingerprint(fingerprint))
      keys.push(key)
    }
  }
  return { hashes, fingerprints, nameOf: (entry) => `${name} ${keys[entry]}` }
}

/**
 * The hashes of a text file: 16 hex digits a line, and behind them whatever names the picture. Blank lines
 * and lines that begin with # are passed over. They must be difference hashes as `ingest` makes them.
 *
 * @throws UserError where a line is not such a hash, or the file has none
 */
export async function readHashList(path: string): Promise<HashList> {
  const hashes: Hash64[] = []
  const names: string[] = []
  for await (const given of readLines(path)) {
    const { line } = given.mark
    if (given.text === null) throw new UserError(`${path}:${line}: ${given.problem}.`)
    const { text } = given
    if (text.trim() === '' || text.startsWith('#')) continue
    const [digits = '', ...rest] = text.trim().split(/\s+/)
    const hash = parseHash(digits)
    if (!hash)
      throw new UserError(`${path}:${line}: 16 hex digits were expected, not "${shownName(digits, 40)}".`)
    hashes.push(hash)
    names.push(rest.join(' ') || `line ${line}`)
  }
  if (hashes.length === 0) throw new UserError(`${path} holds no hashes.`)
  return { hashes, fingerprints: hashes.map(() => undefined), nameOf: (entry) => `${path} ${names[entry]}` }
}
