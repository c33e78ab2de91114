import { createHash } from 'node:crypto'

/** SHA-256 of a value as JSON with sorted keys, in hex. */
export function hashJson(value: unknown): string {
  return hashBytes(canonicalJson(value))
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
