/**
 * The text of a file: UTF-8, or UTF-16 with a mark that tells the order of bytes, without the mark.
 *
 * @returns undefined where it is in another encoding
 */
export function decodeText(bytes: Uint8Array): string | undefined {
  const [a, b] = bytes
  const encoding = a === 0xff && b === 0xfe ? 'utf-16le' : a === 0xfe && b === 0xff ? 'utf-16be' : 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
