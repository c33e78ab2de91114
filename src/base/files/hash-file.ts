import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { FileHash } from './growing-hashes.js'

/** Length and SHA-256 of a file, which is read to its end. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<FileHash> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) {
    hash.update(chunk as Buffer)
    bytes += (chunk as Buffer).length
  }
  return { bytes, sha256: hash.digest('hex') }
}
