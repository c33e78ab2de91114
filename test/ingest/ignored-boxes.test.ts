import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { createDataset } from '../../src/shards/dataset.js'
import { exportTo } from '../helpers/grounded-dataset.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const images = join(folder, 'images')
await mkdir(images)
await writeFile(
  join(images, 'a.jpg'),
  await sharp({ create: { width: 400, height: 200, channels: 3, background: '#c33' } })
    .jpeg()
    .toBuffer(),
)
const categories = [
  { id: 1, name: 'hot_dog', frequency: 'f' },
  { id: 2, name: 'cat', frequency: 'f' },
]
const box = (id: number, category: number, bbox: readonly number[], more: object = {}) => ({
  ...{ id, image_id: 1, category_id: category, bbox, iscrowd: 0, ...more },
})

let count = 0
async function ingest(annotations: readonly object[], image: object = {}) {
  const instances = join(folder, `${count}.json`)
  const file = { images: [{ id: 1, file_name: 'a.jpg', ...image }], annotations, categories }
  await writeFile(instances, JSON.stringify(file))
  // Pictures are halved on their way in.
  return ingestAll(join(folder, `dataset-${count++}`), { format: 'coco', images, instances })
}

describe('areas and crowds', () => {
  it('come with the boxes, in pixels of the stored picture', async () => {
    const { all, records } = await ingest([
      box(1, 1, [0, 0, 100, 50], { area: 1234.5 }),
      box(2, 1, [200, 0, 40, 40]),
      box(3, 1, [100, 100, 60, 80], { iscrowd: 1, area: 4000 }),
      box(4, 2, [300, 100, 60, 80], { iscrowd: 1 }),
      box(5, 2, [500, 100, 60, 80], { iscrowd: 1 }),
      box(6, 2, [10, 10, 20, 20], { ignore: 1, area: 0 }),
    ])
    const [{ regions, ignored, scale }] = await all('grounding')
    expect(scale).toBe(0.5)
    expect(regions.map(({ area }) => area)).toEqual([1234.5 / 4, null, 0])
    expect(ignored).toEqual([
      { text: 'hot dog', xyxy: [50, 50, 80, 90], area: 1000, crowd: true },
      { text: 'cat', xyxy: [150, 50, 180, 90], area: 1200, crowd: true },
    ])
    expect(records[0].stats.tallies.dropped).toEqual({ crowd_box: 3 })
  })

  it('are of LVIS what it marks `ignore`, of which COCO knows nothing', async () => {
    const { all } = await ingest([box(1, 1, [0, 0, 100, 50]), box(2, 2, [0, 0, 80, 60], { ignore: 1 })], {
      neg_category_ids: [],
      not_exhaustive_category_ids: [],
    })
    const [{ regions, ignored }] = await all('grounding')
    expect(regions).toHaveLength(1)
    expect(ignored).toEqual([{ text: 'cat', xyxy: [0, 0, 40, 30], area: 1200, crowd: false }])
  })

  it('come out of an export to COCO, and back', async () => {
    const made = await ingest([
      box(1, 1, [0, 0, 100, 50], { area: 1000 }),
      box(3, 1, [100, 100, 60, 80], { iscrowd: 1, area: 4000 }),
    ])
    await createDataset(made.storage, { name: 'd', card: null, shards: ['00000'] })
    const source = { name: 'd', storage: made.storage, shards: ['00000'], grounding: 's', phrases: 's' }
    const path = join(folder, 'out')
    await exportTo(source, path, { format: 'coco' })
    const again = await ingestAll(join(folder, 'again'), {
      ...{ format: 'coco', images: path, instances: join(path, 'instances.json') },
    })
    const [before] = await made.all('grounding')
    const [after] = await again.all('grounding')
    expect(after.regions.map(({ area }) => area)).toEqual([250])
    expect(after).toMatchObject({ ignored: before.ignored, scale: 1 })
  })
})
