import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { UserError } from '../../base/user-error.js'
import { readAt } from '../../formats/read-tar.js'

/** Larger files are known by their size and by samples: a set of tars holds all its pictures. */
const maxWholeBytes = 1 << 30
const samples = 64
const sampleBytes = 1 << 20

/**
 * SHA-256 over the bytes of files, in hex. Of a file over 1 GiB, over its size and 64 parts of a MiB, evenly
 * spread.
 */
export async function hashFiles(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const path of paths) {
    const found = await stat(path)
    if (!found.isFile()) throw new UserError(`${path} is not a file.`)
    const { size } = found
    if (size <= maxWholeBytes) {
      for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
      continue
    }
    hash.update(String(size))
    const handle = await open(path, 'r')
    try {
      for (let sample = 0; sample < samples; sample++) {
        const at = Math.floor((sample * (size - sampleBytes)) / (samples - 1))
        hash.update(await readAt(handle, at, sampleBytes))
      }
    } finally {
      await handle.close()
    }
  }
  return hash.digest('hex')
}
