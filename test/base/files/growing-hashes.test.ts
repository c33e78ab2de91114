import { createHash, randomBytes } from 'node:crypto'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GrowingHashes } from '../../../src/base/files/growing-hashes.js'
import { hashFile } from '../../../src/base/files/hash-file.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

describe('the hash of a file that grows', () => {
  let hashes: GrowingHashes
  beforeEach(() => {
    hashes = new GrowingHashes()
  })
  afterEach(() => hashes.close())

  const hashOf = (bytes: Uint8Array) => ({
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  })

  it('is that of the whole file, whatever was told of it before', async () => {
    const folder = await temporaryFolder()
    // More than is read at once, and no whole number of that.
    const bytes = randomBytes(2_500_001)
    const [told, untold] = [join(folder, 'told'), join(folder, 'untold')]
    await writeFile(untold, bytes)
    await writeFile(told, bytes.subarray(0, 1_300_000))
    hashes.grown(told, 1_200_000)
    hashes.grown(told, 1_300_000)
    await appendFile(told, bytes.subarray(1_300_000))
    hashes.grown(told, 1_300_001)
    const all = await Promise.all([hashes.of(told), hashes.of(untold), hashFile(told)])
    expect(all).toEqual([hashOf(bytes), hashOf(bytes), hashOf(bytes)])
    // Asked for again it is that of the file as it is now.
    await writeFile(told, 'other')
    expect(await hashes.of(told)).toEqual(hashOf(Buffer.from('other')))
  })

  it('fails for a file that is not there, and then for that one alone', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'file')
    hashes.grown(path, 1)
    await expect(hashes.of(path)).rejects.toThrow('ENOENT')
    await writeFile(path, 'text')
    expect(await hashes.of(path)).toEqual(hashOf(Buffer.from('text')))
  })

  it('is given up when it is no longer wanted, or when all is closed', async () => {
    const path = join(await temporaryFolder(), 'file')
    await writeFile(path, 'text')
    const stop = new AbortController()
    const stopped = hashes.of(path, stop.signal)
    stop.abort(new Error('stopped'))
    await expect(stopped).rejects.toThrow('stopped')
    const others = new GrowingHashes()
    const closed = others.of(path)
    await Promise.all([others.close(), expect(closed).rejects.toThrow('has ended')])
    await expect(others.of(path)).rejects.toThrow('has ended')
  })
})
