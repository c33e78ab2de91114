import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createDataset } from '../../src/shards/dataset.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { openSamples } from '../../src/train/samples/read-samples.js'
import type { SampleSource } from '../../src/train/samples/sample.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()

async function source(name: string, shardSize: number): Promise<SampleSource> {
  const gold = join(folder, 'world/gold')
  const { plan } = await ingestAll(join(folder, name), {
    format: 'coco',
    images: join(gold, 'images'),
    instances: join(gold, 'annotations.json'),
    shard_size: shardSize,
  })
  const shards = plan.shards.map(({ shard }) => shard)
  return { name: 'gold', storage: openStorage(join(folder, name)), shards, grounding: 's', phrases: 's' }
}

beforeAll(async () => {
  await mkdir(folder, { recursive: true })
  await makeSmallWorld(join(folder, 'world'))
})

describe('samples of a source', () => {
  it('come once each in an epoch, over more shards than a window holds, and in a new order in the next', async () => {
    const stream = await openSamples(await source('many', 3), 7)
    expect(stream.size).toBe(30)
    const epoch = async (first: number) => {
      const keys: string[] = []
      for (let at = 0; at < stream.size; at++) keys.push((await stream.at(first + at)).key)
      return keys
    }
    const [one, two] = [await epoch(0), await epoch(stream.size)]
    expect(new Set(one).size).toBe(30)
    expect(two.toSorted()).toEqual(one.toSorted())
    expect(two).not.toEqual(one)
    // The same place gives the same sample again, after others were read.
    expect((await stream.at(4)).key).toBe(one[4])
  })

  it('have a hash that changes with any of them', async () => {
    const from = await source('once', 30)
    const { hash } = await openSamples(from, 1)
    expect((await openSamples(from, 2)).hash).toBe(hash)
    const annotations = join(folder, 'world/gold/annotations.json')
    const json = JSON.parse(await readFile(annotations, 'utf8'))
    json.annotations[0].bbox[2] -= 1
    await writeFile(annotations, JSON.stringify(json))
    expect((await openSamples(await source('again', 30), 1)).hash).not.toBe(hash)
  })

  it('say how many boxes came from whom, which names they have, and the licence of a card', async () => {
    const from = await source('told', 4)
    const before = await openSamples(from, 1)
    const samples = await Promise.all(Array.from({ length: before.size }, (_, at) => before.at(at)))
    const named = samples.flatMap(({ captions }) => captions.flatMap(({ grounded }) => grounded))
    const boxes = named.reduce((sum, phrase) => sum + phrase.boxes.length, 0)
    expect(boxes).toBeGreaterThan(30)
    expect([...before.origins]).toEqual([['gold', boxes]])
    const annotations = JSON.parse(await readFile(join(folder, 'world/gold/annotations.json'), 'utf8'))
    const used = new Set(annotations.annotations.map((one: { category_id: number }) => one.category_id))
    const names = annotations.categories.filter(({ id }: { id: number }) => used.has(id))
    expect(before.categories).toEqual(expect.arrayContaining(names.map(({ name }: { name: string }) => name)))
    expect(before.license).toBeUndefined()
    const info = { name: 'told', card: { license: 'CC-BY-4.0' }, shards: [...from.shards] }
    await createDataset(from.storage, info)
    expect((await openSamples(from, 1)).license).toBe('CC-BY-4.0')
  })
})
