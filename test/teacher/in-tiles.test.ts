import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import type { Picture } from '../../src/pictures/picture.js'
import { inTiles, tilePlaces, tilesConfig } from '../../src/teacher/in-tiles.js'
import type { PhraseDetection, Query, Teacher } from '../../src/teacher/teacher.js'

/** Where SAHI's tiles begin: bench/parity/sahi_boxes.py. */
const { tiles: cases } = JSON.parse(
  readFileSync(new URL('../boxes/fixtures/sahi.json', import.meta.url), 'utf8'),
) as {
  readonly tiles: readonly {
    readonly width: number
    readonly height: number
    readonly size: number
    readonly overlap: number
    readonly places: readonly (readonly [number, number])[]
  }[]
}

/** A black picture with white things. */
function drawn(width: number, height: number, things: readonly Xyxy[]): Picture {
  const data = new Uint8Array(3 * width * height)
  for (const [x1, y1, x2, y2] of things)
    for (let y = y1; y < y2; y++) data.fill(255, 3 * (y * width + x1), 3 * (y * width + x2))
  return { width, height, data, scale: 1 }
}

/**
 * A teacher that boxes the white things of a picture that touch one another's rows, if they are at least `share` of its
 * width: what is small it does not see.
 */
function whiteTeacher(share: number, asked: Picture[] = []): Teacher {
  const detect = ({ picture, phrases }: Query): PhraseDetection[] => {
    asked.push(picture)
    const { width, height, data } = picture
    const boxes: number[][] = []
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        if (data[3 * (y * width + x)] !== 255) continue
        const near = boxes.find(([x1, y1, x2, y2]) => x >= x1 - 1 && x <= x2 && y >= y1 - 1 && y <= y2)
        if (!near) boxes.push([x, y, x + 1, y + 1])
        else
          near.splice(0, 4, Math.min(near[0], x), near[1], Math.max(near[2], x + 1), Math.max(near[3], y + 1))
      }
    const seen = boxes.filter(([x1, , x2]) => x2 - x1 >= share * width)
    return phrases.flatMap((_, phrase) =>
      seen.map((xyxy) => ({
        phrase,
        xyxy: xyxy as unknown as Xyxy,
        score: 0.5 + (xyxy[2] - xyxy[0]) / 1000,
      })),
    )
  }
  return {
    ...{ name: 'white', hash: 'w', pictureSide: 64, batch: 2, parallel: 1, maxTokens: 9 },
    tokensOf: () => 1,
    detect: async (queries) => queries.map(detect),
    close: async () => {},
  }
}

const options = { floor: 0, nms: 1, max_boxes: 20 }
const query = (picture: Picture): Query => ({ picture, text: 'a dot', phrases: [[0, 5]] })
const boxes = (answer: readonly PhraseDetection[] = []) => answer.map(({ xyxy }) => xyxy).sort()

describe('tiles', () => {
  it.each(cases.map((one) => [`${one.width} x ${one.height} in ${one.size}`, one] as const))(
    'begin where those of SAHI begin: %s',
    (_, { places, ...one }) => {
      expect(tilePlaces(one, one)).toEqual(places)
    },
  )

  it('are refused where a picture has more than anybody waits for, before one is made', () => {
    expect(tilePlaces({ width: 20_000, height: 20 }, { size: 32, overlap: 0.9 })).toHaveLength(4993)
    expect(() => tilePlaces({ width: 20_000, height: 20_000 }, { size: 32, overlap: 0.9 })).toThrow(
      /^tiles: a picture of 20000 x 20000 pixels has 24930049 tiles of size 32 with overlap 0.9, and 10000 /,
    )
  })

  it('show a teacher what is small in the whole, at its place', async () => {
    const things: Xyxy[] = [
      [5, 8, 13, 16],
      [300, 200, 308, 208],
      [380, 280, 388, 288],
    ]
    const picture = drawn(400, 300, things)
    const teacher = whiteTeacher(0.05)
    expect((await teacher.detect([query(picture)], options))[0]).toEqual([])
    const tiled = inTiles(teacher, tilesConfig.parse({ size: 128 }))
    expect(tiled.pictureSide).toBe(Number.POSITIVE_INFINITY)
    const [found] = await tiled.detect([query(picture)], options)
    expect(boxes(found)).toEqual([...things].sort())
  })

  it('put together what their edges have cut, and what the whole sees with its parts', async () => {
    // From tile to tile there are 80 pixels, of which each two share 20.
    const wide: Xyxy = [40, 30, 250, 50]
    const picture = drawn(300, 100, [wide])
    const tiled = (given: object) => inTiles(whiteTeacher(0), tilesConfig.parse({ size: 100, ...given }))
    const ask = async (given: object) => boxes((await tiled(given).detect([query(picture)], options))[0])
    // The whole sees all of it, and its parts are suppressed or grow together into another.
    expect(await ask({ merge: 'drop' })).toEqual([wide])
    expect(await ask({ merge: 'nmm' })).toEqual([wide])
    expect((await ask({})).map(([x1, , x2]) => [x1, x2])).toContainEqual([40, 250])
    // Without the whole the parts touch in the shared strips alone, which are less than half of each.
    expect((await ask({ whole: false, merge: 'nms' })).length).toBe(3)
    expect(await ask({ whole: false, merge: 'drop' })).toEqual([])
    const grown = await ask({ whole: false, match: 0.1 })
    expect(grown.length).toBeLessThan(3)
    expect(Math.max(...grown.map(([x1, , x2]) => x2 - x1))).toBeGreaterThan(100)
  })

  it('keeps phrases, labels and pictures apart, and no more boxes than asked for', async () => {
    const asked: Picture[] = []
    const one = drawn(200, 100, [[10, 10, 20, 20]])
    const small = drawn(60, 60, [[10, 10, 20, 20]])
    const tiled = inTiles(whiteTeacher(0, asked), tilesConfig.parse({ size: 100, overlap: 0 }))
    const both: Query = {
      picture: one,
      text: 'a dot and a spot',
      phrases: [
        [0, 5],
        [10, 16],
      ],
    }
    const [first, second, third] = await tiled.detect([both, query(small), query(one)], options)
    expect(first?.map(({ phrase, xyxy }) => [phrase, ...xyxy])).toEqual([
      [0, 10, 10, 20, 20],
      [1, 10, 10, 20, 20],
    ])
    expect(boxes(second)).toEqual([[10, 10, 20, 20]])
    expect(boxes(third)).toEqual([[10, 10, 20, 20]])
    // The whole and two tiles for two queries; the small picture once, as it is.
    expect(asked).toHaveLength(7)
    expect(asked.filter((picture) => picture === small)).toHaveLength(1)
    // Queries of one picture see the same tile, so that a model reads it once.
    expect(new Set(asked).size).toBe(4)

    const labelled: Teacher = {
      ...whiteTeacher(0),
      detect: async (queries) =>
        queries.map(() =>
          ['dog', 'cat'].map((label) => ({ phrase: 0, xyxy: [0, 0, 9, 9] as Xyxy, score: 0.5, label })),
        ),
    }
    const [named] = await inTiles(labelled, tilesConfig.parse({ size: 100, whole: false })).detect(
      [query(small)],
      options,
    )
    expect(named?.map(({ label }) => label).sort()).toEqual(['cat', 'dog'])
    const [few] = await inTiles(labelled, tilesConfig.parse({ size: 100 })).detect([query(one)], {
      ...options,
      max_boxes: 1,
    })
    expect(few).toHaveLength(1)
  })
})
