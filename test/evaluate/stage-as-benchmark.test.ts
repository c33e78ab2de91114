import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { readDetections } from '../../src/evaluate/benchmark-ids.js'
import { cocoAp } from '../../src/evaluate/coco-ap.js'
import { evaluateConfig } from '../../src/evaluate/config.js'
import { categoriesOf, evaluateModel } from '../../src/evaluate/evaluate-model.js'
import { readDetectionTruth } from '../../src/evaluate/read-detection-truth.js'
import { detectBenchmark } from '../../src/evaluate/run-benchmark.js'
import type { Teacher } from '../../src/teacher/teacher.js'
import { ingestAll } from '../helpers/ingest-all.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const names = ['dog', 'hot_dog', 'bear', 'teddy bear']
const draw = random('stage as benchmark')
const [width, height] = [600, 400]
/** The last one has no box: what is found there is wrong. */
const pictures = Array.from({ length: 7 }, (_, at) => ({ id: 7 * at, file_name: `${at}.jpg`, width, height }))

/** On a grid of two pixels, so that halves of pictures, and 32-bit floats, have the same boxes. */
const even = (max: number) => 2 * draw.integer(max / 2)
const drawBox = () => [even(300), even(200), 2 + even(296), 2 + even(196)] as const

const annotations = pictures
  .slice(0, -1)
  .flatMap(({ id }) =>
    Array.from({ length: 9 }, () => {
      const bbox = drawBox()
      const area = (bbox[2] * bbox[3] * (1 + draw.integer(8))) / 8
      const iscrowd = draw.next() < 0.15 ? 1 : 0
      return { image_id: id, category_id: 1 + draw.integer(4), bbox, area, iscrowd }
    }),
  )
  .map((annotation, at) => ({ id: at + 1, ...annotation }))
const elsewhere = annotations.slice(0, 9).map((annotation) => ({ ...annotation, image_id: 42 }))
const found = [...annotations, ...elsewhere].flatMap(({ image_id, category_id, bbox: [x, y, w, h] }) =>
  Array.from({ length: 2 }, () => ({
    image_id,
    category_id: draw.next() < 0.8 ? category_id : 1 + draw.integer(4),
    bbox: [x + even(6), y, w, h] as const,
    // Different ones: of equal scores the order would decide.
    score: 0.1 + draw.next() * 0.9,
  })),
)

/** Knows a picture by its grey; proposes each of its boxes for every name, as a detector with fixed labels. */
const teacher: Teacher = {
  ...{
    name: 'fixed',
    hash: '',
    pictureSide: 10_000,
    batch: 1,
    parallel: 1,
    maxTokens: 1e9,
    tokensOf: () => 0,
  },
  labels: names,
  async detect(queries) {
    return queries.map(({ picture, phrases }) => {
      const scale = picture.width / width
      const { id } = pictures[Math.round((picture.data[0] ?? 0) / 40)] ?? { id: -1 }
      const own = found.filter(({ image_id }) => image_id === id)
      return phrases.flatMap((_, phrase) =>
        own.map(({ bbox: [x, y, w, h], category_id, score }) => ({
          ...{ phrase, score, label: names[category_id - 1] ?? '' },
          xyxy: [x * scale, y * scale, (x + w) * scale, (y + h) * scale] as const,
        })),
      )
    })
  },
  close: async () => {},
}

const folder = await temporaryFolder()
const truthPath = join(folder, 'truth.json')
const truth = {
  images: pictures,
  annotations,
  categories: names.map((name, at) => ({ id: at + 1, name })),
}

async function prepare() {
  await mkdir(join(folder, 'images'), { recursive: true })
  for (const [at, { file_name }] of pictures.entries()) {
    const grey = { r: 40 * at, g: 40 * at, b: 40 * at }
    const picture = sharp({ create: { width, height, channels: 3, background: grey } })
    await writeFile(join(folder, 'images', file_name), await picture.jpeg().toBuffer())
  }
  await writeFile(truthPath, JSON.stringify(truth))
  await writeFile(join(folder, 'found.json'), JSON.stringify(found))
  const read = await readDetectionTruth(truthPath)
  return { read, summary: cocoAp(read.boxes, await readDetections(join(folder, 'found.json'), read)) }
}

describe('the evaluate stage', () => {
  it('gives the numbers of `benchmark coco` on the same truth, also of pictures that were halved', async () => {
    const { read, summary } = await prepare()
    for (const value of Object.values(summary)) {
      expect(value).toBeGreaterThan(0)
      expect(value).toBeLessThan(1)
    }
    const config = evaluateConfig.parse({})
    for (const image_size of [600, 300]) {
      const { storage } = await ingestAll(join(folder, `set-${image_size}`), {
        ...{ format: 'coco', images: join(folder, 'images'), instances: truthPath, image: { image_size } },
      })
      const set = { storage, shards: ['00000'], stage: 's' }
      const scored = await evaluateModel(teacher, set, config, await categoriesOf(set))
      for (const [name, value] of Object.entries(summary))
        expect(
          Math.abs(scored[name as keyof typeof summary] - value),
          `${name} at ${image_size}`,
        ).toBeLessThan(1e-9)
    }
    const asked = await detectBenchmark(read, { teacher, images: join(folder, 'images'), config }, 100)
    expect(cocoAp(read.boxes, asked)).toEqual(summary)
  })
})
