import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { readCommit } from '../../src/shards/commit.js'
import { imageServer } from '../helpers/image-server.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const images = join(folder, 'images')
await mkdir(images)
const picture = await sharp({ create: { width: 400, height: 200, channels: 3, background: '#c33' } })
  .jpeg()
  .toBuffer()
for (const name of ['a.jpg', 'b.jpg', 'a b#1.jpg']) await writeFile(join(images, name), picture)

let count = 0
const ingest = (given: object) => ingestAll(join(folder, `dataset-${count++}`), { format: 'coco', ...given })
async function json(value: object): Promise<string> {
  const path = join(folder, `file-${count++}.json`)
  await writeFile(path, JSON.stringify(value))
  return path
}
const size = { width: 400, height: 200 }
const animals = [
  { id: 7, name: 'dog' },
  { id: 3, name: 'cat' },
]

describe('a box of a category with a blank name', () => {
  it('is counted, and nobody knows what it is of', async () => {
    const instances = await json({
      images: [{ id: 1, file_name: 'a.jpg', ...size }],
      annotations: [
        { image_id: 1, category_id: 7, bbox: [10, 20, 100, 80] },
        { image_id: 1, category_id: 8, bbox: [10, 20, 100, 80] },
      ],
      categories: [...animals, { id: 8, name: ' _ ' }],
    })
    const { images: rows, all, records } = await ingest({ images, instances })
    expect(rows[0].captions.map(({ text }) => text)).toEqual(['dog'])
    expect(records[0].stats.tallies.dropped).toEqual({ unnamed_box: 1 })
    expect((await all('negatives'))[0].exhaustive).toBe(false)
  })
})

describe('gold in the form of MDETR', () => {
  const caption = '🦓 two big red dogs, a cat'
  it('gives phrases and boxes of its spans, and of its category names', async () => {
    const words = [
      [2, 5],
      [6, 9],
      [10, 13],
      [14, 18],
    ]
    const instances = await json({
      images: [
        { id: 1, file_name: 'a.jpg', ...size, caption },
        { id: 2, file_name: 'gone.jpg', caption },
      ],
      annotations: [
        { image_id: 1, category_id: 7, bbox: [10, 20, 100, 80], tokens_positive: words },
        { image_id: 1, category_id: 7, bbox: [200, 20, 100, 80], tokens_positive: [[2, 18]] },
        { image_id: 1, category_id: 3, bbox: [-20, -20, 60, 60], tokens_positive: [[20, 25]] },
        { image_id: 1, category_id: 3, bbox: [500, 500, 10, 10], tokens_positive: [[20, 25]] },
        { image_id: 1, category_id: 3, bbox: [1, 1, 50, 50], tokens_positive: [], iscrowd: 1 },
        // Named by its category alone; its words are not in the caption; apart in the caption, and so two
        // phrases.
        { image_id: 1, category_id: 3, bbox: [100, 100, 20, 20], tokens_positive: [] },
        { image_id: 1, category_id: 3, bbox: [120, 100, 20, 20], tokens_positive: [[20, 90]] },
        {
          image_id: 1,
          category_id: 3,
          bbox: [140, 100, 20, 20],
          tokens_positive: [
            [2, 5],
            [20, 25],
          ],
        },
      ],
      categories: animals,
    })
    const { images: rows, all, rejects, records } = await ingest({ images, instances })
    expect(rejects.map(({ reason }) => reason)).toEqual(['missing_file'])
    // Category names in order of id.
    expect(rows.map(({ captions }) => captions)).toEqual([
      [
        { text: caption, kind: 'gold' },
        { text: 'cat. dog', kind: 'categories' },
      ],
    ])
    const [{ phrases }] = await all('phrases')
    const [{ regions }] = await all('grounding')
    expect(phrases.map(({ caption: own, text, head }) => [own, text, head])).toEqual([
      [0, 'two big red dogs', 'dogs'],
      [1, 'dog', 'dog'],
      [0, 'a cat', 'cat'],
      [1, 'cat', 'cat'],
      [0, 'two', 'two'],
    ])
    for (const { caption: own, start, end, text } of phrases) {
      expect([...rows[0].captions[own].text].slice(start, end).join('')).toBe(text)
    }
    // The picture was halved, and its boxes with it.
    expect(rows[0]).toMatchObject({ width: 200, height: 100 })
    expect(regions.map(({ phrase, xyxy }) => [phrase, [...xyxy]])).toEqual([
      [0, [5, 10, 55, 50]],
      [1, [5, 10, 55, 50]],
      [0, [100, 10, 150, 50]],
      [1, [100, 10, 150, 50]],
      [2, [0, 0, 20, 20]],
      [3, [0, 0, 20, 20]],
      [3, [50, 50, 60, 60]],
      [3, [60, 50, 70, 60]],
      [4, [70, 50, 80, 60]],
      [2, [70, 50, 80, 60]],
      [3, [70, 50, 80, 60]],
    ])
    for (const region of regions) {
      const { caption: own, start, end } = phrases[region.phrase]
      expect(region).toMatchObject({ caption: own, start, end, score: 1, origin: 'gold' })
    }
    expect(records[0].stats.tallies.dropped).toEqual({ bad_span: 1, crowd_box: 1, degenerate_box: 1 })
    expect(records[0]).toMatchObject({ in: 2, out: 1, rejected: { missing_file: 1 } })
  })

  it('makes no caption of the category that means nothing', async () => {
    const instances = await json({
      images: [{ id: 1, file_name: 'a.jpg', caption: 'a cat' }],
      annotations: [
        { image_id: 1, category_id: 1, bbox: [0, 0, 40, 40], tokens_positive: [[0, 5]] },
        { image_id: 1, category_id: 1, bbox: [0, 0, 40, 40], tokens_positive: [] },
      ],
      categories: [{ id: 1, name: 'object', supercategory: 'object' }],
    })
    const { images: rows, all, records } = await ingest({ images, instances })
    expect(rows[0].captions).toEqual([{ text: 'a cat', kind: 'gold' }])
    expect((await all('grounding'))[0].regions).toHaveLength(1)
    expect(records[0].stats.tallies.dropped).toEqual({ unnamed_box: 1 })
  })

  it('is gold in every shard, also where no picture came in', async () => {
    const instances = await json({
      images: [
        { id: 1, file_name: 'gone.jpg', caption },
        { id: 2, file_name: 'a.jpg', caption },
      ],
      annotations: [
        { image_id: 1, category_id: 3, bbox: [0, 0, 40, 40] },
        { image_id: 2, category_id: 3, bbox: [0, 0, 40, 40] },
      ],
      categories: animals,
    })
    const { storage, records } = await ingest({ images, instances, shard_size: 1 })
    expect(records.map(({ out }) => out)).toEqual([0, 1])
    for (const shard of ['00000', '00001']) {
      for (const family of ['phrases', 'grounding'] as const)
        expect(await readCommit(storage, family, 's', shard)).toBeDefined()
    }
  })
})

