import { execFileSync } from 'node:child_process'
import { mkdir, open, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openWeightFile } from '../../src/weights/open-weight-file.js'
import { readPickle } from '../../src/weights/pickle.js'
import { openSafetensors } from '../../src/weights/safetensors.js'
import { torchPickle } from '../../src/weights/torch-pickle.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

describe('a file of weights', () => {
  it('with a header of 99 MB is refused before it is read', async () => {
    const path = join(folder, 'header.safetensors')
    const file = await open(path, 'w')
    const head = Buffer.alloc(8)
    head.writeBigUInt64LE(99_000_000n)
    await file.write(head)
    await file.truncate(8 + 99_000_000)
    await file.close()
    const before = process.memoryUsage().rss
    await expect(openSafetensors(path)).rejects.toThrow(
      'announces a header of 99000000 bytes, and no more than 16777216 are read',
    )
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6)
  })

  it('is a regular file', async () => {
    const pipe = join(folder, 'pipe')
    await mkdir(pipe)
    execFileSync('mkfifo', [join(pipe, 'model.safetensors')])
    await expect(openWeightFile(pipe)).rejects.toThrow('model.safetensors is not a regular file')
    const endless = join(folder, 'endless')
    await mkdir(endless)
    await symlink('/dev/zero', join(endless, 'model.safetensors.index.json'))
    await expect(openWeightFile(endless)).rejects.toThrow('index.json is not a regular file')
  })

  it.each(['../model.safetensors', '/etc/passwd', 'a/b.safetensors', '..'])(
    'has no shard %s outside of its folder',
    async (shard) => {
      const path = join(folder, 'model.safetensors.index.json')
      await writeFile(path, JSON.stringify({ weight_map: { a: shard } }))
      await expect(openWeightFile(path)).rejects.toThrow(
        /does not name files beside it|is not a regular file/,
      )
    },
  )
})

describe('a pickle', () => {
  it('of a list a byte has an end', () => {
    // PROTO 2, EMPTY_LIST again and again.
    const bytes = Buffer.alloc(2000, ']')
    bytes.set([0x80, 2])
    const kind = { ...torchPickle('state.pth', new Map()), mostOpcodes: 1000 }
    expect(() => readPickle(bytes, 0, kind)).toThrow('it has more than 1000 opcodes')
  })
})
