import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { fitPicture, resizedTo, toPicture, writeFitted } from '../../src/model/fit-picture.js'
import { placeBox } from '../../src/model/image-input.js'
import type { GlipConfig, ImageSize } from '../../src/model/network/config.js'
import { glipConfig, officialSizes } from '../../src/model/network/presets.js'

/** bench/parity/official_rules.py */
const rules: {
  /** Width and height of the picture, as it is shown, and padded. */
  readonly sizes: readonly (readonly number[])[]
  /** Annotations as x, y, width, height; targets with their last pixel inside; results as annotations. */
  readonly boxes: readonly Readonly<
    Record<'picture' | 'shown', readonly number[]> &
      Record<'annotations' | 'target' | 'mirrored' | 'result', readonly (readonly number[])[]>
  >[]
} = JSON.parse(readFileSync(new URL('../teacher/fixtures/official-rules.json', import.meta.url), 'utf8'))

const official = { shortest_edge: 800, longest_edge: 1333 }

describe('the size of a picture', () => {
  // What Resize.get_size of maskrcnn_benchmark gives for 800 and 1333.
  it.each([
    [640, 480, 1066, 800],
    [480, 640, 800, 1066],
    [500, 375, 1066, 800],
    [1000, 600, 1333, 800],
    [1001, 600, 1332, 799],
    [1920, 1080, 1333, 750],
    [333, 1000, 444, 1333],
    [2000, 100, 1340, 67],
    [800, 800, 800, 800],
    [1, 1, 800, 800],
  ])('of %i x %i becomes %i x %i', (width, height, wide, high) => {
    expect(resizedTo({ width, height }, official)).toEqual({ width: wide, height: high })
  })

  it('is the official one where the shorter side lies between two whole numbers, and everywhere', () => {
    for (const [width = 0, height = 0, wide, high] of rules.sizes)
      expect(resizedTo({ width, height }, official), `${width} x ${height}`).toEqual({
        width: wide,
        height: high,
      })
  })
})

describe('a box of the official network', () => {
  const edges = (boxes: readonly (readonly number[])[]) =>
    boxes.map(([x1 = 0, y1 = 0, x2 = 0, y2 = 0]) => [x1, y1, x2 + 1, y2 + 1])
  const inEdges = (boxes: readonly (readonly number[])[]) =>
    boxes.map(([x = 0, y = 0, w = 0, h = 0]): Xyxy => [x, y, x + w, y + h])
  const near = (found: readonly number[], wanted: readonly number[] | undefined) => {
    found.forEach((value, side) => {
      expect(value, `side ${side}`).toBeCloseTo(wanted?.[side] ?? Number.NaN, 2)
    })
  }

  it.each(rules.boxes)('of a picture of $picture, shown as $shown, is scaled by its pixels', (one) => {
    const [width = 1, height = 1] = one.picture
    const [wide = 1, high = 1] = one.shown
    const picture = { width, height, data: new Uint8Array(), scale: 1 }
    const targets = edges(one.target) as unknown as readonly Xyxy[]
    const results = inEdges(one.result)
    for (const [index, target] of targets.entries())
      near(toPicture(target, { width: wide, height: high }, picture, 'pixel_centres'), results[index])
  })

  it('that is trained on is that of the official data, mirrored with the picture that is shown', () => {
    // Both sides of this picture are scaled alike, as training here always scales them.
    const one = rules.boxes.find(({ picture: [w, h], shown: [wide, high] }) => w * high === h * wide)
    if (!one) throw new Error('no such picture')
    const [width = 1] = one.picture
    const [wide = 1] = one.shown
    const scale = wide / width
    const plain = { scale, dx: 0, dy: 0, flipped: false, gain: 1, offset: 0 }
    for (const [index, box] of inEdges(one.annotations).entries()) {
      near(placeBox(box, { width, scale: 1 }, plain, 'pixel_centres'), edges(one.target)[index])
      const flipped = { ...plain, flipped: true }
      near(placeBox(box, { width, scale: 1 }, flipped, 'pixel_centres'), edges(one.mirrored)[index])
      // Decoded at half its size and shown twice as large it lies where it lay.
      const half = { ...plain, scale: 2 * scale }
      near(placeBox(box, { width: width / 2, scale: 0.5 }, half, 'pixel_centres'), edges(one.target)[index])
    }
  })

  it('comes back as it was annotated, and in edges by as much as a pixel of the shown picture beside it', () => {
    const shown = { width: 1066, height: 800 }
    const box: Xyxy = [10, 20, 30, 50]
    const target = placeBox(
      box,
      { width: 640, scale: 1 },
      { scale: 1066 / 640, dx: 0, dy: 0, flipped: false, gain: 1, offset: 0 },
      'pixel_centres',
    )
    const picture = { width: 640, height: 800 / (1066 / 640) }
    near(toPicture(target, shown, picture, 'pixel_centres'), box)
    expect(toPicture(target, shown, picture, 'outer')[2]).toBeLessThan(29.7)
  })
})