describe('a folder in the form of COCO', () => {
  const listed = [
    { id: 20, file_name: 'b.jpg', ...size, license: 4, coco_url: 'http://images.example/b.jpg' },
    { id: 10, file_name: 'a.jpg', ...size },
  ]
  const licenses = [{ id: 4, name: 'Attribution', url: 'http://creativecommons.org/licenses/by/2.0/' }]

  it('gives all captions of a picture one row, and its boxes category names', async () => {
    const captions = await json({
      images: listed,
      licenses,
      annotations: [
        { id: 1, image_id: 20, caption: 'A dog.' },
        { id: 2, image_id: 10, caption: 'Two cats.' },
        { id: 3, image_id: 20, caption: 'Some dog' },
        { id: 4, image_id: 20, caption: ' ' },
      ],
    })
    const instances = await json({
      images: listed,
      annotations: [
        { image_id: 20, category_id: 7, bbox: [0, 0, 100, 100] },
        { image_id: 20, category_id: 3, bbox: [0, 0, 50, 50] },
        { image_id: 20, category_id: 7, bbox: [0, 0, 30, 'wide'] },
        { image_id: 20, category_id: 99, bbox: [0, 0, 30, 30] },
        { image_id: 10, category_id: 3, bbox: [0, 0, 50, 50] },
      ],
      categories: animals,
    })
    const both = await ingest({ images, captions, instances })
    expect(both.images.map(({ captions: own }) => own.map(({ text, kind }) => `${kind}: ${text}`))).toEqual([
      ['gold: Two cats.', 'categories: cat'],
      ['gold: A dog.', 'gold: Some dog', 'categories: cat. dog'],
    ])
    expect(both.images.map(({ license }) => license)).toEqual([null, licenses[0].url])
    expect(both.images.map(({ meta }) => JSON.parse(meta ?? '').id)).toEqual([10, 20])
    const phrases = (await both.all('phrases')).map((row) => row.phrases.map(({ text }) => text))
    expect(phrases).toEqual([['cat'], ['dog', 'cat']])
    const dropped = { blank_caption: 1, malformed_box: 1, unnamed_box: 1 }
    expect(both.records[0].stats.tallies.dropped).toEqual(dropped)

    const boxesAlone = await ingest({ images, instances })
    expect(boxesAlone.images.map((row) => row.captions.map(({ kind }) => kind))).toEqual([
      ['categories'],
      ['categories'],
    ])
    const captionsAlone = await ingest({ images, captions })
    expect(captionsAlone.images).toHaveLength(2)
    expect(captionsAlone.records[0].files.grounding).toBeUndefined()
  })

  it('is fetched from another place, whatever signs its names have', async () => {
    const { url } = await imageServer({
      '/p/a%20b%231.jpg': (_, response) => response.end(picture),
    })
    const captions = await json({
      images: [{ id: 1, file_name: 'a b#1.jpg' }],
      annotations: [{ image_id: 1, caption: 'red' }],
    })
    const { images: rows } = await ingest({ images, captions, base_url: `${url}/p/` })
    expect(rows.map((row) => row.url)).toEqual(['a%20b%231.jpg'])
  })

  it('has its boxes where their things are behind a border or in a crop', async () => {
    const instances = await json({
      images: [{ id: 1, file_name: 'a.jpg', ...size }],
      annotations: [
        { image_id: 1, category_id: 7, bbox: [200, 20, 40, 40] },
        { image_id: 1, category_id: 3, bbox: [0, 0, 40, 40] },
      ],
      categories: animals,
    })
    const boxes = async (resize: string) => {
      const { all } = await ingest({ images, instances, image: { resize, image_size: 100 } })
      return (await all('grounding')).flatMap(({ regions }) => regions.map(({ xyxy }) => [...xyxy]))
    }
    expect(await boxes('border')).toEqual([
      [50, 30, 60, 40],
      [0, 25, 10, 35],
    ])
    // The other one is outside the crop.
    expect(await boxes('center_crop')).toEqual([[50, 10, 70, 30]])
  })

  it('makes a reject of an entry that is none, and of a picture of another shape than its boxes', async () => {
    const instances = await json({
      images: [
        { id: 1, file_name: 'a.jpg', width: 200, height: 400 },
        { id: 2 },
        { id: 3, file_name: 'b.jpg' },
        { id: 3, file_name: 'b.jpg' },
        'nonsense',
        { id: 4, file_name: 'a b#1.jpg' },
      ],
      annotations: [
        { image_id: 1, category_id: 3, bbox: [0, 0, 100, 300] },
        { image_id: 3, category_id: 3, bbox: [0, 0, 40, 40] },
      ],
      categories: animals,
    })
    const { images: rows, rejects, records } = await ingest({ images, instances })
    // The last one has no box, so that nothing of the file's categories is in it.
    expect(rows).toMatchObject([{ key: '000000001' }, { key: '000000002', captions: [] }])
    expect(rejects.map(({ reason }) => reason)).toEqual([
      'size_mismatch',
      'malformed_row',
      'malformed_row',
      'malformed_row',
    ])
    expect(rejects[1].detail).toMatch(/images\[1\]: file_name/)
    expect(records[0]).toMatchObject({ in: 6, out: 2 })
  })

  it('says what is wrong with a file as a whole', async () => {
    await expect(ingest({ images })).rejects.toThrow(/needs `captions`, `instances`, or both/)
    await expect(ingest({ images, captions: join(folder, 'none.json') })).rejects.toThrow(
      /Cannot read .*none\.json/,
    )
    const other = await json({ images: [], annotations: [{ id: 1 }, { id: 2 }] })
    await expect(ingest({ images, captions: other })).rejects.toThrow(
      /file-\d+\.json is not in COCO's form: annotations\.0\.image_id: [^\n]*\(and \d+ more\)$/,
    )
    const cut = join(folder, 'cut.json')
    await writeFile(cut, '{"images": [')
    await expect(ingest({ images, instances: cut })).rejects.toThrow(/cut\.json is not JSON/)
    const none = await json({ images: [], annotations: [] })
    await expect(ingest({ images, instances: none })).rejects.toThrow(/has no rows/)
  })
})
