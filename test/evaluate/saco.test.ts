import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { detectPairs } from '../../src/evaluate/run-benchmark.js'
import { readSacoTruth, sacoScores } from '../../src/evaluate/saco.js'
import type { Teacher } from '../../src/teacher/teacher.js'
import { runCommand } from '../helpers/run-command.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const pair = (id: number, text: string, more: object = {}) => ({
  ...{ id, text_input: text, file_name: 'a.jpg', width: 200, height: 100 },
  ...{ is_instance_exhaustive: 1, ...more },
})
const box = (image: number, bbox: readonly number[], more: object = {}) => ({
  ...{ id: 1, image_id: image, category_id: 1, bbox, iscrowd: 0, ...more },
})
const categories = [{ id: 1, name: 'visual' }]
const file = {
  images: [pair(1, 'the dog'), pair(2, 'a cat'), pair(3, 'an owl', { is_instance_exhaustive: 0 })],
  annotations: [box(1, [0.1, 0.1, 0.5, 0.5])],
  categories,
}

async function write(...files: object[]): Promise<string[]> {
  const folder = await temporaryFolder()
  const paths = files.map((_, at) => join(folder, `${at}.json`))
  for (const [at, content] of files.entries()) await writeFile(paths[at], JSON.stringify(content))
  return paths
}

