import { join } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { openInspected } from '../../src/cli/inspect.js'
import type { Inspected, Layer } from '../../src/inspect/index/layer.js'
import { queryIndex, ViewCounter } from '../../src/inspect/index/query-index.js'
import { openReaders, type Readers } from '../../src/inspect/open-readers.js'
import type { CountsAnswer } from '../../src/inspect/view/answers.js'
import { chooseLayers } from '../../src/inspect/view/choose-layers.js'
import { readView } from '../../src/inspect/view/view.js'
import { makeInspectDataset } from '../helpers/inspect-dataset.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

let dataset: Inspected

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

beforeAll(async () => {
  const url = join(await temporaryFolder(), 'little')
  await makeInspectDataset(url, { pictures: 120, shardRows: 50, boxes: 3 })
  dataset = (await openInspected(url)).dataset
})

const viewAt = (query: string, threshold: number | null) => ({ ...readView(`?${query}`), threshold })

async function countsOf({ views }: Readers, query: string, threshold: number | null) {
  for (;;) {
    const counts = await views.counts(viewAt(query, threshold))
    if (counts?.index.isWhole) return counts
    await turn()
  }
}

describe('the counts of a view', () => {
  it('are no longer made ahead for a view that is gone, and none once the readers are closed', async () => {
    const readers = openReaders(dataset, turn)
    await countsOf(readers, '', null)
    const counting = vi.spyOn(ViewCounter.prototype, 'count')
    await readers.views.counts(viewAt('q=red', null))
    await readers.close()
    await turn()
    expect(counting.mock.calls.length).toBeLessThan(20)
    counting.mockRestore()
  })

  it.each(['', 'head=kite&regions_an_image=3', 'tab=compare', 'truth=T&verdict=wrong'])(
    'are made ahead for all places of the slider: %s',
    async (query) => {
      const readers = openReaders(dataset, turn)
      await countsOf(readers, query, null)
      const counting = vi.spyOn(ViewCounter.prototype, 'count')
      await vi.waitFor(() => expect(counting.mock.calls.length).toBeGreaterThanOrEqual(100), 20_000)
      await turn()
      counting.mockClear()
      const made = new Map<number, CountsAnswer>()
      for (const threshold of [0, 0.07, 0.29, 0.4, 0.41, 0.58, 1])
        made.set(threshold, await countsOf(readers, query, threshold))
      expect(counting).not.toHaveBeenCalled()
      // Between two places it is counted when it is asked for.
      await countsOf(readers, query, 0.415)
      expect(counting).toHaveBeenCalledOnce()
      counting.mockRestore()
      const { layer, ...others } = chooseLayers(viewAt(query, null), dataset.layers)
      for (const [threshold, counts] of made) {
        const view = viewAt(query, threshold)
        expect(counts).toMatchObject(queryIndex(dataset, readers.index, view, layer as Layer, others).counts)
      }
      expect(new Set([...made.values()].map(({ kept }) => kept.boxes)).size).toBeGreaterThan(4)
      await readers.close()
    },
  )
})
