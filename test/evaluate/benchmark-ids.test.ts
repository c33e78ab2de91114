import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  boxOf,
  detectionsJson,
  type FileIds,
  numberOf,
  readDetections,
  refuseForeign,
  requireId,
} from '../../src/evaluate/benchmark-ids.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const truth: FileIds = {
  path: 'truth.json',
  images: [{ id: 7, file: 'photos/seven.jpg' }, { id: 'eight' }, { id: 9, file: 'C:\\photos\\nine.tar.gz' }],
  categories: [{ id: 1 }, { id: 18 }],
  places: {
    image: new Map([
      ['7', 0],
      ['eight', 1],
      ['9', 2],
    ]),
    category: new Map([
      ['1', 0],
      ['18', 1],
    ]),
  },
}

async function read(entries: unknown, notices: string[] = []) {
  const path = join(await temporaryFolder(), 'found.json')
  await writeFile(path, typeof entries === 'string' ? entries : JSON.stringify(entries))
  return [...(await readDetections(path, truth, 'pictures', (text) => notices.push(text)))]
}
const entry = { image_id: 7, category_id: 18, bbox: [1, 2, 3, 4], score: 0.5 }

describe('detections in COCO’s result form', () => {
  it('are of places in the lists of the truth, and are written with its ids', async () => {
    const found = await read([entry, { ...entry, image_id: 'eight', category_id: '1' }])
    expect(found).toEqual([
      { image: 0, category: 1, bbox: [1, 2, 3, 4], score: 0.5 },
      { image: 1, category: 0, bbox: [1, 2, 3, 4], score: 0.5 },
    ])
    expect([...detectionsJson(found, truth)].join('')).toBe(
      '[{"image_id":7,"category_id":18,"bbox":[1,2,3,4],"score":0.5},\n{"image_id":"eight","category_id":1,"bbox":[1,2,3,4],"score":0.5}]\n',
    )
    expect([...detectionsJson([], truth)].join('')).toBe('[]\n')
    // Numbers beyond what a double holds exactly.
    const [large] = await read(
      `[{"image_id":7,"category_id":1,"bbox":[12345678901234567890,0,1,1],"score":12345678901234567890}]`,
    )
    expect([large.bbox[0], large.score]).toEqual([12345678901234567000, 12345678901234567000])
  })

  it.each([
    ['no picture', { image_id: undefined }],
    ['no category', { category_id: undefined }],
    ['no score', { score: 'high' }],
    ['three numbers', { bbox: [1, 2, 3] }],
    ['five numbers', { bbox: [1, 2, 3, 4, 5] }],
    ['a text for a side', { bbox: [1, 2, 3, '4'] }],
    ['a box that is none', { bbox: 'here' }],
  ])('are refused with %s, by their place', async (_, change) => {
    const expected = expect.objectContaining({
      message: expect.stringMatching(/found\.json: \[1\]: expected image_id/),
    })
    await expect(read([entry, { ...entry, ...change }])).rejects.toEqual(expected)
    await expect(read([entry, { ...entry, ...change }])).rejects.not.toThrow('mask')
  })

  it('are refused as masks alone, which are told as such', async () => {
    await expect(read([{ ...entry, bbox: undefined, segmentation: {} }])).rejects.toThrow(
      'it has a mask alone',
    )
    await expect(read([{ ...entry, bbox: [1], segmentation: {} }])).rejects.not.toThrow('mask')
    await expect(read([null])).rejects.toThrow('[0]: expected image_id')
  })

  it('of categories that the truth does not list count neither way, which is told once', async () => {
    const notices: string[] = []
    expect(await read([entry], notices)).toHaveLength(1)
    expect(notices).toEqual([])
    const found = await read([entry, { ...entry, category_id: 5 }, { ...entry, category_id: 5 }], notices)
    expect(found.map(({ category }) => category)).toEqual([1, -1, -1])
    expect(notices).toHaveLength(1)
    expect(notices[0]).toMatch(/: 2 of 3 detections are of categories .* \(5\); .* It lists 1, 18\.$/)
    const many = Array.from({ length: 12 }, (_, at) => ({ ...entry, category_id: 100 + at }))
    await read(many, notices)
    expect(notices[1]).toContain('108, 109 and 2 more)')
    await read(many.slice(0, 10), notices)
    expect(notices[2]).toContain('108, 109)')
  })

  it('of other pictures are refused; where they are called by their files, with the id that is wanted', async () => {
    await expect(read([{ ...entry, image_id: 8 }])).rejects.toThrow(
      /1 picture that truth\.json does not have: 8\. Give/,
    )
    const hint = (id: number, name: string) => `the id, which of ${name} is ${id}.`
    for (const [name, id] of [
      ['seven', 7],
      ['seven.png', 7],
      ['other/seven.jpg', 7],
      ['x\\nine.tar.jpg', 9],
    ] as const)
      await expect(read([{ ...entry, image_id: name }])).rejects.toThrow(hint(id, name))
    await expect(read([{ ...entry, image_id: 'ten.jpg' }])).rejects.not.toThrow('names of files')
  })
})

describe('answers about what the truth does not have', () => {
  it('are refused by their names, each once, ten at most', () => {
    const refuse = (ids: readonly (string | number)[]) => () =>
      refuseForeign('a.json', 'pairs', ids, 'b.json', 'So. ')
    expect(refuse([])).not.toThrow()
    expect(refuse([3, 3, 'x'])).toThrow(
      'a.json: it has answers about 2 pairs that b.json does not have: 3, x. So. Give',
    )
    const ids = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    expect(refuse(ids.slice(0, 10))).toThrow('have: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10. So.')
    expect(refuse(ids)).toThrow('9, 10 and 1 more. So.')
  })
})

describe('ids, numbers and boxes of strangers', () => {
  it('are numbers, also as a text', () => {
    expect([numberOf(0.5, 'x'), numberOf('0.5', 'x'), numberOf(5n, 'x'), numberOf('-1e3', 'x')]).toEqual([
      0.5, 0.5, 5, -1000,
    ])
    expect(numberOf(Number.NaN, 'x')).toBeNaN()
    for (const wrong of ['', ' ', 'a', null, undefined, true, [1]])
      expect(() => numberOf(wrong, 'here')).toThrow('here: expected a number.')
  })

  it('are ids by one text', () => {
    expect(requireId(7, 'x')).toEqual({ raw: 7, key: '7' })
    expect(() => requireId({}, 'here')).toThrow('here: expected an id, a number or a text.')
  })

  it('are boxes of four finite numbers', () => {
    expect(boxOf([1, 2n, 3, 4])).toEqual([1, 2, 3, 4])
    for (const wrong of [
      [1, 2, 3],
      [1, 2, 3, Number.POSITIVE_INFINITY],
      [1, 2, 3, null],
      { length: 4 },
      null,
    ])
      expect(boxOf(wrong)).toBeUndefined()
  })
})