describe('SA-Co', () => {
  it('has pairs that all annotators boxed exhaustively, with boxes or without', async () => {
    const { images, pairs, truths, isNormalised } = await readSacoTruth(await write(file, file))
    expect(pairs.map(({ place, text }) => [images[place].id, text])).toEqual([
      [1, 'the dog'],
      [2, 'a cat'],
    ])
    expect(truths.map((boxes) => boxes.length)).toEqual([1, 1])
    expect(isNormalised).toBe(true)
    const partly = {
      ...file,
      images: file.images.map((image) => ({ ...image, is_instance_exhaustive: image.id % 2 })),
    }
    expect((await readSacoTruth(await write(file, partly))).pairs.map(({ place }) => place)).toEqual([0])
  })

  it.each([
    [
      { ...file, images: [{ ...pair(1, 'x'), text_input: undefined }] },
      /images\[0\]\.text_input: expected the phrase/,
    ],
    [
      { ...file, images: [{ ...pair(1, 'x'), is_instance_exhaustive: undefined }] },
      /is_instance_exhaustive: expected 0 or 1/,
    ],
    [{ ...file, images: [pair(1, 'x', { width: 'x' })] }, /images\[0\]\.width: expected a number/],
    [{ ...file, images: [pair(1, 'x'), pair(1, 'y')] }, /images\[1\]\.id: there are several pairs 1/],
    [{ ...file, annotations: [box(1, [0, 0, 1])] }, /annotations\[0\]\.bbox: expected x, y/],
    [{ ...file, annotations: [box(9, [0, 0, 1, 1])] }, /annotations: there is no pair 9/],
    [{ images: file.images, annotations: [] }, /categories: expected a list/],
    [{ ...file, images: [file.images[2]], annotations: [] }, /no pair is boxed exhaustively/],
  ])('says the first fault of a file: %#', async (content, message) => {
    await expect(readSacoTruth(await write(content))).rejects.toThrow(message)
  })

  it('says where annotators were asked different things', async () => {
    const other = { ...file, images: [pair(1, 'the dog'), pair(2, 'a dog'), pair(3, 'an owl')] }
    await expect(readSacoTruth(await write(file, other))).rejects.toThrow(
      /asks "a cat" in pair 2; in .*1\.json "a dog" is asked/,
    )
    const fewer = { ...file, images: file.images.slice(0, 2) }
    await expect(readSacoTruth(await write(file, fewer))).rejects.toThrow(
      /pair 3; in .* there is no such pair/,
    )
  })

  it('refuses predictions in other units, and of another category', async () => {
    const truth = await readSacoTruth(await write(file))
    const found = { image: 0, category: 0, bbox: [20, 10, 100, 50] as const, score: 0.9 }
    expect(() => sacoScores(truth, [found], 0.5)).toThrow(
      'The predictions are in pixels; the boxes of the truth',
    )
    expect(() => sacoScores(truth, [{ ...found, category: -1 }], 0.5)).toThrow(
      /for pair 1 is of a category that the truth does not have: it has 1/,
    )
    const pixels = await readSacoTruth(await write({ ...file, annotations: [box(1, [20, 10, 100, 50])] }))
    expect(sacoScores(pixels, [found], 0.5).pmf1).toBeCloseTo(1, 3)
    const share = { ...found, bbox: [0.1, 0.1, 0.5, 0.5] as const }
    expect(() => sacoScores(pixels, [share], 0.5)).toThrow('The predictions are in shares of the picture')
  })

  it('asks a model for the whole phrase, in the units of the truth', async () => {
    const paths = await write({
      ...file,
      images: [...file.images, pair(4, 'the dog', { file_name: 'b.jpg' })],
    })
    const truth = await readSacoTruth(paths)
    const images = await temporaryFolder()
    const picture = sharp({ create: { width: 200, height: 100, channels: 3, background: '#777' } }).jpeg()
    for (const name of ['a.jpg', 'b.jpg']) await writeFile(join(images, name), await picture.toBuffer())
    const asked: string[] = []
    const teacher: Teacher = {
      ...{ name: 'told', hash: '', pictureSide: 50, batch: 1, parallel: 1, maxTokens: 60 },
      tokensOf: (text) => text.length,
      async detect(queries, { floor }) {
        asked.push(...queries.map(({ text, phrases: [span] }) => `${text} ${span} ${floor}`))
        // The picture of 200 pixels is seen at 50.
        return queries.map(({ text }) =>
          text === 'the dog' ? [{ phrase: 0, xyxy: [5, 2.5, 30, 15] as const, score: 0.9 }] : [],
        )
      },
      close: async () => {},
    }
    const config = { names_a_prompt: 1, floor: 0.1, nms: 0.6, max_boxes: 100 }
    const found = await detectPairs(truth, { teacher, images, config })
    const sizeless = { ...truth, pairs: truth.pairs.map((pair) => ({ ...pair, width: undefined })) }
    await expect(detectPairs(sizeless, { teacher, images, config })).rejects.toThrow(
      'The truth gives no width and height of pair 1, by which boxes become shares.',
    )
    expect(asked).toEqual(['the dog 0,7 0.1', 'a cat 0,5 0.1', 'the dog 0,7 0.1'])
    expect(
      found.map(({ image, bbox }) => [image, bbox.map((value) => Math.round(value * 1e9) / 1e9)]),
    ).toEqual([
      [0, [0.1, 0.1, 0.5, 0.5]],
      [3, [0.1, 0.1, 0.5, 0.5]],
    ])
    // Pair 4 has no box in the truth: one of two absent things is said to be there.
    const { pmf1, il_fpr } = sacoScores(truth, found, 0.5)
    expect(pmf1).toBeCloseTo(1, 3)
    expect(il_fpr).toBeCloseTo(0.5, 5)
  })

  it('is scored by the command line, by one file or several', async () => {
    const none = { ...file, annotations: [] }
    const [one, two] = await write(file, none)
    const folder = await temporaryFolder()
    const found = join(folder, 'found.json')
    await writeFile(
      found,
      JSON.stringify([{ image_id: 1, category_id: 1, bbox: [0.1, 0.1, 0.5, 0.5], score: 0.6 }]),
    )
    const scores = async (...args: string[]) => {
      const { out, err } = await runCommand('benchmark', 'saco', '--predictions', found, ...args, '--json')
      expect(err).not.toMatch(/error/i)
      return JSON.parse(out)
    }
    const both = await scores('--truth', two, '--truth', one)
    expect(both.truth).toEqual([two, one])
    expect(both.scores.saco).toMatchObject({ il_mcc: expect.closeTo(1, 5), cgf1: expect.closeTo(1, 3) })
    // By the second annotator alone the box is wrong.
    expect((await scores('--truth', two)).scores.saco).toMatchObject({
      il_mcc: 0,
      il_fpr: expect.closeTo(0.5, 5),
    })
    const higher = await scores('--truth', one, '--set', 'presence_score=0.7')
    expect(higher.scores.saco).toMatchObject({ il_recall: 0 })
    await writeFile(found, JSON.stringify([{ image_id: 7, category_id: 1, bbox: [0, 0, 1, 1], score: 1 }]))
    const foreign = await runCommand('benchmark', 'saco', '--predictions', found, '--truth', one)
    expect(foreign).toMatchObject({ code: 2, out: '' })
    expect(foreign.err).toMatch(/answers about 1 pair that .* does not have: 7\./)
    const { err } = await runCommand(
      'benchmark',
      'coco',
      '--truth',
      one,
      '--truth',
      two,
      '--predictions',
      found,
    )
    expect(err).toMatch(/coco has one --truth/)
  })
})
