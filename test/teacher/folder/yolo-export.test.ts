import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodeModel } from '../../../src/graph/onnx-proto.js'
import { letterbox } from '../../../src/teacher/folder/letterbox.js'
import { isYoloExport, readYoloExport, yoloBoxes } from '../../../src/teacher/folder/yolo-export.js'
import { openTeacher } from '../../../src/teacher/open-teacher.js'
import { readOnnxMetadata } from '../../../src/weights/onnx-metadata.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const place = await temporaryFolder()
let count = 0

/** A model of one operator that says this of itself. */
async function modelThatSays(metadata: Readonly<Record<string, string>>): Promise<string> {
  const file = join(place, `${count++}.onnx`)
  const port = { shape: [1, 3, 64, 64], dtype: 'float32' } as const
  const nodes = [{ op: 'Identity', name: 'n', inputs: ['images'], outputs: ['output0'], attributes: {} }]
  const graph = {
    ...{ name: 'g', nodes, initializers: [] },
    ...{ inputs: [{ name: 'images', ...port }], outputs: [{ name: 'output0', ...port }] },
  }
  await writeFile(file, encodeModel(graph, metadata))
  return file
}

describe('what an export says of itself', () => {
  it('is read as Python prints it', async () => {
    const names = String.raw`{0: 'person', 7: "dog's bowl", 8: 'caf\xe9 \'x\'', 9: "a, b: {c}"}`
    const file = await modelThatSays({
      ...{ names, stride: '64', imgsz: '[480, 640]', task: 'segment' },
      args: "{'batch': 1, 'nms': True}",
    })
    expect(await readYoloExport(file)).toEqual({
      names: new Map([
        [0, 'person'],
        [7, "dog's bowl"],
        [8, "café 'x'"],
        [9, 'a, b: {c}'],
      ]),
      ...{ size: { height: 480, width: 640 }, stride: 64, isEndToEnd: true, hasMasks: true },
    })
    expect(await isYoloExport(file)).toBe(true)
  })

  it('may be nothing', async () => {
    const file = await modelThatSays({})
    expect(await readYoloExport(file)).toEqual({
      ...{ names: new Map(), size: { height: 640, width: 640 }, stride: 32 },
      ...{ isEndToEnd: false, hasMasks: false },
    })
    expect(await isYoloExport(file)).toBe(false)
  })

  it('has texts of up to a mebibyte', async () => {
    const long = 'x'.repeat(900_000)
    const file = await modelThatSays({ names: long, more: `${long}${long}` })
    expect(await readOnnxMetadata(file)).toEqual(
      new Map([
        ['names', long],
        ['more', ''],
      ]),
    )
  })

  it.each([
    ['names', 'a'],
    ['names', '{}'],
    ['names', "{0: 'a'"],
    ['names', "{'a': 'b'}"],
    ['names', "{0: 'a' 1: 'b'}"],
    ['names', '{0: 1}'],
    ['names', `{0: '${'\\'.repeat(100_001)}'}`],
    ['stride', '0'],
    ['stride', 'a'],
    ['imgsz', '[64]x'],
    ['imgsz', '[64, 64, 64]'],
    ['imgsz', '[1000000000, 64]'],
    ['task', 'pose'],
    ['task', 'obb'],
  ])('is refused where %s is %.30s', async (key, value) => {
    const file = await modelThatSays({ names: "{0: 'a'}", stride: '32', [key]: value })
    await expect(readYoloExport(file)).rejects.toThrow(new RegExp(`\\.onnx: its ${key} is`))
    await expect(openTeacher(file)).rejects.toThrow(new RegExp(`\\.onnx: its ${key} is`))
  })

  it('is held against the graph', async () => {
    const file = await modelThatSays({ names: "{0: 'a'}", stride: '32' })
    await expect(openTeacher(file, { threads: 1 })).rejects.toThrow(
      /output0 is \[1, 3, 64, 64\], not \[1, 5, boxes\]/,
    )
  })
})

it('boxes whose scores are logits get their probabilities', () => {
  const said = {
    names: new Map(),
    size: { width: 1, height: 1 },
    stride: 32,
    isEndToEnd: false,
    hasMasks: false,
  }
  const data = Float32Array.from([5, 6, 5, 6, 2, 2, 4, 4, 0, -3])
  const boxes = yoloBoxes({ data, shape: [1, 5, 2], dtype: 'float32' }, said, 1, 0.1)
  expect(boxes).toEqual([{ xyxy: [4, 3, 6, 7], score: 0.5, label: 0 }])
})

it('a frame that is left open is no larger than the stride wants', () => {
  expect(letterbox({ width: 100, height: 50 }, { width: 64, height: 64 }, 32)).toEqual({
    ...{ width: 64, height: 32, left: 0, top: 0 },
    covered: { width: 64, height: 32 },
  })
  expect(letterbox({ width: 100, height: 41 }, { width: 64, height: 64 })).toEqual({
    ...{ width: 64, height: 64, left: 0, top: 19 },
    covered: { width: 64, height: 26 },
  })
  expect(letterbox({ width: 3000, height: 1 }, { width: 64, height: 64 }).covered.height).toBe(1)
})
