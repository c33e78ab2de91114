import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { ExportFormat } from '../../src/export/config.js'
import { createDataset } from '../../src/shards/dataset.js'
import { exportTo } from '../helpers/grounded-dataset.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const images = join(folder, 'images')
await mkdir(images)
for (const [index, name] of ['1.jpg', '2.jpg', '3.jpg'].entries())
  await writeFile(
    join(images, name),
    await sharp({
      create: { width: 200, height: 100, channels: 3, background: { r: 80 * index, g: 0, b: 9 } },
    })
      .jpeg()
      .toBuffer(),
  )

const categories = ['dog', 'cat', 'ox', 'red fox'].map((name, id) => ({ id: id + 1, name }))
const annotations = [
  { image_id: 1, category_id: 1, bbox: [0, 0, 50, 50] },
  { image_id: 1, category_id: 1, bbox: [60, 0, 30, 20] },
  { image_id: 1, category_id: 2, bbox: [0, 50, 50, 25] },
  { image_id: 2, category_id: 4, bbox: [10, 20, 30, 40] },
]

/** Ingests a COCO file, and gives what of it is said, as the rows of a dataset that is exported. */
async function dataset(name: string, more: (id: number) => object) {
  const instances = join(folder, `${name}.json`)
  const listed = [1, 2].map((id) => ({ id, file_name: `${id}.jpg`, ...more(id) }))
  await writeFile(instances, JSON.stringify({ images: listed, categories, annotations }))
  const made = await ingestAll(join(folder, name), { format: 'coco', images, instances })
  const shards = made.plan.shards.map(({ shard }) => shard)
  await createDataset(made.storage, { name: 's', card: null, shards })
  const source = { name: 's', storage: made.storage, shards, grounding: 's', phrases: 's' }
  return { made, source }
}
type Made = Awaited<ReturnType<typeof ingestAll>>

/** What is said of each picture, and the boxes of each name. */
async function said({ all, images: rows }: Made) {
  const grounding = await all('grounding')
  const phrases = await all('phrases')
  return (await all('negatives')).map(({ negatives, exhaustive, partial }, at) => ({
    negatives: negatives.map(({ text, evidence }) => `${text} ${evidence}`).sort(),
    exhaustive,
    partial: [...partial].sort(),
    boxes: (grounding[at]?.regions ?? [])
      .map(
        ({ phrase, xyxy }) =>
          `${phrases[at]?.phrases[phrase]?.text} ${xyxy.map((value) => Math.round(value * 1e3) / 1e3)}`,
      )
      .sort(),
    picture: rows[at]?.sha256,
  }))
}

const federated = (id: number) =>
  id === 1
    ? { neg_category_ids: [3], not_exhaustive_category_ids: [1], negatives: ['a blue dog'] }
    : { neg_category_ids: [1, 2], not_exhaustive_category_ids: [] }
const exhaustive = (id: number) => (id === 1 ? { negatives: ['two cats'] } : {})

let count = 0
async function there(name: string, more: (id: number) => object, format: ExportFormat) {
  const { made, source } = await dataset(`${name}-${count++}`, more)
  const out = join(folder, `out-${count++}`)
  const { report } = await exportTo(source, out, { format })
  const [stage] = Object.values(report.ingest)
  const back = await ingestAll(join(folder, `back-${count++}`), stage as object)
  return { before: await said(made), after: await said(back), out, report }
}