const side = fc.integer({ min: 1, max: 3000 })

describe('fitting a picture', () => {
  it('keeps the official size for every aspect but the narrowest, with at most a fifth of padding', () => {
    fc.assert(
      fc.property(side, side, (width, height) => {
        const wanted = resizedTo({ width, height }, official)
        const { input, covered } = fitPicture({ width, height }, official, officialSizes)
        const { height: h, width: w } = officialSizes[input]
        expect(covered.width).toBeLessThanOrEqual(w)
        expect(covered.height).toBeLessThanOrEqual(h)
        const fits = officialSizes.filter(
          (size) => size.width >= wanted.width && size.height >= wanted.height,
        )
        if (fits.length === 0) return
        expect(covered).toEqual(wanted)
        expect(w * h).toBe(Math.min(...fits.map((size) => size.width * size.height)))
        if (Math.min(...Object.values(wanted)) >= 512)
          expect(wanted.width * wanted.height).toBeGreaterThan(0.79 * w * h)
      }),
    )
  })

  it('shows it as large as any input can, where it fits in none', () => {
    const squares = [
      { width: 64, height: 64 },
      { width: 96, height: 96 },
    ]
    expect(fitPicture({ width: 400, height: 200 }, official, squares)).toEqual({
      input: 1,
      covered: { width: 96, height: 48 },
    })
  })
})

const inputs: readonly ImageSize[] = [
  { height: 64, width: 96 },
  { height: 96, width: 64 },
  { height: 64, width: 64 },
  { height: 32, width: 96 },
]
const resize = { shortest_edge: 64, longest_edge: 96 }
/** Red alone, neither moved nor scaled. */
const plain: GlipConfig = { ...glipConfig('glip-t', 30), image_mean: [0, 0, 0], image_std: [1, 1, 1] }

/**
 * Where a profile rises over and falls below a half, between the centres of pixels; its ends count as low.
 */
function edgesOf(profile: readonly number[]): [number, number] {
  const crossing = (from: number, to: number) => (0.5 - profile[from]) / (profile[to] - profile[from])
  const first = profile.findIndex((value) => value > 0.5)
  const last = profile.findLastIndex((value) => value > 0.5)
  return [
    first === 0 ? 0 : first - 0.5 + crossing(first - 1, first),
    last === profile.length - 1 ? profile.length : last + 0.5 + crossing(last, last + 1),
  ]
}

describe('a box that is drawn in a picture', () => {
  it('comes back within half a pixel from what the network is shown', () => {
    fc.assert(
      fc.property(
        fc.record({
          width: fc.integer({ min: 24, max: 260 }),
          height: fc.integer({ min: 24, max: 260 }),
          at: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }),
        }),
        ({ width, height, at }) => {
          const { input, covered } = fitPicture({ width, height }, resize, inputs)
          // A few pixels of it are shown, and of what is beside it: an edge between two that blend has no
          // place.
          const span = (size: number, shown: number, start: number, length: number): [number, number] => {
            const least = Math.min(size, Math.ceil((4 * size) / shown))
            const low = Math.floor(start * (size - least))
            const high = low + least + Math.floor(length * (size - least - low))
            const gap = (2 * size) / shown
            return [low < gap ? 0 : low, size - high < gap ? size : high]
          }
          const [x1, x2] = span(width, covered.width, at[0], at[1])
          const [y1, y2] = span(height, covered.height, at[2], at[3])
          const data = new Uint8Array(width * height * 3)
          for (let y = y1; y < y2; y++) for (let x = x1; x < x2; x++) data[(y * width + x) * 3] = 255
          const { height: h, width: w } = inputs[input]
          const pixels = new Float32Array(2 * h * w * 3)
          writeFitted(pixels, 1, { width, height, data, scale: 1 }, covered, inputs[input], plain)
          expect(pixels.subarray(0, h * w * 3).every((value) => value === 0)).toBe(true)
          // Red is the last channel of blue, green, red.
          const red = (x: number, y: number) => pixels[((h + y) * w + x) * 3 + 2]
          const middle = (low: number, high: number, size: number, shown: number) =>
            Math.min(shown - 1, Math.floor((((low + high) / 2) * shown) / size))
          const row = middle(y1, y2, height, covered.height)
          const column = middle(x1, x2, width, covered.width)
          const across = edgesOf(Array.from({ length: covered.width }, (_, x) => red(x, row)))
          const down = edgesOf(Array.from({ length: covered.height }, (_, y) => red(column, y)))
          const back = toPicture(
            [across[0], down[0], across[1], down[1]],
            covered,
            { width, height },
            'outer',
          )
          ;[x1, y1, x2, y2].forEach((expected, index) => {
            expect(Math.abs(back[index] - expected), `${index} of ${back}`).toBeLessThanOrEqual(0.5)
          })
        },
      ),
      { numRuns: 150 },
    )
  })
})
