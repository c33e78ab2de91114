import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { detectionsJson, readDetections } from '../../src/evaluate/benchmark-ids.js'
import { type Protocol, readDetectionTruth } from '../../src/evaluate/read-detection-truth.js'
import { type OfficialScores, scoreFiles, scoreGap } from '../helpers/score-files.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const fixtures = JSON.parse(
  readFileSync(new URL('./fixtures/odd-files.json', import.meta.url), 'utf8'),
) as readonly OfficialScores[]

const folder = await temporaryFolder()
const paths = { truth: join(folder, 'truth.json'), found: join(folder, 'found.json') }

const scores = (protocol: Protocol) => scoreFiles(protocol, paths)

describe('files that are odd', () => {
  it.each(fixtures)(
    'are scored by the official program as here: $protocol, $name',
    async ({ protocol, truth, detections, stats }) => {
      await writeFile(paths.truth, truth)
      await writeFile(paths.found, detections)
      const own = await scores(protocol)
      expect(own).toHaveLength(stats.length)
      expect(scoreGap(own, stats)).toBeLessThan(1e-9)
      expect(own[0]).toBeGreaterThan(0)
      expect(own[0]).toBeLessThan(1)
    },
  )
})

const categories = [{ id: 3, name: 'dog' }]
const box = (image_id: unknown, more: object = {}) => ({
  ...{ image_id, category_id: 3, bbox: [0, 0, 50, 50], area: 2500, iscrowd: 0, ...more },
})
const found = (image_id: unknown, more: object = {}) => ({
  ...{ image_id, category_id: 3, bbox: [0, 0, 50, 50], score: 0.5, ...more },
})

async function write(truth: string | object, detections: string | object) {
  const text = (value: string | object) => (typeof value === 'string' ? value : JSON.stringify(value))
  await writeFile(paths.truth, text(truth))
  await writeFile(paths.found, text(detections))
}

describe('answers about other pictures', () => {
  const images = [{ id: 1 }, { id: 2 }]
  const annotations = [box(1), box(2)]

  it.each(['coco', 'lvis'] as const)('are refused with their ids: %s', async (protocol) => {
    await write(
      { images, annotations, categories },
      [1, 2, 3, 4, 4].map((id) => found(id)),
    )
    await expect(scores(protocol)).rejects.toThrow(
      /found\.json: it has answers about 2 pictures that .*truth\.json does not have: 3, 4\. Give the truth/,
    )
    await write(
      { images, annotations, categories },
      Array.from({ length: 30 }, (_, id) => found(`p${id}`)),
    )
    await expect(scores(protocol)).rejects.toThrow(/about 30 pictures .*: p0, .*, p9 and 20 more\. /)
  })

  it('are none where an id is written in another way', async () => {
    await write({ images: [{ id: 1 }, { id: '2' }], annotations: [box('1'), box(2)], categories }, [
      found('1', { category_id: '3' }),
      found(2.0),
    ])
    expect((await scores('coco'))[0]).toBeCloseTo(1, 9)
  })
})

describe('ids', () => {
  it('over 2^53 are told apart, and written as the truth has them', async () => {
    const [a, b] = ['9007199254740992', '9007199254740993']
    const list = (id: string) => `{"id": ${id}}`
    const annotation = (id: string, x: number) =>
      `{"image_id": ${id}, "category_id": "c", "bbox": [${x}, 0, 50, 50], "area": 2500}`
    const truth = `{"images": [${list(a)}, ${list(b)}], "categories": [{"id": "c", "name": "dog"}], "annotations": [${annotation(a, 0)}, ${annotation(b, 300)}]}`
    await write(truth, [])
    const read = await readDetectionTruth(paths.truth)
    const detections = read.boxes.map(({ image, category, bbox }) => ({ image, category, bbox, score: 0.5 }))
    const text = [...detectionsJson(detections, read)].join('')
    expect(text).toContain(`"image_id":${a},"category_id":"c","bbox":[0,0,50,50]`)
    expect(text).toContain(`"image_id":${b},"category_id":"c","bbox":[300,0,50,50]`)
    await write(truth, text)
    expect([...(await readDetections(paths.found, read))]).toEqual(detections)
    expect((await scores('coco'))[0]).toBeCloseTo(1, 9)
  })

  it('are all that scoring wants of a picture, and numbers are not rounded', async () => {
    const third = 100 / 3
    await write({ images: [{ id: 1 }], annotations: [box(1)], categories }, [
      found(1, { bbox: [0, 0, third, 50] }),
    ])
    const truth = await readDetectionTruth(paths.truth)
    expect(truth.images).toEqual([{ id: 1 }])
    const [detection] = await readDetections(paths.found, truth)
    expect([...detectionsJson([detection], truth)].join('')).toContain(`[0,0,${third},50]`)
  })
})

