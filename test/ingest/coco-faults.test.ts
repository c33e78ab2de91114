/** Files in COCO's form as people's programs write them. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { cocoBox } from '../../src/formats/coco-box.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { rowsOf } from '../helpers/rows-of.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
let count = 0
async function written(text: string): Promise<string> {
  const path = join(folder, `file-${count++}.json`)
  await writeFile(path, text)
  return path
}

const image = (id: unknown, more: object = {}) => ({ id, file_name: `${id}.jpg`, ...more })
const box = (image_id: unknown, category_id: unknown, more: object = {}) => ({
  image_id,
  category_id,
  bbox: [50, 40, 100, 100],
  ...more,
})
const animals = [
  { id: 1, name: 'dog' },
  { id: 2, name: 'cat' },
]
const coco = async (file: object | string, given: object = {}) => {
  const instances = await written(typeof file === 'string' ? file : JSON.stringify(file))
  const rows = await rowsOf({ format: 'coco', images: 'pictures', instances, ...given })
  return {
    instances,
    rows,
    boxes: rows.flatMap(({ file, regions }) =>
      (regions ?? []).map(({ category, xyxy }) => [file, category, ...xyxy]),
    ),
    problems: rows.flatMap(({ problem }) =>
      problem ? [`${problem.reason} ${problem.detail.replace(`${instances} `, '')}`] : [],
    ),
  }
}
const dog = (name: string) => [`pictures/${name}.jpg`, 'dog', 50, 40, 150, 140]

describe('ids', () => {
  it('meet whatever they are written as, and keep their digits', async () => {
    const text = JSON.stringify({
      images: [image(1), image('2'), image('BIG0'), image('BIG1')],
      annotations: [box('1', 1), box(2, '1'), box('BIG0', 1.0), box('BIG1', 2)],
      categories: animals,
    })
    const { boxes, rows, problems } = await coco(
      text.replaceAll('"BIG0"', '9007199254740992').replaceAll('"BIG1"', '9007199254740993'),
    )
    expect(problems).toEqual([])
    expect(boxes).toEqual([dog('1'), dog('2'), dog('BIG0'), ['pictures/BIG1.jpg', 'cat', 50, 40, 150, 140]])
    expect(rows.map(({ meta }) => meta?.id)).toEqual([1, 2, 9007199254740992n, 9007199254740993n])
  })

  it('of several pictures or categories say of none what it has', async () => {
    const { boxes, problems, rows } = await coco({
      images: [image(1), { id: '1', file_name: 'other.jpg' }, image(2), image(2), image(3)],
      annotations: [box(1, 1), box(1, 2), box(2, 1), box(3, 3)],
      categories: [...animals, { id: 3, name: 'cow' }, { id: 3, name: 'ox' }, { id: 1, name: 'dog' }],
    })
    const whose = 'its id 1 is that of several pictures: whose boxes and captions are meant cannot be known'
    expect(boxes).toEqual([dog('2')])
    expect(problems).toEqual([
      `shared_id images[0]: 1.jpg: ${whose}`,
      `shared_id images[1]: other.jpg: ${whose}`,
      'malformed_row images[3]: id 2 comes twice',
      'shared_id categories[3]: id 3 is that of several categories',
      'shared_id annotations[0]: image_id 1, an id that several pictures have (and 1 more)',
    ])
    // What the box of a cow or an ox is nobody knows: nothing can be said to be absent beside it.
    expect(rows.map(({ dropped, exhaustive }) => [dropped, exhaustive]).slice(0, 2)).toEqual([
      [{}, true],
      [{ unnamed_box: 1 }, false],
    ])
    expect(rows.at(-1)?.dropped).toEqual({ shared_id: 2 })
  })

  it('of one picture in one file and of another in the second give neither captions nor boxes', async () => {
    const captions = await written(
      JSON.stringify({
        images: [image(1), { id: 2, file_name: 'COCO_val2014_2.jpg' }],
        annotations: [
          { image_id: 1, caption: 'a dog' },
          { image_id: 2, caption: 'a cat' },
        ],
      }),
    )
    const file = {
      images: [{ id: 1, file_name: 'x/other.jpg' }, image(2)],
      annotations: [box(1, 1), box(2, 1)],
      categories: animals,
    }
    const { boxes, problems, rows } = await coco(file, { captions })
    expect(boxes).toEqual([dog('2')])
    expect(rows[0]?.captions.map(({ text }) => text)).toEqual(['a cat'])
    expect(problems).toHaveLength(3)
    expect(problems[1]).toContain('1.jpg and x/other.jpg: its id 1 is that of several pictures')
  })

  it('that nothing has are told of with what is lost, millions in one line', async () => {
    const orphans = Array.from({ length: 25 }, (_, index) => box(100 + index, 1))
    const { problems, rows, boxes } = await coco({
      images: [image(1)],
      annotations: [box(1, 1), box(77, 1), box(77, 2), ...orphans, box(1, 99)],
      categories: animals,
    })
    expect(boxes).toEqual([dog('1')])
    expect(problems[0]).toBe(
      'unknown_picture annotations[1]: image_id 77, an id that no picture has (and 1 more)',
    )
    expect(problems.slice(9)).toEqual([
      'unknown_picture annotations[11]: image_id 108, an id that no picture has',
      'unknown_picture annotations: 16 more of this kind',
      'unknown_category annotations[28]: category_id 99, an id that no category has',
    ])
    expect(rows.slice(1).map(({ dropped }) => dropped.unknown_picture ?? 0)).toEqual([
      2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 16, 0,
    ])
    expect(rows[0]).toMatchObject({ dropped: { unnamed_box: 1 }, exhaustive: false })
  })
})

describe('one bad entry', () => {
  it('is passed over, whatever list it is in', async () => {
    const { boxes, problems, rows } = await coco({
      images: [image(1, { license: 0 }), image(null), { id: 9 }, 7, image(2, { license: 1 })],
      annotations: [box(null, 1), box(1, 1), 'box', box(2, 1), [1]],
      categories: [...animals, { id: 3, name: 7 }, { name: 'x' }, null],
      licenses: [{ id: 0, url: null, name: null }, 'CC', null, { id: 1, name: 'CC BY' }],
    })
    expect(boxes).toEqual([dog('1'), dog('2')])
    expect(rows.map(({ license }) => license).slice(0, 2)).toEqual([null, 'CC BY'])
    expect(problems).toEqual([
      'malformed_row images[1]: id: expected a number or a text',
      'malformed_row images[2]: file_name: neither a file_name nor a coco_url',
      'malformed_row images[3]: expected an object',
      'malformed_row annotations[0]: image_id: expected a number or a text',
      'malformed_row annotations[2]: expected an object',
      'malformed_row annotations[4]: expected an object',
      'malformed_row categories[2]: name: expected a text',
      'malformed_row categories[3]: id: expected a number or a text',
      'malformed_row categories[4]: expected an object',
      'malformed_row licenses[1]: expected an object',
      'malformed_row licenses[2]: expected an object',
    ])
  })

  it('refuses the file only where there is no good one', async () => {
    const good = { images: [image(1)], annotations: [box(1, 1)], categories: animals }
    const refused = (more: object) => expect(coco({ ...good, ...more })).rejects
    await refused({ images: [{ id: 1 }] }).toThrow('images.0.file_name: neither a file_name nor a coco_url')
    await refused({ annotations: [{}, {}] }).toThrow(
      "is not in COCO's form: annotations.0.image_id: expected a number or a text (and 1 more)",
    )
    await refused({ categories: [{ id: 1, name: null }] }).toThrow('categories.0.name: expected a text')
    await refused({ annotations: [box(5, 1), box(6, 1)] }).toThrow(
      'no annotation is of a picture that is listed: annotations.0.image_id is 5, and so on.',
    )
    expect((await coco({ ...good, licenses: ['CC BY'] })).boxes).toEqual([dog('1')])
  })
})

describe('what programs write otherwise', () => {
  it('is no fault: nulls, sizes of 0 or as text, flags, odd values of keys that say little', async () => {
    const { boxes, problems, rows } = await coco({
      info: { description: null },
      images: [
        image(1, { width: 0, height: 0, license: null, coco_url: null, caption: null, extra: { name: 'a' } }),
        image(2, { width: '400', height: '200', coco_url: '', license: {} }),
      ],
      annotations: [
        box(1, 1, { iscrowd: null, score: null, tokens_positive: null, origin: null, segmentation: null }),
        box(2, 1, { iscrowd: false, score: 95, bbox: ['50', '40.0', '100', 100] }),
        box(2, 2, { iscrowd: '1' }),
      ],
      categories: [{ id: 1, name: 'dog', supercategory: null }, animals[1]],
    })
    expect(problems).toEqual([])
    expect(boxes).toEqual([dog('1'), dog('2')])
    expect(rows.map(({ size }) => size)).toEqual([null, { width: 400, height: 200 }])
    expect(rows[1]?.dropped).toEqual({ crowd_box: 1 })
  })

  it('is read where Python writes NaN, but not as a box', async () => {
    const text = JSON.stringify({
      images: [image(1, { width: 'NaN' }), image(2)],
      annotations: [box(1, 1, { area: 'NaN' }), box(2, 1, { bbox: [1, 'NaN', 5, 5] }), box(2, 1)],
      categories: animals,
    })
    const { boxes, rows } = await coco(text.replaceAll('"NaN"', 'NaN'))
    expect(boxes).toEqual([dog('1'), dog('2')])
    expect(rows[1]?.dropped).toEqual({ malformed_box: 1 })
  })

  it.each([
    ['a bbox', { bbox: [1, 2, 3, 4], segmentation: [[0, 0, 9, 9]] }, [1, 2, 3, 4]],
    ['a polygon', { segmentation: [[10, 20, 40, 20, 30, 60]] }, [10, 20, 30, 40]],
    [
      'polygons and an empty bbox',
      {
        bbox: [],
        segmentation: [
          [1, 1, 2, 2, 1, 2],
          ['5', '6', 7, 8],
        ],
      },
      [1, 1, 6, 7],
    ],
    ["VIA's one polygon", { segmentation: [1, 2, 3, 4, 5, 0] }, [1, 0, 4, 4]],
    [
      'an outline and a bbox of no size',
      { bbox: [0, 0, 0, 0], segmentation: [[1, 2, 3, 4, 5, 0]] },
      [1, 0, 4, 4],
    ],
    ['runs of a mask', { segmentation: { size: [20, 30], counts: [43, 4, 16, 4, 533] } }, [2, 3, 2, 4]],
    // Packed by pycocotools, whose toBbox gives these boxes.
    ['packed runs', { segmentation: { size: [20, 30], counts: '[14`000000000000Q=' } }, [2, 3, 7, 4]],
    [
      'packed runs over a column',
      { segmentation: { size: [20, 30], counts: 'T3d0R>^O`B0F' } },
      [5, 0, 25, 20],
    ],
    ['a run into the next column', { segmentation: { size: [20, 30], counts: 'c38m>' } }, [5, 0, 2, 20]],
    ['an empty mask', { segmentation: { size: [20, 30], counts: 'hb0' } }, undefined],
    ['runs that are none', { segmentation: { size: [20, 30], counts: '~~~' } }, undefined],
    ['five numbers, which may be turned', { bbox: [1, 2, 3, 4, 45] }, undefined],
    ['three numbers', { bbox: [1, 2, 3], segmentation: [[1, 2, 3, 4, 5, 0]] }, undefined],
    ['an infinite side', { bbox: [1, 2, 3, Number.POSITIVE_INFINITY] }, undefined],
    ['words', { bbox: ['a', 1, 2, 3] }, undefined],
    ['keypoints alone', { keypoints: [1, 2, 2], bbox: undefined }, undefined],
    ['a point that is none', { segmentation: [[1, 2, Number.NaN, 4]] }, undefined],
  ])('is the box of %s', (_, annotation, expected) => {
    expect(cocoBox(annotation)).toEqual(expected)
  })
})

describe('names of pictures', () => {
  it('are found with the slashes of Windows, and by their last part where the path is of another machine', async () => {
    const images = join(folder, 'images')
    await mkdir(join(images, 'train'), { recursive: true })
    const picture = await sharp({ create: { width: 40, height: 20, channels: 3, background: '#c33' } })
      .jpeg()
      .toBuffer()
    for (const name of ['train/1.jpg', '2.jpg', '3.jpg', 'train/4.jpg'])
      await writeFile(join(images, name), picture)
    const names = [
      'train\\1.jpg',
      './2.jpg',
      'D:\\data\\set\\3.jpg',
      '/data/upload/7/train/4.jpg',
      '/home/me/5.jpg',
    ]
    const file = {
      images: names.map((file_name, index) => ({ id: index + 1, file_name })),
      annotations: names.map((_, index) => box(index + 1, 1, { bbox: [5, 5, 10, 10] })),
      categories: animals,
    }
    const instances = await written(JSON.stringify(file))
    const { images: rows, rejects } = await ingestAll(join(folder, 'names'), {
      format: 'coco',
      images,
      instances,
    })
    expect(rows.map(({ meta }) => JSON.parse(meta ?? '').id)).toEqual([1, 2, 3, 4])
    expect(rejects).toMatchObject([{ reason: 'missing_file' }])
    expect(rejects[0]?.detail).toContain(`nor ${images}/me/5.jpg, ${images}/5.jpg`)
    // Two pictures of one name: which of them lies there cannot be known.
    const twice = [...file.images, { id: 9, file_name: 'E:\\other\\3.jpg' }]
    const { rows: unsure } = await coco({ ...file, images: twice })
    expect(unsure.slice(2).map(({ elsewhere }) => elsewhere)).toEqual([
      ['pictures/data/set/3.jpg', 'pictures/set/3.jpg'],
      ['pictures/upload/7/train/4.jpg', 'pictures/7/train/4.jpg', 'pictures/train/4.jpg', 'pictures/4.jpg'],
      ['pictures/me/5.jpg', 'pictures/5.jpg'],
      ['pictures/other/3.jpg'],
    ])
  })
})

describe('categories that are no things', () => {
  const pictures = { images: [image(1), image(2)], annotations: [box(1, 1), box(2, 2)] }
  const absent = async (categories: object[]) =>
    (await coco({ ...pictures, categories }, { prompt: { negatives: 9 } })).rows.map((row) => row.absent)

  it('are never absent: the root that Roboflow adds, and a background', async () => {
    const root = { id: 0, name: 'animals', supercategory: 'none' }
    const kinds = animals.map((category) => ({ ...category, supercategory: 'animals' }))
    const background = { id: 5, name: '_background_', supercategory: null }
    expect(await absent([root, ...kinds, background])).toEqual([['cat'], ['dog']])
    // The root of a project of its own name.
    expect(
      await absent([{ id: 0, name: 'dog' }, { ...animals[0], supercategory: 'dog' }, animals[1]]),
    ).toEqual([['cat'], ['dog']])
    // COCO's person is a kind of person, and a cow has no box here.
    expect(await absent([...animals, { id: 3, name: 'cow', supercategory: 'cow' }])).toEqual([
      ['cat', 'cow'],
      ['dog', 'cow'],
    ])
  })

  it('and one of which a box is a kind is there, though not all of it may have a box', async () => {
    const categories = [
      { id: 1, name: 'dog', supercategory: 'pet' },
      { id: 2, name: 'animal' },
      { id: 3, name: 'pet', supercategory: 'animal' },
      { id: 4, name: 'car' },
    ]
    const annotations = [...pictures.annotations, box(2, 3)]
    const { rows } = await coco({ ...pictures, annotations, categories }, { prompt: { negatives: 9 } })
    expect(rows.map((row) => [row.absent, row.partial])).toEqual([
      [['car'], ['pet', 'animal']],
      [['dog', 'car'], ['animal']],
    ])
  })
})

it('counts the boxes of a picture that has none left', async () => {
  const images = join(folder, 'images')
  const file = {
    images: [
      { id: 1, file_name: '2.jpg' },
      { id: 2, file_name: '3.jpg' },
      { id: 3, file_name: 'train/1.jpg' },
    ],
    annotations: [
      box(1, 1, { bbox: [1] }),
      box(1, 1, { bbox: 'x' }),
      box(1, 1, { iscrowd: 1 }),
      box(2, 1),
      box(9, 1),
    ],
    categories: animals,
  }
  const instances = await written(JSON.stringify(file))
  const { rejects, records } = await ingestAll(join(folder, 'nothing'), { format: 'coco', images, instances })
  expect(rejects.map(({ reason }) => reason)).toEqual(['empty_caption', 'empty_caption', 'unknown_picture'])
  expect(rejects.map(({ detail }) => detail?.split(': ').slice(1).join(': '))).toEqual([
    'neither captions nor boxes; left out were: malformed_box 2, crowd_box 1',
    'no captions, and no box in the picture; left out were: degenerate_box 1',
    'image_id 9, an id that no picture has',
  ])
  // The third one has nothing of what the file names, which is worth knowing.
  expect(records[0]?.out).toBe(1)
  expect(records[0]?.stats?.tallies.dropped).toEqual({
    malformed_box: 2,
    crowd_box: 1,
    degenerate_box: 1,
    unknown_picture: 1,
  })
})

describe('files that say less than they are named for', () => {
  const good = { images: [image(1), image(2)], annotations: [box(1, 1)], categories: animals }
  const caption = (image_id: number, text: unknown) => ({ id: 90 + image_id, image_id, caption: text })

  it.each([
    [{ annotations: undefined }, 'annotations: expected a list.'],
    [{ annotations: null }, 'annotations: expected a list.'],
    [{ annotations: { 1: box(1, 1) } }, 'annotations: expected a list.'],
    [{ images: { 1: image(1) } }, 'images: expected a list.'],
    [{ categories: undefined }, 'its boxes have no names: it needs a list of `categories`'],
    [{ categories: { 1: 'dog' } }, 'its boxes have no names'],
    [{ annotations: [caption(1, 'a dog')] }, 'has captions and no boxes: give it as `captions`.'],
  ])('are refused, where pictures would seem to hold nothing: %j', async (more, message) => {
    await expect(coco({ ...good, ...more })).rejects.toThrow(message)
  })

  it('and so are boxes in the place of captions', async () => {
    const captions = await written(JSON.stringify(good))
    await expect(rowsOf({ format: 'coco', images: 'p', captions })).rejects.toThrow(
      `${captions} has boxes and no captions: give it as \`instances\`.`,
    )
  })

  it('but no boxes at all are none, and one file may have both', async () => {
    expect((await coco({ ...good, annotations: [] })).rows.map(({ exhaustive }) => exhaustive)).toEqual([
      true,
      true,
    ])
    const annotations = [box(1, 1), caption(1, 'a dog'), caption(2, ['a cat', ' ']), caption(2, null)]
    const captions = await written(JSON.stringify({ ...good, annotations }))
    const rows = await rowsOf({ format: 'coco', images: 'p', captions, instances: captions })
    expect(
      rows.map((row) => [row.captions.map(({ text }) => text), row.regions?.length, row.dropped]),
    ).toEqual([
      [['a dog'], 1, {}],
      [['a cat'], 0, { blank_caption: 2, malformed_box: 1 }],
    ])
    expect(rows[0]?.exhaustive).toBe(true)
  })

  it('or say it twice', async () => {
    const text = `${JSON.stringify(good).slice(0, -1)}, "annotations": []}`
    await expect(coco(text)).rejects.toThrow('has the list annotations twice.')
  })
})

it('an entry may be odd in ways that say nothing, or what they say', async () => {
  const { boxes, rows, problems } = await coco({
    images: [image(1), { id: 2, file_name: 2 }, image(3), { ...image(3), id: 4 }],
    annotations: [box(1, 1, { iscrowd: '1.0' }), box(1, 2, { iscrowd: '0.0' }), box(3, 1), box(4, 2)],
    categories: [...animals, { id: 3, name: ' ' }],
    licenses: [{ id: null, name: null, url: null }],
  })
  expect(boxes.map((found) => found.slice(0, 2))).toEqual([
    ['pictures/1.jpg', 'cat'],
    ['pictures/3.jpg', 'dog'],
    ['pictures/3.jpg', 'cat'],
  ])
  expect(rows[0]?.dropped).toEqual({ crowd_box: 1 })
  // Of a file that several entries have each says but what it knows.
  expect(rows.slice(0, 3).map(({ exhaustive }) => exhaustive)).toEqual([true, false, false])
  expect(problems).toEqual([
    'malformed_row images[1]: file_name: expected the name of a file',
    'malformed_row categories[2]: name: expected a text',
  ])
})

it.each([
  ['s3://bucket/set/a.jpg', ['bucket/set/a.jpg', 'set/a.jpg', 'a.jpg']],
  ['file:///home/me/a.jpg', ['home/me/a.jpg', 'me/a.jpg', 'a.jpg']],
  ['/data/local-files/?d=a.jpg', ['a.jpg']],
  ['../../a.jpg', ['a.jpg']],
  ['~/a.jpg', ['a.jpg']],
  ['set/a%20b.jpg', ['set/a b.jpg']],
  ['100%.jpg', []],
  ['pictures/a.jpg', ['a.jpg']],
  ['set/a.jpg', []],
])('%s is looked for by what is left of it here', async (file_name, expected) => {
  const instances = await written(
    JSON.stringify({ images: [{ id: 1, file_name }], annotations: [], categories: animals }),
  )
  const [row] = await rowsOf({ format: 'coco', images: 'pictures', instances })
  expect(row?.elsewhere).toEqual(expected.map((name) => join('pictures', name)))
})
