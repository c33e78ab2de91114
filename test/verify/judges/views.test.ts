import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { Xyxy } from '../../../src/boxes/xyxy.js'
import type { Picture } from '../../../src/pictures/picture.js'
import type { Phrase } from '../../../src/rows/rows.js'
import type { Teacher } from '../../../src/teacher/teacher.js'
import { askViews } from '../../../src/verify/views/ask-views.js'
import { boxSupport, labelOfBox } from '../../../src/verify/views/box-support.js'
import { mirrored, shrunk } from '../../../src/verify/views/turned-picture.js'

const [width, height] = [100, 60]
/** A red thing on the left and a blue one on the right. */
const red: Xyxy = [10, 20, 30, 40]
const blue: Xyxy = [70, 10, 90, 50]
const rectangle = ([x1, y1, x2, y2]: Xyxy, background: string) => ({
  input: { create: { width: x2 - x1, height: y2 - y1, channels: 3 as const, background } },
  left: x1,
  top: y1,
})
const { data } = await sharp({ create: { width, height, channels: 3, background: '#fff' } })
  .composite([rectangle(red, '#f00'), rectangle(blue, '#00f')])
  .removeAlpha()
  .raw()
  .toBuffer({ resolveWithObject: true })
const picture: Picture = { width, height, data: new Uint8Array(data), scale: 1 }

/** The box around all pixels of a colour. */
function boxOf({ width, height, data }: Picture, isOf: (r: number, g: number, b: number) => boolean): Xyxy {
  let box = [width, height, 0, 0]
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [r = 0, g = 0, b = 0] = data.subarray(3 * (y * width + x))
      if (isOf(r, g, b))
        box = [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x + 1), Math.max(box[3], y + 1)]
    }
  return box as unknown as Xyxy
}
const redIn = (seen: Picture) => boxOf(seen, (r, g, b) => r > 150 && g < 90 && b < 90)
const blueIn = (seen: Picture) => boxOf(seen, (r, g, b) => b > 150 && r < 90 && g < 90)

/** A teacher that sees colours and knows left from right; it finds a "ghost" where nobody has changed the picture. */
function seeing(asked: string[] = [], changes: Partial<Teacher> = {}): Teacher {
  return {
    ...{ name: 'seeing', hash: 's', pictureSide: 100, batch: 1, parallel: 1, maxTokens: 8 },
    tokensOf: (text) => text.split(/\s+/).length,
    detect: async (queries) =>
      queries.map(({ picture: seen, text, phrases }) => {
        asked.push(text)
        return phrases.flatMap(([start, end], phrase) => {
          const words = [...text].slice(start, end).join('')
          if (words.includes('ghost'))
            return seen === picture ? [{ phrase, xyxy: [40, 5, 60, 25], score: 0.4 }] : []
          const things = [redIn(seen), blueIn(seen)].sort((a, b) => a[0] - b[0])
          const xyxy = words.includes('red') ? redIn(seen) : words.includes('left') ? things[0] : things[1]
          return [{ phrase, xyxy: xyxy as Xyxy, score: 0.9 }]
        })
      }),
    close: async () => {},
    ...changes,
  }
}

const caption = 'red beside the left thing and a ghost'
const phraseOf = (text: string): Phrase => {
  const start = caption.indexOf(text)
  return { caption: 0, text, start, end: start + text.length, head: text }
}
const phrases = ['red', 'the left thing', 'a ghost'].map(phraseOf)
const options = {
  flip: true,
  scales: [0.5],
  templates: ['{}', 'a photo of {}'],
  floor: 0.1,
  nms: 0.6,
  max_boxes: 20,
}

const near = (box: Xyxy | undefined, like: Xyxy) =>
  like.forEach((side, at) => {
    expect(Math.abs((box?.[at] ?? 1e9) - side), `${box} is not ${like}`).toBeLessThanOrEqual(2)
  })