describe('negatives', () => {
  it.each([
    ['coco', federated],
    ['coco', exhaustive],
    ['odvg', federated],
    ['odvg', exhaustive],
  ] as const)('go out as %s and come back the same', async (format, more) => {
    const { before, after } = await there(format, more, format)
    expect(after).toEqual(before)
    expect(before[0]?.negatives.length).toBeGreaterThan(0)
  })

  it("stand in LVIS' keys where a set is not exhaustive, and only there", async () => {
    const read = async (out: string) => JSON.parse(await readFile(join(out, 'instances.json'), 'utf8'))
    const lvis = await read((await there('keys', federated, 'coco')).out)
    const idOf = (name: string) => lvis.categories.find((one: { name: string }) => one.name === name)?.id
    expect(lvis.images).toMatchObject([
      // Nothing in the set is an ox: it is no category of the export.
      { neg_category_ids: [], not_exhaustive_category_ids: [idOf('dog')], negatives: ['ox', 'a blue dog'] },
      { neg_category_ids: [idOf('dog'), idOf('cat')], not_exhaustive_category_ids: [] },
    ])
    const whole = await read((await there('keys', exhaustive, 'coco')).out)
    expect(whole.images).toMatchObject([{ exhaustive: true, negatives: ['two cats'] }, { exhaustive: true }])
    expect(whole.images[0]).not.toHaveProperty('neg_category_ids')
  })

  it("are pairs without a box in SA-Co's form", async () => {
    const { before, after, out } = await there('pairs', exhaustive, 'saco')
    const names = ({ negatives, boxes, picture }: (typeof before)[number]) => ({ negatives, boxes, picture })
    expect(after.map(names)).toEqual(before.map(names))
    expect(after.map(({ exhaustive: is, partial }) => [is, partial])).toEqual([
      [false, []],
      [false, []],
    ])
    const { images: pairs, annotations: boxes } = JSON.parse(await readFile(join(out, 'pairs.json'), 'utf8'))
    const words = pairs.map(({ text_input, is_instance_exhaustive }: Record<string, unknown>) => [
      text_input,
      is_instance_exhaustive,
    ])
    expect(words).toEqual([
      ['dog', 1],
      ['cat', 1],
      ['two cats', 1],
      ['red fox', 1],
    ])
    expect(boxes[0]).toMatchObject({ image_id: 1, category_id: 1, bbox: [0, 0, 0.25, 0.5], iscrowd: 0 })
    expect(boxes.map(({ image_id }: { image_id: number }) => image_id)).toEqual([1, 1, 2, 4])
  })

  it('of SA-Co itself are read, also of a picture that has nothing else', async () => {
    const pair = (id: number, file: string, text_input: string, more: object = {}) => ({
      ...{ id, file_name: file, text_input, width: 200, height: 100, queried_category: '0' },
      ...{ is_instance_exhaustive: 1, is_pixel_exhaustive: 1, ...more },
    })
    const box = (image_id: number, more: object = {}) => ({
      ...{
        id: 9,
        image_id,
        bbox: [0.25, 0, 0.5, 1],
        area: 0.5,
        category_id: 1,
        iscrowd: 0,
        source: 'manual',
      },
      ...{ segmentation: { counts: 'x', size: [100, 200] }, ...more },
    })
    const path = join(folder, 'gold.json')
    const value = {
      images: [
        pair(10, '1.jpg', 'chili'),
        pair(11, '2.jpg', 'the fish ball'),
        pair(12, '1.jpg', 'a bowl'),
        pair(13, '1.jpg', 'beans', { is_instance_exhaustive: 0 }),
        pair(14, '1.jpg', 'a crowd'),
        pair(15, '3.jpg', ' '),
      ],
      annotations: [box(10), box(13), box(14, { iscrowd: 1 })],
      categories: [{ id: 1, name: 'object' }],
    }
    await writeFile(path, JSON.stringify(value))
    const made = await ingestAll(join(folder, 'saco'), { format: 'saco', path, images })
    expect(await said(made)).toMatchObject([
      {
        negatives: ['a bowl verified'],
        partial: ['a crowd', 'beans'],
        boxes: ['beans 50,0,150,100', 'chili 50,0,150,100'],
      },
      { negatives: ['the fish ball verified'], partial: [], boxes: [] },
    ])
    expect(made.images.map(({ captions }) => captions)).toEqual([
      [{ text: 'chili. beans', kind: 'categories' }],
      [],
    ])
    expect(made.rejects.map(({ reason }) => reason)).toEqual(['malformed_row'])
    expect(made.records[0]?.stats.tallies.dropped).toEqual({ crowd_box: 1 })
  })

  it('that a format cannot hold are counted', async () => {
    const { source } = await dataset('lost', federated)
    const { report } = await exportTo(source, join(folder, 'lost-out'), { format: 'csv' })
    expect(report.lost.negatives).toBe(4)
  })
})
