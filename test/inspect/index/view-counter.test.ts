import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { random } from '../../../src/base/random.js'
import { boxMatcher, isEqualPair } from '../../../src/boxes/match-boxes.js'
import { openInspected } from '../../../src/cli/inspect.js'
import { DatasetIndex } from '../../../src/inspect/index/dataset-index.js'
import type { LayerPart } from '../../../src/inspect/index/index-part.js'
import type { Inspected, Layer } from '../../../src/inspect/index/layer.js'
import { type Others, queryIndex, ViewCounter } from '../../../src/inspect/index/query-index.js'
import { isKept, thresholdOf } from '../../../src/inspect/view/threshold.js'
import { readView } from '../../../src/inspect/view/view.js'
import { makeInspectDataset } from '../../helpers/inspect-dataset.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

let url: string
let dataset: Inspected
let first: Layer
let second: Layer

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

beforeAll(async () => {
  url = join(await temporaryFolder(), 'little')
  await makeInspectDataset(url, { pictures: 240, shardRows: 100, boxes: 3 })
  dataset = (await openInspected(url)).dataset
  ;[first, second] = dataset.layers as [Layer, Layer]
})

/** An index of both layers, the second one held against the first. @param keptFrom as `DatasetIndex` has it */
async function indexed(keptFrom = Number.POSITIVE_INFINITY): Promise<DatasetIndex> {
  const index = new DatasetIndex(dataset, turn, 1e9, keptFrom)
  index.want(first)
  index.want(second, first)
  while (index.progress(second, first).isBusy || index.progress(first).isBusy) await turn()
  return index
}

describe('counts that follow the threshold', () => {
  const views = [
    ...['', 'head=kite&regions_an_image=3', 'boxes=without', 'q=red', 'score=3.4.5&host=photos.example'],
    ...[
      'sort=best',
      'sort=worst&aspect=2.3',
      'sort=disagreement',
      'tab=compare',
      'tab=compare&same=1&head=dog',
    ],
    ...['truth=T', 'truth=T&verdict=wrong.missed', 'truth=T&sort=disagreement&head=cat'],
  ]
  for (const query of views)
    it(`are those that are counted anew: ${query || 'without choices'}`, async () => {
      const index = await indexed()
      const draw = random(1, query)
      const viewAt = (t: number | null) => ({ ...readView(`?${query}`), threshold: t })
      const view = viewAt(null)
      const others: Others = {
        ...(view.tab === 'compare' && { against: first }),
        ...(view.truth !== null && { truth: first }),
      }
      const counter = new ViewCounter(dataset, index, view, second, others)
      let t: number | null = null
      const seen = new Set<number>()
      for (let step = 0; step < 25; step++) {
        const now = viewAt(t)
        for (const _ of counter.count(now));
        const [moved, anew] = [counter.result(), queryIndex(dataset, index, now, second, others)]
        expect(moved.counts).toEqual(anew.counts)
        expect([...moved.matches]).toEqual([...anew.matches])
        seen.add(moved.counts.kept.boxes)
        const by = draw.next() < 0.2 ? draw.next() - 0.5 : 0.1 * (draw.next() - 0.5)
        const next = Math.min(1, Math.max(0, (t ?? 0.4) + by))
        // Mostly to a place of the slider, from which it goes on, and now and then in between.
        t = draw.next() < 0.1 ? null : draw.next() < 0.1 ? next : Math.round(100 * next) / 100
      }
      expect(seen.size).toBeGreaterThan(5)
      await index.close()
    })

  it('go on with what has been indexed since', async () => {
    const index = new DatasetIndex(dataset, turn)
    index.want(second)
    const at = (t: number) => ({ ...readView('?head=kite&q=red&sort=best'), threshold: t })
    const counter = new ViewCounter(dataset, index, at(0.5), second)
    const seen = new Set<number>()
    for (let t = 0.3; ; t += 0.002) {
      const { isBusy } = index.progress(second)
      for (const _ of counter.count(at(t)));
      const [grown, anew] = [counter.result(), queryIndex(dataset, index, at(t), second)]
      expect(grown.counts).toEqual(anew.counts)
      expect([...grown.matches]).toEqual([...anew.matches])
      seen.add(grown.counts.kept.proposals)
      if (!isBusy) break
      await turn()
    }
    expect(seen.size).toBeGreaterThan(2)
    await index.close()
  })

  it('are anew where they were broken off in between', async () => {
    const index = await indexed()
    const at = (t: number) => ({ ...readView(''), threshold: t })
    const counter = new ViewCounter(dataset, index, at(0.5), second)
    for (const _ of counter.count(at(0.5)));
    for (const _ of counter.count(at(0.52))) break
    // A step would begin at counts that are half done.
    for (const _ of counter.count(at(0.51)));
    expect(counter.result().counts).toEqual(queryIndex(dataset, index, at(0.51), second).counts)
    await index.close()
  })

  it('pair boxes as a comparison of groundings does', async () => {
    const index = await indexed()
    const match = boxMatcher()
    const boxes = (part: LayerPart, row: number, t: number) => {
      const places: number[] = []
      for (let box = part.boxStart[row]!; box < part.boxStart[row + 1]!; box++)
        if (isKept(part.boxFrom?.[box] ?? -1, part.boxTo[box]!, t)) places.push(box)
      return { xyxy: part.boxXyxy, phrase: part.boxSpan, places, count: places.length }
    }
    for (const t of [0.1, 0.35, 0.6]) {
      const view = { ...readView('?tab=compare'), threshold: t }
      const sums = { kept: 0, moved: 0, lost: 0, added: 0 }
      const parts = [...index.shards(first)].map(({ layer }) => layer)
      for (const [at, { layer }] of [...index.shards(second)].entries())
        for (let row = 0; row < layer.rows; row++) {
          const before = boxes(parts[at]!, row, thresholdOf(view, first))
          const after = boxes(layer, row, thresholdOf(view, second))
          const { length, overlap } = match(before, after)
          const equal = Array.from({ length }, (_, pair) => overlap[pair]!).filter(isEqualPair).length
          sums.kept += equal
          sums.moved += length - equal
          sums.lost += before.count - length
          sums.added += after.count - length
        }
      const { counts } = queryIndex(dataset, index, view, second, { against: first })
      expect(counts.changes).toMatchObject(sums)
      expect(sums.kept * sums.moved * sums.lost * sums.added).toBeGreaterThan(0)
    }
    await index.close()
  })
})

