import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { evaluateConfig } from '../../src/evaluate/config.js'
import { evaluateModel } from '../../src/evaluate/evaluate-model.js'
import type { Picture } from '../../src/pictures/picture.js'
import type { GroundingRow, ImageRow, Phrase, PhraseRow, Region } from '../../src/rows/rows.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { PhraseDetection, Query, Teacher } from '../../src/teacher/teacher.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const colours = {
  red: '#e11',
  green: '#1c1',
  blue: '#22e',
  yellow: '#ee2',
  black: '#000',
  white: '#fff',
  grey: '#888',
  purple: '#818',
} as const
type Colour = keyof typeof colours
/** Left and right, in pixels of the stored picture. */
const places: readonly Xyxy[] = [
  [8, 8, 48, 48],
  [72, 40, 112, 80],
]

/** Two squares in two colours on grey, and captions that name one or both. */
const pictures: readonly { readonly key: string; readonly pair: readonly [Colour, Colour] }[] = [
  ['red', 'blue'],
  ['blue', 'yellow'],
  ['green', 'black'],
  ['yellow', 'red'],
  ['white', 'green'],
].map(([left, right], index) => ({ key: `${index}`, pair: [left as Colour, right as Colour] }))

const storage = openStorage(await temporaryFolder())
const set = { storage, shards: ['00000'], stage: 'gold' }

/** The captions of a picture are its own, so that a text tells whether it is changed. */
function captionOf(key: string, [left, right]: readonly [Colour, Colour], caption: number) {
  const texts = [
    `a ${left} square on the left and a ${right} square, number ${key}`,
    `see: a ${right} square, number ${key}`,
    'square',
  ]
  const phrases: Phrase[] = []
  const regions: Region[] = []
  const add = (words: string, boxes: readonly Xyxy[]) => {
    const start = (texts[caption] as string).indexOf(words)
    const end = start + words.length
    const phrase = phrases.push({ caption, text: words, start, end, head: 'square' }) - 1
    for (const xyxy of boxes) regions.push({ caption, phrase, start, end, xyxy, score: 1, origin: 'gold' })
  }
  if (caption === 2) add('square', places)
  else {
    if (caption === 0) add(`a ${left} square`, places.slice(0, 1))
    add(`a ${right} square`, places.slice(1))
  }
  return { text: texts[caption] as string, phrases, regions }
}

const rows = await Promise.all(
  pictures.map(async ({ key, pair }) => {
    const squares = await Promise.all(
      pair.map(async (colour, at) => ({
        input: await sharp({ create: { width: 40, height: 40, channels: 3, background: colours[colour] } })
          .png()
          .toBuffer(),
        left: places[at]?.[0] as number,
        top: places[at]?.[1] as number,
      })),
    )
    const bytes = await sharp({ create: { width: 120, height: 90, channels: 3, background: '#999' } })
      .composite(squares)
      .png()
      .toBuffer()
    const captions = [0, 1, 2].map((caption) => captionOf(key, pair, caption))
    let first = 0
    const regions = captions.flatMap((caption) => {
      const shifted = caption.regions.map((region) => ({ ...region, phrase: region.phrase + first }))
      first += caption.phrases.length
      return shifted
    })
    return { key, bytes, captions, phrases: captions.flatMap(({ phrases }) => phrases), regions }
  }),
)
const rest = { width: 120, height: 90, url: null, sha256: '', phash: '', license: null, meta: null }
const images = rows.map(
  ({ key, bytes, captions }): ImageRow => ({
    ...{ key, image: { bytes, path: null }, ...rest },
    captions: captions.map(({ text }, at) => ({ text, kind: at === 2 ? 'categories' : 'gold' })),
  }),
)
await putShard(storage, 'images', null, '00000', images)
const phraseRows = rows.map(({ key, phrases }): PhraseRow => ({ key, phrases }))
await putShard(storage, 'phrases', 'gold', '00000', phraseRows)
const groundingRows = rows.map(({ key, regions }): GroundingRow => ({ key, regions }))
await putShard(storage, 'grounding', 'gold', '00000', groundingRows)

type Score = (words: string, pixel: readonly number[], box: Xyxy, text: string) => number

/** Proposes both squares for every phrase, and scores them by what it is told. */
function teacherThat(score: Score, more: Partial<Teacher> = {}): Teacher & { readonly asked: Query[] } {
  const asked: Query[] = []
  return {
    name: 'pixels',
    hash: '0',
    // Decoded to half its size.
    pictureSide: 60,
    batch: 8,
    parallel: 1,
    tokensOf: (text) => text.split(' ').length,
    maxTokens: 16,
    asked,
    async detect(queries) {
      asked.push(...queries)
      return queries.map(({ picture, text, phrases }) =>
        phrases
          .flatMap(([start, end], phrase) =>
            places.map((place): PhraseDetection => {
              const xyxy = place.map((side) => side * picture.scale) as unknown as Xyxy
              const words = text.slice(start, end)
              return { phrase, xyxy, score: score(words, pixelAt(picture, xyxy), place, text) }
            }),
          )
          .sort((a, b) => b.score - a.score),
      )
    },
    async close() {},
    ...more,
  }
}

function pixelAt({ data, width }: Picture, [x1, y1, x2, y2]: Xyxy): readonly number[] {
  const at = 3 * (Math.round((y1 + y2) / 2) * width + Math.round((x1 + x2) / 2))
  return [...data.subarray(at, at + 3)]
}

/** How near the pixel is to the colour that the words name; 0.5 for words without one. */
const readsColours: Score = (words, pixel) => {
  const named = Object.entries(colours).find(([colour]) => words.includes(colour))
  if (!named) return 0.5
  const rgb = [...named[1].slice(1)].map((digit) => 17 * Number.parseInt(digit, 16))
  return 1 - Math.max(...rgb.map((value, at) => Math.abs(value - (pixel[at] as number)))) / 255
}