describe('detections', () => {
  it.each([
    [[found(1, { score: '0.5' })], /\[0\]: expected image_id, category_id, score and a bbox/],
    [
      [found(1), { image_id: 1, category_id: 3, score: 1, segmentation: { size: [9, 9], counts: 'a' } }],
      /\[1\]: .*it has a mask alone, and boxes are scored/,
    ],
    [[found(1, { bbox: [0, 0, null, 4] })], /a bbox of four numbers/],
    [{ annotations: [found(1)] }, /expected a list of detections/],
  ])('are refused where they are none: %#', async (detections, message) => {
    await write({ images: [{ id: 1 }], annotations: [box(1)], categories }, detections)
    await expect(scores('coco')).rejects.toThrow(message)
  })

  it('may be none: then nothing is found', async () => {
    await write({ images: [{ id: 1 }], annotations: [box(1)], categories }, [])
    expect((await scores('coco')).slice(0, 3)).toEqual([0, 0, 0])
  })

  it('of boxes without an area are scored by that of the box', async () => {
    await write({ images: [{ id: 1 }], annotations: [box(1, { area: undefined })], categories }, [found(1)])
    const [ap, , , small, medium] = await scores('coco')
    expect([ap, small, medium]).toEqual([expect.closeTo(1, 9), -1, expect.closeTo(1, 9)])
  })
})

describe('what counts neither way', () => {
  const images = [{ id: 1, file_name: 'train/a.jpg' }, { id: 2 }]
  const read = async () => {
    const notices: string[] = []
    const truth = await readDetectionTruth(paths.truth)
    const detections = await readDetections(paths.found, truth, 'pictures', (text) => notices.push(text))
    return { truth, detections, notices }
  }

  it('is told: detections of categories and boxes of pictures that the truth does not list', async () => {
    const annotations = [box(1), box(7), box(2, { category_id: null }), box(2)]
    await write({ images, annotations, categories: [{ id: 3, name: null }] }, [
      found(1),
      found(2, { category_id: 2 }),
    ])
    const { truth, notices } = await read()
    expect([truth.boxes.length, truth.unlisted]).toEqual([2, 2])
    expect(notices).toEqual([
      `${paths.found}: 1 of 2 detections are of categories that ${paths.truth} does not list (2); they count neither way. It lists 3.`,
    ])
  })

  it('is no answer that calls pictures by their files', async () => {
    await write({ images, annotations: [box(1)], categories }, [found('a')])
    await expect(read()).rejects.toThrow(
      'does not have: a. These look like names of files: what is wanted is the id, which of a is 1. Give the truth',
    )
  })

  it('is no box whose numbers are texts, which are numbers to numpy', async () => {
    await write({ images, annotations: [box(1, { bbox: ['0', '0', '50', 50.0] })], categories }, [found(1)])
    expect((await scores('coco'))[0]).toBeCloseTo(1, 9)
  })

  it('says by which entry a file is none of LVIS', async () => {
    const lvis = { id: 1, neg_category_ids: [] }
    await write({ images: [lvis, { id: 2 }], annotations: [], categories }, [])
    expect((await read()).truth.notLvis).toBe('image 2 has no list neg_category_ids')
    await write({ images: [lvis], annotations: [], categories }, [])
    expect((await read()).truth.notLvis).toBe('category 3 has no frequency r, c or f')
  })
})