describe('an index that is kept beside the dataset', () => {
  const told = async () => {
    const index = await indexed(0)
    const { counts, matches } = queryIndex(dataset, index, readView('?sort=best&q=kite'), second)
    const errors = index.progress(second).errors
    await index.close()
    return { counts, matches: [...matches], errors }
  }
  const parts = async () =>
    (await readdir(join(url, 'cache'), { recursive: true })).filter((name) => /\d{5}$/.test(name)).sort()

  it('says the same, and is made anew where it is damaged or its records are others', async () => {
    const made = await told()
    expect(made.matches.length).toBeGreaterThan(10)
    const names = await parts()
    expect(names).toHaveLength(9)
    const whole = await Promise.all(names.map((name) => readFile(join(url, 'cache', name))))
    // What it says is believed.
    expect(await told()).toEqual(made)
    for (const name of names) {
      const bytes = await readFile(join(url, 'cache', name))
      bytes[bytes.length - 20]! ^= 1
      await writeFile(join(url, 'cache', name), bytes)
    }
    expect(await told()).toEqual(made)
    const again = await Promise.all(names.map((name) => readFile(join(url, 'cache', name))))
    // Words are numbered as they came.
    expect(again.map(({ length }) => length)).toEqual(whole.map(({ length }) => length))
    // The rules are others: the layer is, too.
    const layers = dataset.layers.map((layer) => ({ ...layer, madeBy: 'other rules' }))
    const other = new DatasetIndex({ ...dataset, layers }, turn, 1e9, 0)
    other.want(layers[1]!)
    while (other.progress(layers[1]!).isBusy) await turn()
    await other.close()
    const last = await Promise.all(names.map((name) => readFile(join(url, 'cache', name))))
    const changed = names.filter((_, at) => !last[at]!.equals(again[at]!))
    expect(changed.map((name) => name.split('/')[2])).toEqual(Array(3).fill('round-2-filter'))
  })

  it('is not kept of a small dataset, nor of rules that are not known', async () => {
    const before = await parts()
    const layers = dataset.layers.map((layer) => ({ ...layer, name: 'unknown', madeBy: null }))
    const index = new DatasetIndex({ ...dataset, layers }, turn, 1e9, 0)
    index.want(layers[1]!)
    while (index.progress(layers[1]!).isBusy) await turn()
    await index.close()
    const small = new DatasetIndex({ ...dataset, layers: [{ ...second, name: 'small' }] }, turn)
    small.want({ ...second, name: 'small' })
    while (small.progress({ ...second, name: 'small' }).isBusy) await turn()
    await small.close()
    expect(await parts()).toEqual(before)
  })
})
