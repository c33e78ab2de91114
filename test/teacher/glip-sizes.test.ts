import { cp, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { floats, longs, Session } from '../../src/graph/session.js'
import { encodePrompt } from '../../src/model/encode-prompt.js'
import { fitPicture, toPicture, writeFitted } from '../../src/model/fit-picture.js'
import { modelFiles, readModelConfig, writeModelFolder } from '../../src/model/model-folder.js'
import { anchorsOf } from '../../src/model/network/anchors.js'
import { type GlipConfig, inputSizes } from '../../src/model/network/config.js'
import { createTokenizer } from '../../src/model/word-piece.js'
import type { Picture } from '../../src/pictures/picture.js'
import { hashTeacher, type OpenOptions, openTeacher } from '../../src/teacher/open-teacher.js'
import { selectBoxes } from '../../src/teacher/select-boxes.js'
import type { Query } from '../../src/teacher/teacher.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { tinyOfficial, tinyOfficialSpecs } from '../helpers/tiny-official.js'
import { picture } from './pictures.js'

const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'cat', 'dog', 'red', 'stripe']
const vocabulary = new Map(words.map((word, index) => [word, index]))
const config: GlipConfig = {
  ...tinyOfficial,
  image_sizes: [
    [64, 96],
    [96, 64],
    [64, 64],
  ],
  image_resize: { shortest_edge: 64, longest_edge: 96 },
  selection: { threshold: 0.05, level_candidates: 50, boxes: 12 },
}
const folder = await temporaryFolder()
const model = join(folder, 'model')
const all = { floor: 0, nms: 0.6, max_boxes: 100 }

const writeTiny = (path: string, tiny: GlipConfig) => {
  const draw = random('sizes')
  const parameters = tinyOfficialSpecs.map(({ name, shape }) => ({
    name,
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => draw.normal() * 0.4),
  }))
  return writeModelFolder(path, { config: tiny, vocabulary, parameters, card: '# tiny', batch: 2 })
}

beforeAll(() => writeTiny(model, config))

/** Wide, tall and square pictures in turn. */
const pictures: Picture[] = [0, 1, 2].flatMap((index) => {
  const { data, width } = picture(index)
  const cut = (w: number, h: number): Picture => {
    const rows = Array.from({ length: h }, (_, y) => data.subarray(y * width * 3, (y * width + w) * 3))
    return { width: w, height: h, scale: 1, data: Uint8Array.from(rows.flatMap((row) => [...row])) }
  }
  return [cut(33, 23), cut(20, 33), cut(30, 30)]
})
const text = 'a red stripe, a dog'
const spans = [
  [0, 12],
  [14, 19],
] as const
const queries = pictures.map((shown) => ({ picture: shown, text, phrases: spans }))

/** Of 96 x 24 pixels when it is shown: of the model's sizes 64 x 96 holds it, of all sizes 32 x 96. */
const wide = {
  picture: { width: 40, height: 10, scale: 1, data: picture(1).data.slice(0, 40 * 10 * 3) },
  ...{ text, phrases: spans },
}

/** Opening a size is what takes time here: who asks for no more than needed is quick. */
async function answers(path: string, options: OpenOptions, asked: readonly Query[]) {
  const teacher = await openTeacher(path, { threads: 1, ...options })
  const found = await teacher.detect(asked, all)
  await teacher.close()
  return found
}

