import { expect, it } from 'vitest'
import { headFrequency } from '../../src/filter/head-frequency.js'
import type { Phrase } from '../../src/rows/rows.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { emptyStats, type ShardStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const phrases = (...heads: readonly string[]) =>
  heads.map((head): Phrase => ({ caption: 0, text: head, start: 0, end: 1, head }))

it('heads of phrases are counted by the tallies of their shards, and by their rows where those do not do', async () => {
  const storage = openStorage(await temporaryFolder())
  const put = (shard: string, heads: readonly string[], stats: Partial<ShardStats>) =>
    runShardTask(
      { storage, stage: 'chunk', shard, configHash: '', inputs: {} },
      'phrases',
      async (write) => ({
        files: {
          phrases: await write('phrases', [{ key: shard, phrases: phrases(...heads), left_out: [] }]),
        },
        ...{ unit: 'rows', in: 1, out: 1, rejected: {}, stats: { ...emptyStats, ...stats } },
      }),
    )
  // Its rows are not looked at, wherefore they may say something else here.
  await put('00000', ['cat'], { tallies: { heads: { dog: 3, kite: 1 } } })
  await put('00001', ['dog', 'dog', 'boat'], {})
  await put('00003', ['kite', 'boat'], {
    tallies: { heads: { kite: 1 } },
    tails: { heads: { total: 2, more: 1, level: 0, sample: {} } },
  })
  const counts = await headFrequency(storage, 'chunk', ['00000', '00001', '00002', '00003'])
  expect(Object.fromEntries(counts)).toEqual({ dog: 5, kite: 2, boat: 2 })
  expect(await headFrequency(storage, 'never', ['00000'])).toEqual(new Map())
})
