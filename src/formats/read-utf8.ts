import { readBytes } from './read-bytes.js'

/**
 * The bytes of a text file as UTF-8, from a place in them on: `.gz` and `.zst` are decompressed, and UTF-16
 * is read as well, as PowerShell and Excel write it. Other encodings have no mark that they could be known by.
 *
 * @param start byte of what comes out
 * @throws UserError as `readBytes` does
 */
export async function* readUtf8(path: string, start = 0): AsyncGenerator<Buffer> {
  const encoding = await utf16Of(path)
  if (encoding === undefined) {
    yield* readBytes(path, start)
    return
  }
  const decoder = new TextDecoder(encoding)
  let left = start
  const rest = (text: string) => {
    const bytes = Buffer.from(text)
    const kept = bytes.subarray(left)
    left = Math.max(0, left - bytes.length)
    return kept
  }
  for await (const chunk of readBytes(path)) {
    const bytes = rest(decoder.decode(chunk, { stream: true }))
    if (bytes.length > 0) yield bytes
  }
  const last = rest(decoder.decode())
  if (last.length > 0) yield last
}

/** UTF-16 begins with a mark that tells the order of bytes; without it, every second byte is zero. */
async function utf16Of(path: string): Promise<'utf-16le' | 'utf-16be' | undefined> {
  for await (const chunk of readBytes(path)) {
    const [a, b, c, d] = chunk
    if (a === 0xff && b === 0xfe) return 'utf-16le'
    if (a === 0xfe && b === 0xff) return 'utf-16be'
    if (a && b === 0 && c && d === 0) return 'utf-16le'
    if (a === 0 && b && c === 0 && d) return 'utf-16be'
    return undefined
  }
  return undefined
}