describe('a model with inputs of several sizes', () => {
  it('has a file for each over the same weights', async () => {
    expect(modelFiles(await readModelConfig(model))).toEqual([
      'model.onnx',
      'model-96x64.onnx',
      'model-64x64.onnx',
    ])
    const { size } = await stat(join(model, 'model.safetensors'))
    for (const file of modelFiles(config)) {
      const bytes = await readFile(join(model, file))
      expect(bytes.includes('model.safetensors')).toBe(true)
    }
    const values = tinyOfficialSpecs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
    expect(size).toBeLessThan(4 * values + 100_000)
  })

  it('finds in each picture what its network says of the size that suits it, in the order of the queries', async () => {
    const teacher = await openTeacher(model, { threads: 1, open_sizes: 1 })
    expect(teacher.batch).toBe(16)
    const found = await teacher.detect(queries, all)
    // Who asks decides how many boxes a picture may have, as GLIP does for LVIS.
    const [more = []] = await teacher.detect(queries.slice(0, 1), { ...all, boxes: 20 })
    expect(more.slice(0, 12)).toEqual(found[0])
    expect(more.length).toBeGreaterThan(12)
    await teacher.close()

    const sizes = inputSizes(config)
    const seen = new Set<number>()
    const tokenizer = createTokenizer(vocabulary)
    const length = config.text.max_tokens
    const { ids, mask } = encodePrompt(text, tokenizer, length)
    const opened = modelFiles(config).map((file) => Session.open(join(model, file), { threads: 1 }))
    const both = <T extends Float32Array | BigInt64Array>(values: T) => [...values, ...values]
    for (const [index, shown] of pictures.entries()) {
      const { input, covered } = fitPicture(shown, { shortest_edge: 64, longest_edge: 96 }, sizes)
      seen.add(input)
      const { height, width } = sizes[input]
      const image = new Float32Array(2 * height * width * 3)
      writeFitted(image, 0, shown, covered, sizes[input], config)
      const session = await opened[input]
      const { scores, boxes, objectness } = await session.run({
        image: floats(image, [2, height, width, 3]),
        ids: longs(both(ids) as unknown as number[], [2, length]),
        mask: floats(both(mask) as unknown as number[], [2, length]),
      })
      const { count, levelStarts } = anchorsOf(config, sizes[input])
      const first = ({ data }: typeof scores, each: number) => (data as Float32Array).subarray(0, each)
      const answer = {
        scores: first(scores, count * length),
        boxes: first(boxes, count * 4),
        objectness: first(objectness, count),
        length,
      }
      const tokens = [
        [1, 2, 3],
        [5, 6],
      ]
      const expected = selectBoxes(answer, levelStarts, tokens, covered, config.selection!, 0.6)
      expect(expected.length).toBeGreaterThan(3)
      expect(found[index].length).toBe(expected.length)
      found[index].forEach(({ phrase, xyxy, score }, at) => {
        expect(phrase).toBe(expected[at].phrase)
        expect(score).toBeCloseTo(expected[at].score, 4)
        toPicture(expected[at].xyxy, covered, shown, 'pixel_centres').forEach((value, corner) => {
          expect(xyxy[corner]).toBeCloseTo(value, 2)
        })
      })
    }
    for (const session of opened) await (await session).close()
    expect(seen).toEqual(new Set([0, 1, 2]))
  })

  it('is shown a picture padded to the next multiples of 32 where it is asked exactly', async () => {
    const other = join(folder, 'other')
    await writeTiny(other, { ...config, image_sizes: [[32, 96]] })
    const asked = [...queries, wide]
    const fast = await answers(model, { sizes: 'fast' }, asked)
    const exact = await answers(model, { sizes: 'exact' }, asked)
    expect(exact.slice(0, -1)).toEqual(fast.slice(0, -1))
    expect(exact.at(-1)).not.toEqual(fast.at(-1))
    const [ordinary, narrow] = await answers(other, {}, [queries[0], wide])
    expect(exact.at(-1)).toEqual(narrow)
    expect(narrow.length).toBeGreaterThan(0)
    expect(await answers(model, { sizes: 'auto' }, [queries[0], wide])).toEqual([exact[0], narrow])
    // One with a single size was made for that size.
    expect(ordinary).not.toEqual(exact[0])
    expect(await answers(other, { sizes: 'auto' }, [queries[0]])).toEqual([ordinary])
    const square = join(folder, 'square')
    await writeTiny(square, { ...config, image_resize: undefined, image_sizes: undefined })
    await expect(openTeacher(square, { sizes: 'exact' })).rejects.toThrow('on one square')
  })

  it('is another one where the file of one size is', async () => {
    const before = await hashTeacher(model)
    const file = join(model, 'model-64x64.onnx')
    const bytes = await readFile(file)
    await writeFile(file, Buffer.concat([bytes, Buffer.from([0x32, 0])]))
    expect(await hashTeacher(model)).not.toBe(before)
    await writeFile(file, bytes)
    expect(await hashTeacher(model)).toBe(before)
  })
})

describe('a model folder whose files do not fit each other', () => {
  it.each([
    [
      { image_sizes: [[96, 96]] },
      /config\.json says that pictures are 96 x 96; the model's input `image` is \[2, 64, 96, 3\]/,
    ],
    [
      { text: { ...config.text, vocab_size: 7 } },
      /token "dog" has the number 7; text\.vocab_size of config\.json is 7/,
    ],
  ])('is refused: %j', async (edit, message) => {
    const copy = join(folder, `copy-${JSON.stringify(edit).length}`)
    await cp(model, copy, { recursive: true })
    const path = join(copy, 'config.json')
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...edit }))
    await expect(openTeacher(copy, { threads: 1 })).rejects.toThrow(message)
  })
})
