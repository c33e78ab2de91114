import { describe, expect, it } from 'vitest'
import { webdataset } from '../../src/export/format-webdataset.js'

describe('a tar of samples', () => {
  it('has what a row knows besides with all digits', async () => {
    const chunks: Uint8Array[] = []
    const part = async () => ({ write: async (bytes: Uint8Array) => void chunks.push(bytes) })
    const memory = { sums: { written: { captions: 0, regions: 0 } } }
    const { shard } = await webdataset.open({ folder: { part, end: async () => {} }, memory } as never)
    const row = {
      ...{ key: '0', bytes: Uint8Array.of(0xff, 0xd8, 0xff), captions: [], regions: [], width: 1, height: 1 },
      ...{ url: null, sha256: '', license: null, meta: '{"id":9007199254740993}' },
    }
    const rows = async function* () {
      yield { row, name: '0' }
    }
    await shard({ shard: '00000' } as never, rows() as never)
    expect(Buffer.concat(chunks).toString('latin1')).toContain('"meta":{"id":9007199254740993}')
  })
})
