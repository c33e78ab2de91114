import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readBytes } from '../../src/formats/read-bytes.js'
import { readJsonElements } from '../../src/formats/read-json-elements.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

describe('a packed file', () => {
  it('that unpacks to far more than it is is not read further', async () => {
    const path = join(folder, 'zeros.gz')
    await writeFile(path, gzipSync(Buffer.alloc(8_000_000)))
    const read = async (free: number) => {
      let length = 0
      for await (const bytes of readBytes(path, 0, free)) length += bytes.length
      return length
    }
    await expect(read(1_000_000)).rejects.toThrow(
      /zeros\.gz unpacks to more than 200 times its size, and is not read further/,
    )
    expect(await read(1e9)).toBe(8_000_000)
  })
})

describe('a file of JSON', () => {
  it('that is nested without an end is refused', async () => {
    const path = join(folder, 'deep.json')
    await writeFile(path, `[${'['.repeat(1_000_000)}`)
    const read = async () => {
      for await (const _ of readJsonElements(path)) _.value
    }
    await expect(read()).rejects.toThrow('deep.json is not JSON: it is nested deeper than 2000')
  })
})
