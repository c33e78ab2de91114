import type { Xyxy } from '../../boxes/xyxy.js'

interface Size {
  readonly width: number
  readonly height: number
}

/** A box as Label Studio has it: in per cent of the picture's sides. */
export interface PercentBox {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

const toPixels = (percent: number, side: number) => (percent * side) / 100

/** A box in per cent, in the fewest digits of which its 32-bit floats are made again, to the bit. */
export function percentBox([x1, y1, x2, y2]: Xyxy, { width, height }: Size): PercentBox {
  const [x, w] = percentSpan(x1, x2, width)
  const [y, h] = percentSpan(y1, y2, height)
  return { x, y, width: w, height: h }
}

function percentSpan(from: number, to: number, side: number): readonly [start: number, length: number] {
  const start = shortest((100 * from) / side, (percent) => toPixels(percent, side), from)
  const length = shortest((100 * to) / side - start, (percent) => toPixels(start + percent, side), to)
  return [start, length]
}

/** The shortest decimal near a value of which a 32-bit float comes back. */
function shortest(value: number, back: (value: number) => number, wanted: number): number {
  for (let digits = 6; digits < 17; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(back(short)) === Math.fround(wanted)) return short
  }
  return value
}

/** The box of a rectangle in per cent, in pixels; what is no number becomes NaN. */
export function pixelBox({ x, y, width, height }: PercentBox, size: Size): Xyxy {
  return [
    toPixels(x, size.width),
    toPixels(y, size.height),
    toPixels(x + width, size.width),
    toPixels(y + height, size.height),
  ]
}

/** The upright box around one that was turned about a point, clockwise. */
export function turnedOutline(
  [x1, y1, x2, y2]: Xyxy,
  degrees: number,
  [px, py]: readonly [number, number],
): Xyxy {
  const angle = (degrees * Math.PI) / 180
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  const corners = [
    [x1, y1],
    [x2, y1],
    [x1, y2],
    [x2, y2],
  ] as const
  const xs = corners.map(([x, y]) => px + (x - px) * cos - (y - py) * sin)
  const ys = corners.map(([x, y]) => py + (x - px) * sin + (y - py) * cos)
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]
}
