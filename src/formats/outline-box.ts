/** Left, top, width and height, as COCO has boxes. */
export type Xywh = readonly [number, number, number, number]

/**
 * The box around points, given as x and y in turn.
 *
 * @returns undefined where there are none, or a number is not finite
 */
export function polygonBox(points: readonly number[]): Xywh | undefined {
  if (points.length < 4 || points.length % 2 !== 0) return undefined
  let [left, top] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  let [right, bottom] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let at = 0; at < points.length; at += 2) {
    const [x = Number.NaN, y = Number.NaN] = [points[at], points[at + 1]]
    if (!Number.isFinite(x) || !Number.isFinite(y)) return undefined
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  return [left, top, right - left, bottom - top]
}

/**
 * The box around a mask of runs, in COCO's form: lengths of runs without and with the mask in turn, down one
 * column of pixels after another; as a text they are packed as pycocotools packs them. Equal to its `toBbox`.
 *
 * @param height of the picture
 * @returns undefined where the mask is empty or the runs are none
 */
export function maskBox(runs: string | readonly number[], height: number): Xywh | undefined {
  const lengths = typeof runs === 'string' ? unpackedRuns(runs) : runs
  let [left, top, right, bottom] = [Number.POSITIVE_INFINITY, height, -1, -1]
  let start = 0
  for (const [index, length] of lengths.entries()) {
    if (!(length >= 0)) return undefined
    const end = start + length
    if (index % 2 === 1 && length > 0) {
      const last = end - 1
      const [first, final] = [Math.floor(start / height), Math.floor(last / height)]
      left = Math.min(left, first)
      right = Math.max(right, final)
      // A run over the end of a column covers the foot of one and the head of the next.
      top = Math.min(top, first === final ? start % height : 0)
      bottom = Math.max(bottom, first === final ? last % height : height - 1)
    }
    start = end
  }
  return right < 0 ? undefined : [left, top, right - left + 1, bottom - top + 1]
}

/** Numbers in parts of five bits, the lowest first; from the third on they are given as differences. */
function unpackedRuns(text: string): number[] {
  const lengths: number[] = []
  for (let at = 0; at < text.length; ) {
    let value = 0
    let bits = 0
    let part = 0x20
    while (part & 0x20) {
      part = text.charCodeAt(at++) - 48
      if (!(part >= 0 && part < 64)) return [Number.NaN]
      value += (part & 0x1f) * 2 ** bits
      bits += 5
    }
    if (part & 0x10) value -= 2 ** bits
    lengths.push(value + (lengths.length > 2 ? (lengths.at(-2) ?? 0) : 0))
  }
  return lengths
}
