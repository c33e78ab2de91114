import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { Negative, NegativeRow } from '../../src/rows/rows.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const images = join(folder, 'images')
await mkdir(join(images, 'images.cocodataset.org'), { recursive: true })
const picture = await sharp({ create: { width: 200, height: 100, channels: 3, background: '#3c3' } })
  .jpeg()
  .toBuffer()
for (const name of ['1.jpg', '2.jpg', 'images.cocodataset.org/1.jpg'])
  await writeFile(join(images, name), picture)

let count = 0
async function file(ending: string, value: object | string): Promise<string> {
  const path = join(folder, `file-${count++}${ending}`)
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value))
  return path
}
const lines = (values: readonly object[]) => values.map((value) => JSON.stringify(value)).join('\n')

/** What is said of the first picture of a source, without its key. */
async function saidOf(given: object): Promise<Omit<NegativeRow, 'key'>> {
  const { all, images: rows } = await ingestAll(join(folder, `dataset-${count++}`), { images, ...given })
  const said = await all('negatives')
  expect(said.map(({ key }) => key)).toEqual(rows.map(({ key }) => key))
  const { key: _, ...first } = said[0] as NegativeRow
  return first
}
const verified = (...texts: readonly string[]): Negative[] =>
  texts.map((text) => ({ text, evidence: 'verified', phrase: -1, score: null }))
const nothing = { negatives: [], exhaustive: false, partial: [], teacher: null }
const everything = { ...nothing, exhaustive: true }

const categories = ['dog', 'cat', 'ox', 'bow_(weapon)'].map((name, id) => ({ id, name }))
const image = { id: 1, file_name: '1.jpg' }
const dog = { image_id: 1, category_id: 0, bbox: [0, 0, 50, 50] }
const coco = async (value: object, given: object = {}) =>
  saidOf({ format: 'coco', instances: await file('.json', value), ...given })

describe('a COCO file', () => {
  it('is exhaustive, unless that is said otherwise', async () => {
    const value = { images: [image], categories, annotations: [dog] }
    expect(await coco(value)).toEqual(everything)
    expect(await coco(value, { exhaustive: false })).toEqual(nothing)
  })

  it('is partial in what has a box that is left out', async () => {
    const crowd = { image_id: 1, category_id: 1, bbox: [0, 0, 9, 9], iscrowd: 1 }
    const outside = { image_id: 1, category_id: 3, bbox: [500, 0, 9, 9] }
    const annotations = [dog, crowd, outside]
    expect(await coco({ images: [image], categories, annotations })).toEqual({
      ...everything,
      partial: ['cat', 'bow'],
    })
  })

  it('is not exhaustive in a picture with a box of which nobody knows what it is', async () => {
    const unknown = { image_id: 1, category_id: 77, bbox: [0, 0, 9, 9] }
    expect(await coco({ images: [image], categories, annotations: [dog, unknown] })).toEqual(nothing)
  })

  it('without categories is not exhaustive, whatever is said', async () => {
    const annotations = [{ image_id: 1, category_id: 1, bbox: [0, 0, 50, 50], tokens_positive: [[0, 5]] }]
    const value = {
      images: [{ ...image, caption: 'a dog' }],
      categories: [{ id: 1, name: 'object' }],
      annotations,
    }
    expect(await coco(value, { exhaustive: true })).toEqual(nothing)
  })

  it('of LVIS says what was looked for, and of what there is more', async () => {
    const looked = {
      id: 1,
      coco_url: 'http://images.cocodataset.org/1.jpg',
      neg_category_ids: [2, 3],
      not_exhaustive_category_ids: [0],
    }
    const value = { images: [looked], categories, annotations: [dog] }
    const said = { negatives: verified('ox', 'bow'), exhaustive: false, partial: ['dog'], teacher: null }
    expect(await coco(value)).toEqual(said)
    expect(await coco(value, { exhaustive: true })).toEqual(said)
  })

  it('names phrases that are absent, by keys that other readers pass over', async () => {
    const said = { ...image, negatives: ['a blue dog', 'Dog', 'a blue dog'], exhaustive: true }
    const value = { images: [said], categories, annotations: [dog] }
    // What has a box is not absent, whoever says so.
    expect(await coco(value, { exhaustive: false })).toEqual({
      ...everything,
      negatives: verified('a blue dog'),
    })
    const other = { ...image, negatives: 3, exhaustive: 'yes' }
    expect(await coco({ images: [other], categories, annotations: [dog] })).toEqual(everything)
  })

  it('says of no name that it is absent where gold names it', async () => {
    const name = fc.constantFrom('dog', 'Cat', 'ox', 'red_ox', 'bow_(weapon)', 'bow')
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(name, { minLength: 1 }),
        fc.array(fc.nat(5), { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(5), { maxLength: 5 }),
        fc.array(name, { maxLength: 4 }),
        async (names, boxed, absent, texts) => {
          const idOf = (at: number) => at % names.length
          const { all } = await ingestAll(join(folder, `dataset-${count++}`), {
            format: 'coco',
            images,
            instances: await file('.json', {
              images: [{ ...image, neg_category_ids: absent.map(idOf), negatives: texts }],
              categories: names.map((text, id) => ({ id, name: text })),
              annotations: boxed.map((at) => ({ ...dog, category_id: idOf(at) })),
            }),
          })
          const [row] = await all('negatives')
          const [{ phrases }] = await all('phrases')
          const present = new Set(phrases.map(({ text }) => text.toLowerCase()))
          for (const { text } of row?.negatives ?? []) expect(present).not.toContain(text.toLowerCase())
        },
      ),
      { numRuns: 20 },
    )
  })
})

