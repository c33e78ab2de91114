/** Pixels row by row, their samples of 8 bits side by side: one of grey, or red, green and blue. */
export interface Pixels {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  readonly channels: number
}

const columns = 9
const rows = 8
/** Samples of a cell's side: more would tell no more of its mean. */
const maxSamples = 32

/**
 * 64 bits as 16 hex digits: each says whether a cell of a 9 x 8 grid over the picture is brighter than its
 * right neighbour (Krawetz's dHash). Cells are compared by their mean luma, as whole numbers, so that flat
 * parts are equal.
 */
export function differenceHash(pixels: Pixels): string {
  let bits = 0n
  for (let row = 0; row < rows; row++) {
    let left = meanLuma(pixels, 0, row)
    for (let column = 1; column < columns; column++) {
      const right = meanLuma(pixels, column, row)
      bits = (bits << 1n) | (left > right ? 1n : 0n)
      left = right
    }
  }
  return bits.toString(16).padStart(16, '0')
}

function meanLuma({ data, width, height, channels }: Pixels, column: number, row: number): number {
  const [x0, x1] = span(column, columns, width)
  const [y0, y1] = span(row, rows, height)
  const stepX = Math.ceil((x1 - x0) / maxSamples)
  const stepY = Math.ceil((y1 - y0) / maxSamples)
  // Of grey all three are the same sample.
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2]
  let r = 0
  let g = 0
  let b = 0
  let count = 0
  for (let y = y0; y < y1; y += stepY) {
    const end = (y * width + x1) * channels
    for (let at = (y * width + x0) * channels; at < end; at += stepX * channels) {
      r += data[at]!
      g += data[at + green]!
      b += data[at + blue]!
      count++
    }
  }
  // ITU-R BT.601.
  return Math.round((0.299 * r + 0.587 * g + 0.114 * b) / count)
}

/** Where a cell begins and ends; in a picture with fewer pixels than cells, some share one. */
function span(cell: number, cells: number, size: number): readonly [number, number] {
  const start = Math.floor((cell * size) / cells)
  return [start, Math.max(start + 1, Math.floor(((cell + 1) * size) / cells))]
}
