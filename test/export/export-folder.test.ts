import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ExportFolder } from '../../src/export/export-folder.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

it('hashes a large file as it grows, and one that was gone on with from where it was cut', async () => {
  const target = join(await temporaryFolder(), 'out')
  const [first, lost, second] = [17 << 20, 1 << 20, 100].map((size) => randomBytes(size))
  const begun = await ExportFolder.open<object>(target, 'hash')
  const part = await begun.part('large.bin')
  await part.write(first!)
  await begun.checkpoint(1, {})
  await part.write(lost!)
  await begun.flush()
  const hashOf = (...parts: Buffer[]) => {
    const bytes = Buffer.concat(parts)
    return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
  }
  expect(await begun.hashOf('large.bin')).toEqual(hashOf(first!, lost!))
  await begun.close()
  const resumed = await ExportFolder.open<object>(target, 'hash')
  const rest = await resumed.part('large.bin')
  await rest.write(second!)
  await resumed.flush()
  expect(await resumed.hashOf('large.bin')).toEqual(hashOf(first!, second!))
  await resumed.close()
})
