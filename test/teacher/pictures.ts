import type { Picture } from '../../src/pictures/picture.js'

/** The pictures of bench/parity/teacher_fixtures.py, by the same formula: stripes, squares and a wedge. */
export function picture(index: number): Picture {
  const width = 33 + ((index * 37) % 115)
  const height = 40 + ((index * 29) % 86)
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        const squares = (((x >> 3) ^ (y >> 3)) & 1) * 70
        data[(y * width + x) * 3 + c] =
          x * (3 + index) + y * (5 + 2 * c) + squares + 40 * c + ((x * y) >> 5) * (c + 1)
      }
    }
  }
  return { width, height, data, scale: 1 }
}

export const pictures = Array.from({ length: 20 }, (_, index) => picture(index))
