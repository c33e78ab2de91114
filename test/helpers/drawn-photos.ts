import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { encodeModel, type InitializerProto } from '../../src/graph/onnx-proto.js'

const size = { width: 160, height: 120 }

/** What is in every picture, where, and how sure the detector is of it; it sees one dog four times, and three where none is. */
const found = [
  { label: 'dog', xyxy: [10, 20, 70, 110], score: 0.9 },
  { label: 'dog', xyxy: [30, 30, 90, 118], score: 0.5 },
  { label: 'dog', xyxy: [10, 52, 70, 118], score: 0.48 },
  { label: 'dog', xyxy: [60, 0, 110, 50], score: 0.46 },
  { label: 'dog', xyxy: [110, 0, 150, 40], score: 0.3 },
  { label: 'dog', xyxy: [95, 70, 155, 118], score: 0.25 },
  { label: 'dog', xyxy: [0, 0, 40, 20], score: 0.2 },
  { label: 'sports ball', xyxy: [90, 60, 130, 100], score: 0.7 },
  { label: 'person', xyxy: [120, 5, 155, 90], score: 0.45 },
  { label: 'person', xyxy: [100, 5, 125, 60], score: 0.2 },
]
const captions = ['A brown dog beside a red ball.', 'A man throws the ball for his dog.']

/** A folder as a user has it: JPEG files, each with its captions in a text file beside it. */
export async function drawPhotos(folder: string, count: number): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (let at = 0; at < count; at++) {
    const things = found.map(({ xyxy: [left = 0, top = 0, right = 0, bottom = 0] }, index) => ({
      input: {
        create: {
          ...{ width: right - left, height: bottom - top, channels: 3 as const },
          background: `hsl(${(67 * index + 13 * at) % 360}, 70%, 50%)`,
        },
      },
      ...{ left, top },
    }))
    const picture = sharp({ create: { ...size, channels: 3, background: `hsl(${29 * at}, 30%, 80%)` } })
    await picture
      .composite(things)
      .jpeg()
      .toFile(join(folder, `photo-${at}.jpg`))
    await writeFile(join(folder, `photo-${at}.txt`), `${captions.join('\n')}\n`)
  }
}

/** The same as a folder in COCO's form: `images/`, `captions.json` and, of two kinds of things, `instances.json`. */
export async function drawCoco(folder: string, count: number): Promise<void> {
  await drawPhotos(join(folder, 'images'), count)
  const images = Array.from({ length: count }, (_, id) => ({ id, file_name: `photo-${id}.jpg`, ...size }))
  const boxed = found.filter(({ score }) => score > 0.5)
  const categories = boxed.map(({ label }, id) => ({ id, name: label }))
  const of = (image_id: number) => ({
    captions: captions.map((caption, at) => ({ id: captions.length * image_id + at, image_id, caption })),
    boxes: boxed.map(({ xyxy: [left = 0, top = 0, right = 0, bottom = 0] }, at) => ({
      ...{ id: boxed.length * image_id + at, image_id, category_id: at, iscrowd: 0 },
      ...{ bbox: [left, top, right - left, bottom - top], area: (right - left) * (bottom - top) },
    })),
  })
  const annotations = images.map(({ id }) => of(id))
  const write = (name: string, value: object) => writeFile(join(folder, name), JSON.stringify(value))
  await write('captions.json', { images, annotations: annotations.flatMap((one) => one.captions) })
  await write('instances.json', {
    images,
    categories,
    annotations: annotations.flatMap(({ boxes }) => boxes),
  })
}

/** A detector with a fixed list of labels in ONNX, which finds the same in every picture. */
export async function writeDetector(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const labels = [...new Set(found.map(({ label }) => label))]
  const config = { model_type: 'torchvision-detector', id2label: { ...labels } }
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))
  const count = found.length
  const results: InitializerProto[] = [
    {
      name: 'boxes',
      shape: [count, 4],
      dtype: 'float32',
      data: new Float32Array(found.flatMap(({ xyxy }) => xyxy)),
    },
    {
      ...{ name: 'labels', shape: [count], dtype: 'int64' },
      data: new BigInt64Array(found.map(({ label }) => BigInt(labels.indexOf(label)))),
    },
    {
      name: 'scores',
      shape: [count],
      dtype: 'float32',
      data: new Float32Array(found.map(({ score }) => score)),
    },
  ]
  const model = encodeModel({
    name: 'detector',
    inputs: [{ name: 'image', shape: [3, size.height, size.width], dtype: 'float32' }],
    outputs: results.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
    initializers: results.map((result) => ({ ...result, name: `${result.name}_value` })),
    nodes: results.map(({ name }) => ({
      ...{ op: 'Identity', name, inputs: [`${name}_value`], outputs: [name], attributes: {} },
    })),
  })
  await writeFile(join(folder, 'model.onnx'), model)
}
