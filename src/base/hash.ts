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

/** JSON whose object keys are sorted, so that equal values give equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
