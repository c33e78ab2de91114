import { join } from 'node:path'
import { expect, it } from 'vitest'
import { hasFamily } from '../../src/shards/has-family.js'
import { joinRows } from '../../src/shards/join-rows.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { statsBuilder } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const storage = openStorage(join(await temporaryFolder(), 'ds'))
const shard = '00000'

/** Makes a shard of phrases, and where it is said one of negatives beside it. */
async function make(stage: string, hasNegatives: boolean) {
  const task = { storage, stage, shard, configHash: 'c', inputs: {} }
  await runShardTask(task, 'phrases', async (write) => {
    const phrases = await write('phrases', [{ key: 'a', phrases: [] }])
    const said = { key: 'a', negatives: [], exhaustive: true, partial: ['cat'], teacher: null }
    const negatives = await write('negatives', [said])
    const files = hasNegatives ? { phrases, negatives } : { phrases }
    return { files, unit: 'rows', in: 1, out: 1, rejected: {}, stats: statsBuilder().build() }
  })
}

it('a dataset without a family is read without it', async () => {
  await make('new', true)
  await make('old', false)
  const read = async (stage: string) => {
    const isSaid = await hasFamily(storage, 'negatives', stage, shard)
    const parts = { phrases: { stage }, negatives: isSaid ? { stage } : undefined }
    const rows = []
    for await (const { negatives } of joinRows(storage, shard, parts)) rows.push(negatives)
    return rows
  }
  expect(await read('new')).toEqual([
    { key: 'a', negatives: [], exhaustive: true, partial: ['cat'], teacher: null },
  ])
  // There is a file, but no record says that it is whole.
  expect(await read('old')).toEqual([undefined])
})