describe('a picture that was changed', () => {
  it.each([
    ['mirrored', mirrored(picture)],
    ['shrunk', shrunk(picture, 0.5)],
  ])('%s has its boxes elsewhere, and the way back', (name, { picture: changed, back }) => {
    expect([changed.width, changed.height]).toEqual([width, height])
    near(back(redIn(changed)), red)
    near(back(blueIn(changed)), blue)
    const [x1, , x2] = redIn(changed)
    expect(name === 'mirrored' ? x1 : x2).toBeGreaterThanOrEqual(name === 'mirrored' ? 70 : 14)
    expect(name === 'mirrored' ? x2 : x2).toBeLessThanOrEqual(name === 'mirrored' ? 90 : 16)
  })
})

describe('a teacher that is asked in several views', () => {
  it('finds again what is there, whatever its words say of left and right', async () => {
    const asked: string[] = []
    const views = await askViews(seeing(asked), picture, [{ text: caption }], phrases, options)
    expect(views.length).toBe(5)
    expect(asked).toEqual([
      caption,
      'red beside the right thing and a ghost',
      caption,
      'red. the left thing. a ghost',
      // Eight words are all that there is room for.
      'a photo of red',
      'a photo of the left thing',
      'a photo of a ghost',
    ])
    for (const view of views) {
      near(view[0]?.[0]?.xyxy, red)
      near(view[1]?.[0]?.xyxy, red)
    }
    const support = (phrase: number, xyxy: Xyxy) => boxSupport({ xyxy }, null, phrase, views, 0.5)
    expect(support(0, red)).toEqual([0.9, 0.9, 0.9, 0.9, 0.9])
    expect(support(0, blue)).toEqual([0, 0, 0, 0, 0])
    expect(support(2, [40, 5, 60, 25])).toEqual([0.4, 0, 0, 0.4, 0.4])
  })

  it('with a fixed list of labels is asked in no other words, and its labels are held apart', async () => {
    const boxes = (seen: Picture, phrase: number) => [
      { phrase, xyxy: redIn(seen), score: 0.9, label: 'square' },
      { phrase, xyxy: redIn(seen), score: seen === picture ? 0.8 : 0.05, label: 'dot' },
    ]
    const teacher = seeing([], {
      labels: ['square', 'dot'],
      detect: async (queries, { floor }) =>
        queries.map(({ picture: seen, phrases: spans }) =>
          spans.flatMap((_, phrase) => boxes(seen, phrase).filter(({ score }) => score >= floor)),
        ),
    })
    const views = await askViews(teacher, picture, [{ text: caption }], phrases, options)
    expect(views.length).toBe(3)
    const support = (label: string | null) =>
      boxSupport({ xyxy: red }, labelOfBox({ xyxy: red, label }, 0, views, 0.5), 0, views, 0.5)
    expect(support('square')).toEqual([0.9, 0.9, 0.9])
    expect(support('dot')).toEqual([0.8, 0, 0])
    // Of two on one place the better is the one that is meant.
    expect(support(null)).toEqual([0.9, 0.9, 0.9])
    // A box that does not say what it is called is what lies nearest, though another is surer.
    const near = [
      { xyxy: [0, 0, 10, 10], score: 0.9, label: 'square' },
      { xyxy: [0, 0, 10, 7], score: 0.3, label: 'dot' },
    ] as const
    const labelNear = (xyxy: Xyxy) => labelOfBox({ xyxy, label: null }, 0, [[near]], 0.5)
    expect([labelNear([0, 0, 10, 6]), labelNear([0, 0, 10, 9]), labelNear([50, 0, 60, 9])]).toEqual([
      ...['dot', 'square', null],
    ])
  })

  it('gives boxes in pixels of the stored picture', async () => {
    const half = { ...picture, scale: 0.5 }
    const [plain] = await askViews(seeing(), half, [{ text: caption }], phrases.slice(0, 1), options)
    expect(plain?.[0]?.[0]?.xyxy).toEqual(red.map((side) => 2 * side))
  })
})
