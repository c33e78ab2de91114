import type { Xyxy } from '../../boxes/xyxy.js'
import type { Picture } from '../../pictures/picture.js'

/** Sides of the crop in those of the box: what lies around a box tells whether it ends where its thing does. */
const context = 1.5
/** Samples of each output pixel, along a side. */
const samples = 3

/**
 * Writes what is in and around a box: the box in the middle, stretched to a square, with a quarter of its side
 * around it. What lies outside of the picture is grey (0). Each pixel is the mean of nine of the picture's.
 *
 * @param to [side, side, 3] of it, -1 to 1
 * @param box in pixels of the stored picture
 */
export function writeCrop(
  to: Float32Array,
  { width, height, data, scale }: Pick<Picture, 'width' | 'height' | 'data' | 'scale'>,
  [x1, y1, x2, y2]: Xyxy,
  side: number,
  isMirrored = false,
): void {
  const reach = (low: number, high: number) => {
    const half = (Math.max(1e-3, high - low) / 2) * context * scale
    const middle = ((low + high) / 2) * scale
    return { start: middle - half, step: (2 * half) / (side * samples) }
  }
  const across = reach(x1, x2)
  const down = reach(y1, y2)
  const columns = placesOf(across, side * samples, width, 3)
  if (isMirrored) columns.reverse()
  const rows = placesOf(down, side * samples, height, 3 * width)
  const share = 1 / (127.5 * samples * samples)
  let at = 0
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      let red = 0
      let green = 0
      let blue = 0
      let count = 0
      for (let j = y * samples; j < (y + 1) * samples; j++) {
        const row = rows[j]!
        if (row < 0) continue
        for (let i = x * samples; i < (x + 1) * samples; i++) {
          const column = columns[i]!
          if (column < 0) continue
          const place = row + column
          red += data[place]!
          green += data[place + 1]!
          blue += data[place + 2]!
          count++
        }
      }
      const middle = 127.5 * count
      to[at++] = (red - middle) * share
      to[at++] = (green - middle) * share
      to[at++] = (blue - middle) * share
    }
  }
}

/** For each sample the place of its pixel in the data, by `stride`; -1 outside of the picture. */
function placesOf(
  { start, step }: { readonly start: number; readonly step: number },
  count: number,
  size: number,
  stride: number,
): Int32Array {
  return Int32Array.from({ length: count }, (_, index) => {
    const pixel = Math.floor(start + (index + 0.5) * step)
    return pixel < 0 || pixel >= size ? -1 : pixel * stride
  })
}
