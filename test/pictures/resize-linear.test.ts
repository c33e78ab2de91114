import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { resizeLinear } from '../../src/pictures/resize-linear.js'
import { picture } from '../teacher/pictures.js'

interface Case {
  readonly size: readonly [number, number]
  readonly sample: readonly number[]
  readonly sum: number
}

/** What cv2.resize made of the same pictures: bench/parity/opencv_resize.py. */
const { cases } = JSON.parse(
  readFileSync(new URL('fixtures/opencv-resize.json', import.meta.url), 'utf8'),
) as { readonly cases: readonly Case[] }

/** The upper left of a picture. */
function cut({ width: from, data }: ReturnType<typeof picture>, width: number, height: number) {
  const rows = Array.from({ length: height }, (_, y) => [
    ...data.subarray(y * from * 3, (y * from + width) * 3),
  ])
  return { width, height, data: Uint8Array.from(rows.flat()) }
}

it.each(cases.map((one, index) => [one.size.join(' x '), index, one] as const))(
  'resizes to %s as OpenCV does, to the bit',
  (_, index, { size: [width, height], sample, sum }) => {
    const source = index === 0 ? cut(picture(0), 2 * width, 2 * height) : picture(index)
    const { data } = resizeLinear(source, width, height)
    const step = Math.max(1, Math.floor(data.length / 40))
    expect([...data].filter((_, at) => at % step === 0)).toEqual(sample)
    expect(data.reduce((total, value, at) => total + value * (at % 997), 0)).toBe(sum)
  },
)

it('gives a picture of that size as it is', () => {
  const same = picture(3)
  expect(resizeLinear(same, same.width, same.height)).toBe(same)
})
