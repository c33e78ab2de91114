/**
 * Run as a program of its own by shard-task.test.ts: begins a shard in the given folder, says so, and waits
 * to be killed.
 */
import type { PhraseRow } from '../../src/rows/rows.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { openStorage } from '../../src/storage/open-storage.js'

const storage = openStorage(process.argv[2])
const task = { storage, stage: 'chunk', shard: '00000', configHash: 'c1', inputs: { images: 'i1' } }

async function* rows(): AsyncGenerator<PhraseRow> {
  for (let index = 0; index < 1200; index++) yield { key: `${index}`, phrases: [] }
  process.stdout.write('half\n')
  await new Promise((resolve) => setTimeout(resolve, 3_600_000))
}

await runShardTask(task, 'phrases', async (write) => {
  const phrases = await write('phrases', rows())
  const stats = { counts: {}, histograms: {}, tallies: {} }
  return { files: { phrases }, unit: 'captions', in: 0, out: 0, rejected: {}, stats }
})
