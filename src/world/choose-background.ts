import type { Random } from '../base/random.js'
import type { Rgb } from './recipe.js'

export const backgroundKinds = ['plain', 'gradient', 'stripes', 'checks', 'blobs', 'noise'] as const

export interface Background {
  readonly kind: (typeof backgroundKinds)[number]
  /** Every colour of the background lies between these two. */
  readonly colours: readonly [Rgb, Rgb]
  /** Degrees. */
  readonly angle: number
  /** Width in pixels of a stripe, a square or a grain. */
  readonly scale: number
  /** Centre and radius in pixels. */
  readonly blobs: readonly (readonly [number, number, number])[]
  /** In [0, 1], row by row: how near a grain is to the second colour. */
  readonly grains: readonly number[]
}

/** Least distance (CIE 1976) that any colour of a background keeps from every object's colour. */
export const minContrast = 22

/** Distance that the first colour should keep, so that there is room for the second. */
const wantedContrast = 40

/** A background that every object stands out from. */
export function chooseBackground(
  objects: readonly { readonly rgb: Rgb }[],
  draw: Random,
  size: number,
): Background {
  const kind = draw.pick(backgroundKinds)
  const contrast = (rgb: Rgb) => Math.min(...objects.map((object) => colourDistance(object.rgb, rgb)))
  const first = chooseFirst(contrast, draw)
  const second = chooseSecond(first, contrast, draw)
  const scale = kind === 'noise' ? draw.between(4, 10) : draw.between(6, 24)
  const across = Math.ceil(size / scale)
  return {
    kind,
    colours: [first, second],
    angle: draw.integer(180),
    scale,
    blobs:
      kind === 'blobs'
        ? Array.from({ length: 7 }, () => [draw.integer(size), draw.integer(size), draw.between(8, size / 4)])
        : [],
    grains: kind === 'noise' ? Array.from({ length: across * across }, () => draw.integer(5) / 4) : [],
  }
}

/** A colour that is far enough from every object's; of all that were tried the farthest, if none is. */
function chooseFirst(contrast: (rgb: Rgb) => number, draw: Random): Rgb {
  let best: Rgb | undefined
  for (let tries = 0; tries < 500; tries++) {
    // Muted first, and any colour where muted ones fail.
    const spread = tries < 40 ? 30 : tries < 80 ? 70 : 255
    const level = draw.between(20, 245)
    const candidate = changed([level, level, level], spread, draw)
    if (!best || contrast(candidate) > contrast(best)) best = candidate
    if (contrast(best) > wantedContrast) break
  }
  return best as Rgb
}

/**
 * Another colour with nothing in between that comes near an object's; the first one again if there is none.
 */
function chooseSecond(first: Rgb, contrast: (rgb: Rgb) => number, draw: Random): Rgb {
  for (let tries = 0; tries < 60; tries++) {
    const second = changed(first, tries < 30 ? 70 : 25, draw)
    const steps = Array.from({ length: 9 }, (_, at) => contrast(blend(first, second, at / 8)))
    if (Math.min(...steps) > minContrast + 2) return second
  }
  return first
}

function changed([red, green, blue]: Rgb, reach: number, draw: Random): Rgb {
  const off = (value: number) => Math.max(0, Math.min(255, Math.round(value + draw.between(-reach, reach))))
  return [off(red), off(green), off(blue)]
}

/** The colour `share` of the way from one to another. */
export function blend(from: Rgb, to: Rgb, share: number): Rgb {
  const mix = (at: 0 | 1 | 2) => Math.round(from[at] + (to[at] - from[at]) * share)
  return [mix(0), mix(1), mix(2)]
}

/** How different two colours look: Euclidean distance in CIE Lab (D65), 0 to about 258 in sRGB. */
export function colourDistance(a: Rgb, b: Rgb): number {
  const p = labOf(a)
  const q = labOf(b)
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2])
}

/** IEC 61966-2-1 (sRGB) to CIE XYZ to CIE 1976 L*a*b*. */
function labOf(rgb: Rgb): readonly [number, number, number] {
  const linear = (value: number) => {
    const share = value / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }
  const red = linear(rgb[0])
  const green = linear(rgb[1])
  const blue = linear(rgb[2])
  const bend = (value: number) =>
    value > (6 / 29) ** 3 ? Math.cbrt(value) : value / (3 * (6 / 29) ** 2) + 4 / 29
  const x = bend((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505)
  const y = bend(0.2126 * red + 0.7152 * green + 0.0722 * blue)
  const z = bend((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089)
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
}
