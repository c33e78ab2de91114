/**
 * How one axis of a picture is resampled: output i is the sum of `weights[i * width + k]` times input
 * `first[i] + k`.
 */
export interface AxisWeights {
  readonly first: Int32Array
  /** Weights kept for each output; where it has fewer, the rest are 0. */
  readonly width: number
  readonly weights: Float64Array
}

/** The two filters of Pillow that detectors are trained with, numbered as in `preprocessor_config.json`. */
export const resampleFilters = {
  2: { name: 'bilinear', support: 1, weight: triangle },
  3: { name: 'bicubic', support: 2, weight: cubic },
} as const

export type Resample = keyof typeof resampleFilters

function triangle(x: number): number {
  return Math.max(0, 1 - Math.abs(x))
}

/** Keys' kernel with a = -0.5. */
function cubic(x: number): number {
  const at = Math.abs(x)
  if (at < 1) return (1.5 * at - 2.5) * at * at + 1
  return at < 2 ? ((-0.5 * at + 2.5) * at - 4) * at + 2 : 0
}

/**
 * Pillow's weights from `from` to `to` pixels: the filter, widened by the scale where the picture shrinks,
 * over the pixels that it reaches, normalised (Pillow, src/libImaging/Resample.c, precompute_coeffs).
 */
export function pillowWeights(from: number, to: number, filter: Resample): AxisWeights {
  const { support, weight } = resampleFilters[filter]
  const scale = from / to
  const stretch = Math.max(1, scale)
  const reach = support * stretch
  const width = Math.ceil(reach) * 2 + 1
  const first = new Int32Array(to)
  const weights = new Float64Array(to * width)
  for (let at = 0; at < to; at++) {
    const centre = (at + 0.5) * scale
    const low = Math.max(0, Math.trunc(centre - reach + 0.5))
    const high = Math.min(from, Math.trunc(centre + reach + 0.5))
    let sum = 0
    for (let x = low; x < high; x++) {
      const value = weight((x - centre + 0.5) / stretch)
      weights[at * width + x - low] = value
      sum += value
    }
    if (sum !== 0) for (let x = low; x < high; x++) weights[at * width + x - low]! /= sum
    first[at] = low
  }
  return { first, width, weights }
}

/**
 * scikit-image's resize with anti-aliasing, as OWLv2 uses it: a Gaussian of deviation (scale - 1) / 2 cut at
 * four deviations, then linear interpolation between pixel centres, both mirrored about the outermost
 * centres. Filters along one axis are linear, so both are one table.
 */
export function gaussianWeights(from: number, to: number): AxisWeights {
  const scale = from / to
  const sigma = Math.max(0, (scale - 1) / 2)
  const radius = sigma > 0 ? Math.trunc(4 * sigma + 0.5) : 0
  const kernel = Float64Array.from({ length: 2 * radius + 1 }, (_, at) =>
    radius === 0 ? 1 : Math.exp((-0.5 * (at - radius) ** 2) / sigma ** 2),
  )
  const total = kernel.reduce((sum, value) => sum + value, 0)
  const rows: Map<number, number>[] = []
  for (let at = 0; at < to; at++) {
    const row = new Map<number, number>()
    const place = mirrorPlace((at + 0.5) * scale - 0.5, from)
    const low = Math.floor(place)
    const neighbours = [
      { pixel: low, share: 1 - (place - low) },
      { pixel: low + 1, share: place - low },
    ]
    for (const { pixel, share } of neighbours) {
      if (share === 0) continue
      kernel.forEach((value, index) => {
        const source = mirror(pixel + index - radius, from)
        row.set(source, (row.get(source) ?? 0) + (share * value) / total)
      })
    }
    rows.push(row)
  }
  const spans = rows.map((row) => [Math.min(...row.keys()), Math.max(...row.keys())] as const)
  const width = Math.max(...spans.map(([low, high]) => high - low + 1))
  const weights = new Float64Array(to * width)
  rows.forEach((row, at) => {
    for (const [source, value] of row) weights[at * width + source - spans[at]![0]] = value
  })
  return { first: Int32Array.from(spans, ([low]) => low), width, weights }
}

/** An index beyond an edge, reflected about the centre of the edge's pixel. */
function mirror(index: number, size: number): number {
  if (size === 1) return 0
  const period = 2 * (size - 1)
  const at = ((index % period) + period) % period
  return at < size ? at : period - at
}

function mirrorPlace(place: number, size: number): number {
  if (size === 1) return 0
  if (place < 0) return -place
  return place > size - 1 ? 2 * (size - 1) - place : place
}
