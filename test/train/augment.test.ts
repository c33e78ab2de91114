import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeBox, plainPlacement, writeImage } from '../../src/model/image-input.js'
import { anchorsOf } from '../../src/model/network/anchors.js'
import type { Picture } from '../../src/pictures/picture.js'
import { assignTargets } from '../../src/train/examples/assign-targets.js'
import { flipWords } from '../../src/train/examples/flip-words.js'
import { learningRate } from '../../src/train/optimizer/learning-rate.js'
import { tinyConfig } from '../helpers/tiny-glip.js'

const slice = (text: string, [start, end]: readonly [number, number]) => [...text].slice(start, end).join('')

describe('flipWords', () => {
  it('swaps whole words and moves spans', () => {
    const text = 'a bright 🌞 on the left, Right of the left-hand car'
    const spans = [
      [0, 10],
      [11, 22],
      [24, 29],
    ] as const
    const flipped = flipWords({ text, spans })
    expect(flipped.text).toBe('a bright 🌞 on the right, Left of the right-hand car')
    expect(flipped.spans.map((span) => slice(flipped.text, span))).toEqual([
      'a bright 🌞',
      'on the right',
      'Left',
    ])
  })

  it('moves what ends where a word ends, and what begins inside of one to where it began', () => {
    const flip = (text: string, span: readonly [number, number]) =>
      flipWords({ text, spans: [span] }).spans[0]
    expect(flip('a left one', [2, 6])).toEqual([2, 7])
    expect(flip('a left one', [6, 10])).toEqual([7, 11])
    expect(flip('a left one', [3, 5])).toEqual([3, 7])
    expect(flip('right right', [0, 11])).toEqual([0, 9])
  })

  it('is undone by itself', () => {
    const word = fc.constantFrom('left', 'right', 'LEFT', 'Right', 'bright', 'a', '🦓', 'car,', 'uprights')
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        const text = words.join(' ')
        let at = 0
        const spans = words.map((own) => {
          const start = at
          at += [...own].length + 1
          return [start, at - 1] as const
        })
        const once = flipWords({ text, spans })
        expect(once.spans.map((span) => slice(once.text, span)).join(' ')).toBe(once.text)
        expect(flipWords(once)).toEqual({ text, spans })
      }),
    )
  })
})

describe('a picture on the input', () => {
  const config = { ...tinyConfig, image_mean: [0, 0, 0] as const, image_std: [1, 1, 1] as const }
  /** Red grows to the right, green downwards. */
  const picture: Picture = {
    width: 64,
    height: 32,
    scale: 1,
    data: Uint8Array.from({ length: 64 * 32 * 3 }, (_, at) => {
      const [x, y] = [Math.floor(at / 3) % 64, Math.floor(at / 192)]
      return at % 3 === 0 ? x * 4 : at % 3 === 1 ? y * 8 : 0
    }),
  }
  const size = config.image_size
  const pixel = (image: Float32Array, x: number, y: number) => [
    ...image.subarray((y * size + x) * 3, (y * size + x) * 3 + 2),
  ]

  it('takes its colours in the order of the configuration', () => {
    const rgb = new Float32Array(3 * size * size * 3)
    const bgr = new Float32Array(3 * size * size * 3)
    const coloured = { image_mean: [0.4, 0.5, 0.6], image_std: [0.2, 0.3, 0.4] } as const
    writeImage(rgb, 1, picture, plainPlacement(picture, config), { ...config, ...coloured })
    const settings = { ...config, ...coloured, image_channels: 'bgr' } as const
    writeImage(bgr, 1, picture, plainPlacement(picture, config), settings)
    const reversed = Float32Array.from(rgb, (_, index) => rgb[index - (index % 3) + 2 - (index % 3)])
    expect(bgr).toEqual(reversed)
    expect(bgr).not.toEqual(rgb)
  })

  it('keeps its aspect at the top left, and is 0 where there is none', () => {
    const image = new Float32Array(size * size * 3).fill(9)
    const placement = plainPlacement(picture, config)
    writeImage(image, 0, picture, placement, config)
    expect(placement.scale).toBe(0.5)
    // Pixel 10 of the input lies over pixels 20 and 21 of the picture.
    expect(pixel(image, 10, 5)[0]).toBeCloseTo((20.5 * 4) / 255, 5)
    expect(pixel(image, 10, 5)[1]).toBeCloseTo((10.5 * 8) / 255, 5)
    expect(pixel(image, 10, 16)).toEqual([0, 0])
  })

  it('and its boxes are mirrored together', () => {
    const image = new Float32Array(size * size * 3)
    const placement = { ...plainPlacement(picture, config), flipped: true, dx: 3, dy: 2 }
    writeImage(image, 0, picture, placement, config)
    const [x1, y1, x2, y2] = placeBox([20, 10, 22, 12], picture, placement, 'outer')
    expect([x1, y1, x2, y2]).toEqual([24, 7, 25, 8])
    expect(pixel(image, 24, 7)[0]).toBeCloseTo((20.5 * 4) / 255, 5)
    expect(pixel(image, 24, 7)[1]).toBeCloseTo((10.5 * 8) / 255, 5)
  })
})

describe('ATSS', () => {
  const anchors = anchorsOf(tinyConfig)

  it('gives anchors to boxes that hold their centres, with the centerness of the place', () => {
    const corner = fc.double({ min: 0, max: 8, noNaN: true })
    const side = fc.double({ min: 6, max: 24, noNaN: true })
    const box = fc
      .tuple(corner, corner, side, side)
      .map(([x, y, w, h]) => [x, y, x + w, y + h].map(Math.fround))
    let positives = 0
    fc.assert(
      fc.property(fc.array(box, { minLength: 1, maxLength: 3 }), (boxes) => {
        const { assigned, centerness } = assignTargets(anchors, Float32Array.from(boxes.flat()))
        assigned.forEach((index, anchor) => {
          if (index < 0) {
            expect(centerness[anchor]).toBe(0)
            return
          }
          positives++
          const [ax1, ay1, ax2, ay2] = anchors.boxes.subarray(4 * anchor, 4 * anchor + 4)
          const [x1, y1, x2, y2] = boxes[index]
          const across = [(ax1 + ax2) / 2 - x1, x2 - (ax1 + ax2) / 2]
          const down = [(ay1 + ay2) / 2 - y1, y2 - (ay1 + ay2) / 2]
          expect(Math.min(...across, ...down)).toBeGreaterThan(0)
          const share = (pair: number[]) => Math.min(...pair) / Math.max(...pair)
          expect(centerness[anchor]).toBeCloseTo(Math.sqrt(share(across) * share(down)), 4)
        })
      }),
    )
    expect(positives).toBeGreaterThan(100)
  })
})

describe('the learning rate', () => {
  const config = { learning_rate: 1, warmup: 10, steps: 100 }
  it('warms up, then falls', () => {
    expect(learningRate(5, { ...config, schedule: 'cosine' })).toBeCloseTo(0.5)
    expect(learningRate(10, { ...config, schedule: 'cosine' })).toBeCloseTo(1)
    expect(learningRate(55, { ...config, schedule: 'cosine' })).toBeCloseTo(0.505)
    expect(learningRate(100, { ...config, schedule: 'cosine' })).toBeCloseTo(0.01)
    expect([60, 70, 95].map((step) => learningRate(step, { ...config, schedule: 'step' }))).toEqual([
      1, 0.1, 0.01,
    ])
  })
})