const config = evaluateConfig.parse({ attributes: true })
const evaluated = (teacher: Teacher, more: object = {}) =>
  evaluateModel(teacher, set, { ...config, ...more }, ['square'])

describe('attributes, in the evaluation of a model', () => {
  it('are told apart by one that reads colours from pixels, and places from the text', async () => {
    const { attributes } = await evaluated(teacherThat(readsColours))
    // Three phrases a picture have a colour; one has a place behind it, of which only the place differs.
    expect(attributes?.colour).toEqual({
      ...{ phrases: 15, auc: 1, share: 1, absent: 15, auc_presence: 1, share_presence: 1 },
      ...{ found: 1, chance: 0.5 },
    })
    expect(attributes?.place).toMatchObject({ phrases: 5, auc: 0.5, share: 0.5, found: 1 })
    expect(attributes?.size).toMatchObject({ phrases: 0, auc: -1 })
    const readsPlaces: Score = (words, _, [x1], text) =>
      text.includes('on the left') === (words === text.split(' on ')[0] && x1 < 60) ? 0.9 : 0.2
    const { attributes: byPlace } = await evaluated(teacherThat(readsPlaces))
    expect(byPlace?.place).toMatchObject({ phrases: 5, auc: 1, share: 1 })
  })

  it('are not by one that ignores the word: AUC and share are one half', async () => {
    // A score of the box and the noun alone; the left square is always the better one.
    const { attributes } = await evaluated(teacherThat((_, __, [x1]) => (x1 < 60 ? 0.8 : 0.3)))
    const half = { auc: 0.5, share: 0.5, auc_presence: 0.5, share_presence: 0.5 }
    expect(attributes?.colour).toMatchObject({ phrases: 15, ...half, found: 1 / 3 })
    // Where the other square is no caption says: it may be on the right.
    expect(attributes?.place).toMatchObject({ phrases: 5, auc: 0.5, share: 0.5, absent: 0, auc_presence: -1 })
  })

  it('are 0 for one that finds the contrary, and half where nothing is found', async () => {
    const contrary: Score = (...asked) => 1 - readsColours(...asked)
    const { attributes } = await evaluated(teacherThat(contrary))
    expect(attributes?.colour).toMatchObject({ auc: 0, share: 0, found: 0 })
    const silent = teacherThat(readsColours, { detect: async (queries) => queries.map(() => []) })
    expect((await evaluated(silent)).attributes?.colour).toMatchObject({ auc: 0.5, share: 0.5, found: 0 })
  })

  it('hold the scores at the true box apart from those anywhere in the picture', async () => {
    const isStated = (text: string) => images.some(({ captions }) => captions.some((c) => c.text === text))
    const isOwn: (...asked: Parameters<Score>) => boolean = (words, pixel, box, text) =>
      isStated(text)
        ? readsColours(words, pixel, box, text) > 0.9
        : box[0] < 60 === (text.startsWith(words) && !text.startsWith('see'))
    const elsewhere = teacherThat((...asked) => (isOwn(...asked) ? 0.5 : isStated(asked[3]) ? 0.9 : 0.1))
    const one = { auc: 0.5, share: 0.5, auc_presence: 1, share_presence: 1 }
    expect((await evaluated(elsewhere)).attributes?.colour).toMatchObject({ ...one, found: 0 })
    const there = teacherThat((...asked) => (!isOwn(...asked) ? 0.9 : isStated(asked[3]) ? 0.6 : 0.5))
    const other = { auc: 1, share: 1, auc_presence: 0.5, share_presence: 0.5 }
    expect((await evaluated(there)).attributes?.colour).toMatchObject({ ...other, found: 0 })
  })

  it('ask a caption once as it stands, and for the same phrases with each other value', async () => {
    const teacher = teacherThat(readsColours)
    const { attributes: _, ...with_ } = await evaluated(teacher)
    const plain = teacherThat(readsColours)
    const without = await evaluated(plain, { attributes: undefined })
    expect(without).toEqual(with_)
    expect(without).not.toHaveProperty('attributes')
    // Two captions as they stand, and three colours and a place.
    expect(teacher.asked.length - plain.asked.length).toBe(5 * (2 + 4))
    const swapped = teacher.asked.filter(({ text }) => /on the right/.test(text))
    expect(swapped).toHaveLength(5)
    for (const { text, phrases } of swapped)
      expect(phrases.map((span) => text.slice(...span))).toEqual(
        text.split(/ on the right and |, /).slice(0, 2),
      )
  })

  it('leave out captions that are too long for the model, and ask a prompt-tuned one for nothing', async () => {
    const short = teacherThat(readsColours, { maxTokens: 6 })
    expect((await evaluated(short)).attributes?.colour).toMatchObject({ phrases: 5, auc: 1 })
    const tuned = teacherThat(readsColours, { prompt: ['square'] })
    expect((await evaluated(tuned)).attributes?.colour).toMatchObject({ phrases: 0, auc: -1, chance: -1 })
  })

  it('look only at boxes whose label a phrase can mean, in both captions', async () => {
    const told = teacherThat(readsColours)
    const labelled = teacherThat(readsColours, {
      detect: async (queries) =>
        (await told.detect(queries, { floor: 0, nms: 1, max_boxes: 9 })).map((boxes) =>
          boxes.flatMap((box) => [
            { ...box, label: 'square' },
            { ...box, score: 1, label: 'circle' },
          ]),
        ),
    })
    expect((await evaluated(labelled)).attributes?.colour).toMatchObject({ auc: 1, share_presence: 1 })
  })
})
