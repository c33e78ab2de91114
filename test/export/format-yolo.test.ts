import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { yolo } from '../../src/export/format-yolo.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

it('labels that cannot be written fail their shard, though pictures are still being read', async () => {
  const folder = await temporaryFolder()
  const memory = { sums: { written: { regions: 0 }, leftOut: { regions: {} } } }
  const classes = { names: [], boxes: () => [] }
  const loosePath = async (name: string) => join(folder, 'not there', name)
  const part = async () => ({ write: async () => {} })
  const { shard } = await yolo.open({ folder: { loosePath, part }, classes, memory, config: {} } as never)
  const rows = async function* () {
    for (let index = 0; index < 3; index++) {
      yield { row: { width: 1, height: 1 }, file: `images/${index}.jpg` }
      await delay(30)
    }
  }
  // A promise that fails while nobody awaits it ends a program with a stack: that fails this test too.
  await expect(shard({ shard: '00000', index: 0 }, rows() as never)).rejects.toThrow('ENOENT')
})