describe('OpenImages', () => {
  it('has what people have verified to be absent', async () => {
    const head =
      'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside'
    const boxes = ['1,xclick,/m/1,1,0.25,0.5,0.1,0.9,0,0,0,0,0', '1,xclick,/m/3,1,0,1,0,1,0,0,1,0,0']
    const labels = ['1,verification,/m/1,1', '1,verification,/m/2,0', '1,verification,/m/9,0', '2,v,/m/1,0']
    const said = {
      format: 'openimages',
      path: await file('.csv', [head, ...boxes].join('\n')),
      classes: await file('.csv', '/m/1,Cat\n/m/2,Tortoise\n/m/3,Tree\n'),
    }
    const image_labels = await file('.csv', `ImageID,Source,LabelName,Confidence\n${labels.join('\n')}\n`)
    expect(await saidOf({ ...said, image_labels })).toEqual({
      ...nothing,
      negatives: verified('Tortoise'),
      partial: ['Tree'],
    })
    expect(await saidOf(said)).toEqual({ ...nothing, partial: ['Tree'] })
  })
})

describe('ODVG', () => {
  const size = { filename: '1.jpg', height: 100, width: 200 }
  const instances = [{ bbox: [0, 0, 50, 50], label: 0 }]
  const said = async (line: object, given: object = {}) =>
    saidOf({
      format: 'odvg',
      path: await file('.jsonl', lines([{ ...size, ...line }])),
      classes: await file('.json', { 0: 'dog', 1: 'cat' }),
      ...given,
    })

  it('of detection is exhaustive, unless it or the configuration says otherwise', async () => {
    expect(await said({ detection: { instances } })).toEqual(everything)
    expect(await said({ detection: { instances } }, { exhaustive: false })).toEqual(nothing)
    expect(await said({ detection: { instances }, exhaustive: false, partial: ['dog'] })).toEqual({
      ...nothing,
      partial: ['dog'],
    })
  })

  it('of grounding is not exhaustive, and may name what is absent', async () => {
    const grounding = { caption: 'a dog', regions: [{ bbox: [0, 0, 50, 50], phrase: 'a dog' }] }
    expect(await said({ grounding, negatives: ['a cat'] })).toEqual({
      ...nothing,
      negatives: verified('a cat'),
    })
  })
})

describe('YOLO', () => {
  const yolo = async (labels: string, given: object = {}) => {
    const root = join(folder, `yolo-${count++}`)
    await mkdir(join(root, 'images'), { recursive: true })
    await mkdir(join(root, 'labels'))
    await writeFile(join(root, 'images', '1.jpg'), picture)
    await writeFile(join(root, 'labels', '1.txt'), labels)
    await writeFile(join(root, 'data.yaml'), 'train: images\nnames: [dog, cat]\n')
    const { all } = await ingestAll(join(folder, `dataset-${count++}`), {
      format: 'yolo',
      path: join(root, 'data.yaml'),
      ...given,
    })
    const { key: _, ...first } = (await all('negatives'))[0] as NegativeRow
    return first
  }

  it('is exhaustive, but for lines that cannot be read', async () => {
    expect(await yolo('0 0.5 0.5 0.2 0.2')).toEqual(everything)
    expect(await yolo('0 0.5 0.5 0.2 0.2', { exhaustive: false })).toEqual(nothing)
    expect(await yolo('0 0.5 0.5 0.2 0.2\n1 broken')).toEqual({ ...everything, partial: ['cat'] })
    expect(await yolo('0 0.5 0.5 0.2 0.2\n7 0.5 0.5 0.2 0.2')).toEqual(nothing)
  })
})

it('a source of captions and their boxes says nothing of what is absent', async () => {
  const path = await file('.json', [
    { id: 1, regions: [{ phrase: 'a dog', x: 0, y: 0, width: 50, height: 50 }] },
  ])
  expect(await saidOf({ format: 'visual-genome', path })).toEqual(nothing)
})
