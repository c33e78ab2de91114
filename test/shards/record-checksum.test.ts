import { beforeEach, describe, expect, it } from 'vitest'
import { checkDataset } from '../../src/catalog/check-dataset.js'
import type { Finding } from '../../src/catalog/finding.js'
import { recordPath } from '../../src/rows/family-path.js'
import { parseStored, readCommit, readStored } from '../../src/shards/commit.js'
import { commitShard } from '../../src/shards/commit-shard.js'
import { committedFile } from '../../src/shards/committed-file.js'
import { createDataset } from '../../src/shards/dataset.js'
import { ShardFiles } from '../../src/shards/shard-files.js'
import { recordOf } from '../../src/shards/shard-task.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const shard = '00000'
const selection = recordPath('selection', 'dedup', shard)
let storage: Storage
beforeEach(async () => {
  storage = openStorage(await temporaryFolder())
  await createDataset(storage, { name: 'd', card: null, shards: [shard] })
  await putShard(storage, 'selection', 'dedup', shard, [{ key: 'a', reason: null, duplicate_of: null }])
})

const bytesOf = async (name: string) => Buffer.from((await storage.read(name)) as Uint8Array)

describe('a record of a shard', () => {
  it('is refused with any bit of it flipped, its statistics among them', async () => {
    const bytes = await bytesOf(selection)
    expect(bytes.toString()).toMatch(/,\n "checksum": "[0-9a-f]{64}"\n\}\n$/)
    expect(await readStored(storage, selection)).not.toHaveProperty('checksum')
    // Of its own key alone nothing hangs: then it is a record of before there were checksums.
    const own = bytes.indexOf('\n "checksum"')
    for (let at = 0; at < bytes.length; at++) {
      if (at >= own && at < own + '\n "checksum": "'.length) continue
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] as number) ^ 1
      expect(() => parseStored(flipped, 'r.json'), `byte ${at}`).toThrow(/^r\.json (is|has)/)
    }
    const text = bytes.toString().replace(/"in": \d+,\n "out": \d+/, '"in": 7,\n "out": 7')
    expect(() => parseStored(Buffer.from(text), 'r.json')).toThrow(
      /damaged: its checksum .*check --deep --mend/,
    )
  })

  it('of an older version, which wrote no checksum, is read as before', async () => {
    const text = (await bytesOf(selection)).toString().replace(/,\n "checksum": "[^"]*"/, '')
    expect(parseStored(Buffer.from(text), 'r.json')).toEqual(await readStored(storage, selection))
  })

  it('that is damaged is mended with its pictures kept, and is of other inputs then', async () => {
    const picture = { key: 'a', image: { bytes: Buffer.from('x'), path: null }, width: 1, height: 1 }
    const notes = { url: null, sha256: '', phash: '', license: null, meta: null }
    const task = { storage, stage: 's', shard, configHash: 'c', inputs: {} }
    const files = new ShardFiles(task)
    const images = await files.write('images', [{ ...picture, captions: [], ...notes }])
    const reject = { key: null, url: null, reason: 'http_404', detail: '' }
    const both = { images, rejects: await files.write('rejects', [reject]) }
    const sums = { unit: 'pairs', in: 2, out: 1, rejected: { http_404: 1 }, stats: emptyStats }
    await commitShard(task, recordOf({ files: both, ...sums }, task, 'images', 0), files, () => true)
    await files.discard()
    const name = recordPath('images', null, shard)
    const text = (await bytesOf(name)).toString()
    const { path } = await committedFile(storage, 'images', null, shard)
    await storage.write(name, text.replace('"seconds": ', '"seconds": 1'))
    await expect(readCommit(storage, 'images', null, shard)).rejects.toThrow(/is damaged/)
    const findings: Finding[] = []
    await checkDataset(storage, { deep: true, mend: true, onFinding: (one) => findings.push(one) })
    expect(findings.map(({ mended: what }) => what)).toEqual([expect.stringMatching(/pictures are kept/)])
    const record = await readCommit(storage, 'images', null, shard)
    // So it is made anew.
    expect(record?.inputs).toHaveProperty('damaged')
    expect(Object.keys(record?.files ?? {})).toEqual(['images', 'rejects'])
    expect(await storage.exists(path)).toBe(true)
  })
})
