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
