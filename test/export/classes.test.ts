import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { exportTo, groundedDataset, type PictureSpec, type RegionSpec } from '../helpers/grounded-dataset.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0
const fresh = () => join(folder, String(count++))

const box = { caption: 0, start: 0, end: 9, xyxy: [1, 2, 30, 40], score: 0.75, origin: 'asked' } as const
const other = { ...box, start: 13, end: 20, xyxy: [5, 6, 33, 44] } as const
const picture = (...regions: readonly RegionSpec[]): PictureSpec => ({
  captions: [{ text: 'a big man by a train', kind: 'gold' }],
  regions,
})
const gold = { ...box, score: 1, origin: 'gold', end: 3 }
const category: PictureSpec = { captions: [{ text: 'dog. cat', kind: 'categories' }], regions: [gold] }

async function exported(pictures: readonly PictureSpec[], config: object = {}) {
  const out = fresh()
  const source = await groundedDataset(fresh(), [pictures])
  const { report } = await exportTo(source, out, { format: 'coco', ...config })
  const { categories, annotations } = JSON.parse(await readFile(join(out, 'instances.json'), 'utf8'))
  return {
    of: report.classes_of,
    names: categories.map(({ name }: { name: string }) => name),
    boxes: annotations.map(({ category_id }: { category_id: number }) => category_id),
  }
}

const labelled = [
  picture({ ...box, label: 'person' }, { ...other, label: 'train' }),
  picture({ ...box, label: 'person' }),
]

describe('what boxes are called where nobody says', () => {
  it('are the labels of the detector that found them', async () => {
    const labels = { of: 'labels', names: ['person', 'train'], boxes: [1, 2, 1] }
    expect(await exported(labelled)).toEqual(labels)
    expect(await exported(labelled, { classes: 'labels' })).toEqual(labels)
  })

  it('are the categories of gold, where there are any', async () => {
    expect(await exported([...labelled, category])).toEqual({ of: 'categories', names: ['dog'], boxes: [1] })
  })

  it('are head nouns else, as where somebody says so', async () => {
    const heads = { of: 'heads', names: ['thing'], boxes: [1, 1] }
    expect(await exported([picture(box, other)])).toEqual(heads)
    expect((await exported(labelled, { classes: 'heads' })).of).toBe('heads')
  })

  it('are the same in YOLO', async () => {
    const out = fresh()
    const source = await groundedDataset(fresh(), [labelled])
    const { report } = await exportTo(source, out, { format: 'yolo' })
    expect([report.classes, report.classes_of, report.written.regions]).toEqual([2, 'labels', 3])
    expect(await readFile(join(out, 'data.yaml'), 'utf8')).toContain('names:\n  0: "person"\n  1: "train"\n')
  })
})
