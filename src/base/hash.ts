import { createHash } from 'node:crypto'

/** SHA-256 of a value as JSON with sorted keys, in hex. */
export function hashJson(value: unknown): string {
  return hashBytes(canonicalJson(value))
}

/** `hashJson` of a list whose values come one after another, so that it need not be held. */
export interface ListHash {
  add(value: unknown): void
  /** Of the list as far as it has come; more may follow. */
  digest(): string
}

export function listHash(): ListHash {
  const hash = createHash('sha256').update('[')
  let isFirst = true
  return {
    add(value) {
      // In a list JSON writes what it cannot hold as null.
      hash.update(`${isFirst ? '' : ','}${canonicalJson(value) ?? 'null'}`)
      isFirst = false
    },
    digest: () => hash.copy().update(']').digest('hex'),
  }
}

/** SHA-256 of bytes, in hex. */
export function hashBytes(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A hash of bytes or of a text as a whole number from 1 to 2^53: for tables of many names, and no secret. */
export function hash53(given: Uint8Array | string): number {
  const bytes = typeof given === 'string' ? Buffer.from(given) : given
  let [low, high] = [0x811c9dc5, 0x9747b28c]
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    low = Math.imul(low ^ byte, 0x01000193)
    high = Math.imul(high ^ byte, 0x85ebca6b) ^ (high >>> 13)
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0) || 1
}

/** JSON whose object keys are sorted, so that equal values give equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
