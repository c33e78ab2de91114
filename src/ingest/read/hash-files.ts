import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { unreadable } from '../../base/files/read-file.js'
import { UserError } from '../../base/user-error.js'
import { readAt } from '../../formats/read-tar.js'
import type { SourceFile } from './source-file.js'

/** Larger files are known by their size and by samples: a set of tars holds all its pictures. */
const maxWholeBytes = 1 << 30
const samples = 64
const sampleBytes = 1 << 20

/**
 * SHA-256 over the bytes of files, in hex. Of a file over 1 GiB, over its size and 64 parts of a MiB, evenly
 * spread; of one that is not on this machine, over what its bytes are known by where it lies.
 *
 * @returns a hash for each file, over it and those before it; the last is that of all. Files that are added at the
 *   end leave those before as they are.
 */
export async function hashFiles(files: readonly SourceFile[]): Promise<string[]> {
  const hash = createHash('sha256')
  const hashes: string[] = []
  for (const { identity, place } of files) {
    if (identity !== undefined) hash.update(`${identity}\n`)
    else await addFile(hash, place)
    hashes.push(hash.copy().digest('hex'))
  }
  return hashes
}

async function addFile(hash: Hash, path: string) {
  const found = await stat(path).catch(unreadable(path))
  if (!found.isFile()) throw new UserError(`${path} is not a file.`)
  const { size } = found
  if (size <= maxWholeBytes) {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
    return
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
