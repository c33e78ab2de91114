import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fitImage } from '../../../src/ingest/image/fit-image.js'
import { imageConfig } from '../../../src/ingest/image/image-config.js'

const fitted = (width: number, height: number, given: object) =>
  fitImage(width, height, imageConfig.parse(given))
const canvas = (width: number, height: number, given: object) => {
  const { canvas } = fitted(width, height, given)
  return [canvas.width, canvas.height]
}

describe('a resize mode', () => {
  it.each<[string, number[], number[]]>([
    ['no', [800, 600], [800, 600]],
    ['keep_ratio_largest', [800, 600], [400, 300]],
    ['keep_ratio', [800, 600], [533, 400]],
    ['border', [800, 600], [400, 400]],
    ['center_crop', [800, 600], [400, 400]],
    // Not bigger by the side that the mode measures.
    ['keep_ratio', [800, 300], [800, 300]],
    ['center_crop', [800, 300], [800, 300]],
    ['border', [300, 200], [300, 200]],
  ])('%s makes %j into %j', (resize, [width, height], wanted) => {
    expect(canvas(width, height, { resize, image_size: 400 })).toEqual(wanted)
  })

  it('enlarges where it is told to', () => {
    const given = { image_size: 400, resize_only_if_bigger: false }
    expect(canvas(200, 100, { ...given, resize: 'keep_ratio_largest' })).toEqual([400, 200])
    expect(canvas(200, 100, { ...given, resize: 'keep_ratio' })).toEqual([800, 400])
    expect(fitted(200, 100, { ...given, resize: 'border' })).toMatchObject({
      width: 400,
      height: 200,
      left: 0,
      top: 100,
    })
    expect(fitted(200, 100, { ...given, resize: 'center_crop' })).toMatchObject({
      width: 800,
      left: -200,
      top: 0,
    })
  })

  it('never gives a picture without pixels, and keeps borders and crops in the middle', () => {
    const side = fc.integer({ min: 1, max: 5000 })
    const resize = fc.constantFrom('no', 'keep_ratio_largest', 'keep_ratio', 'border', 'center_crop')
    fc.assert(
      fc.property(side, side, side, resize, fc.boolean(), (width, height, image_size, resize, only) => {
        const { canvas, left, top, ...scaled } = fitted(width, height, {
          image_size,
          resize,
          resize_only_if_bigger: only,
        })
        expect(Math.min(scaled.width, scaled.height, canvas.width, canvas.height)).toBeGreaterThanOrEqual(1)
        for (const [start, inner, outer] of [
          [left, scaled.width, canvas.width],
          [top, scaled.height, canvas.height],
        ]) {
          expect(Math.abs(outer - inner - 2 * start)).toBeLessThanOrEqual(1)
        }
        if (only) expect(scaled.width).toBeLessThanOrEqual(width)
      }),
    )
  })
})
