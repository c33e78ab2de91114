import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Resample } from '../../src/pictures/resample-axis.js'
import { resizeOnSquare, resizePicture } from '../../src/pictures/resize-picture.js'
import { pictures } from '../teacher/pictures.js'

interface Case {
  readonly picture: number
  readonly size: readonly [width: number, height: number]
  readonly resample: Resample
  readonly sample: readonly number[]
  readonly sum: number
}
const cases: Case[] = JSON.parse(readFileSync(new URL('fixtures/resampling.json', import.meta.url), 'utf8'))

describe('resizing', () => {
  it.each(cases)('gives the bytes of Pillow: picture $picture to $size', ({ picture, size, ...expected }) => {
    const { data } = resizePicture(pictures[picture], ...size, expected.resample)
    expect(data.length).toBe(size[0] * size[1] * 3)
    const step = Math.max(1, Math.floor(data.length / 50))
    expect([...data.filter((_, at) => at % step === 0)]).toEqual(expected.sample)
    expect(data.reduce((sum, value, at) => sum + value * (at % 997), 0)).toBe(expected.sum)
  })

  it('leaves a picture of the right size alone', () => {
    const [first] = pictures
    expect(resizePicture(first, first.width, first.height, 3)).toBe(first)
  })

  it('of one colour on a square of the same keeps the colour everywhere, at any scale', () => {
    for (const [width, height, to] of [
      [31, 90, 20],
      [90, 31, 40],
      [7, 5, 33],
      [64, 64, 64],
    ]) {
      const data = new Uint8Array(width * height * 3).fill(51)
      resizeOnSquare({ width, height, data }, { width: to, height: to }, 1 / 255, 0.2, (_, y, x, value) => {
        if (Math.abs(value - 0.2) > 1e-6) expect.fail(`${value} at ${x}, ${y}`)
      })
    }
  })
})
