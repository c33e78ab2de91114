import { type Random, random } from '../random.js'
import type { Ink } from './measure-ink.js'
import type { Recipe, Rgb, Split } from './recipe.js'

export interface SceneObject {
  readonly concept: string
  readonly colour: string
  readonly rgb: Rgb
  /** 'small' and 'big' are said of objects that clearly are. */
  readonly size: 'small' | 'big' | null
  readonly mirrored: boolean
  /** x1 y1 x2 y2 in pixels of the drawn pictogram. */
  readonly box: readonly [number, number, number, number]
}

export interface Scene {
  readonly split: Split
  readonly index: number
  readonly size: number
  readonly background: Background
  readonly objects: readonly SceneObject[]
}

export interface Background {
  readonly kind: 'plain' | 'gradient' | 'stripes' | 'checks' | 'blobs'
  readonly colours: readonly [Rgb, Rgb]
  readonly angle: number
  /** Width of a stripe, a square or a blob in pixels. */
  readonly scale: number
  readonly blobs: readonly (readonly [number, number, number])[]
}

/** Draws what stands where in a scene. The seed, the split and the index decide everything. */
export function layoutScene(
  recipe: Recipe,
  ink: ReadonlyMap<string, Ink>,
  split: Split,
  index: number,
): Scene {
  const draw = random(recipe.seed, 'scene', split, index)
  const { size, objects: range, object_size: sizes, small_below, big_above } = recipe.scene
  const count = range[0] + draw.integer(range[1] - range[0] + 1)
  const objects: SceneObject[] = []
  const known = Object.keys(recipe.known)
  const novel = Object.keys(recipe.novel)
  const novelShare = { gold: 0, known: 0, web: recipe.web.novel_share, novel: 0.7 }[split]

  for (let tries = 0; objects.length < count && tries < 60; tries++) {
    const twin = objects.length > 0 && draw.next() < 0.15 ? draw.pick(objects) : undefined
    // Web and novel scenes show a novel concept first, so that none is without one.
    const isNovel = novelShare > 0 && (objects.length === 0 || draw.next() < novelShare)
    const concept = twin?.concept ?? draw.pick(isNovel ? novel : known)
    const colour = twin && draw.next() < 0.7 ? twin.colour : draw.pick(Object.keys(recipe.colours))
    const shape = ink.get(concept)
    if (!shape) throw new Error(`no ink measured for ${concept}`)
    const side = draw.between(sizes[0], sizes[1])
    const scale = side / Math.max(shape.width, shape.height)
    const width = shape.width * scale
    const height = shape.height * scale
    const x = draw.between(1, size - 1 - width)
    const y = draw.between(1, size - 1 - height)
    const box = [x, y, x + width, y + height] as const
    if (objects.some((other) => overlaps(box, other.box, 2))) continue
    objects.push({
      concept,
      colour,
      rgb: jitter(recipe.colours[colour], draw),
      size: side < small_below ? 'small' : side > big_above ? 'big' : null,
      mirrored: draw.next() < 0.5,
      box,
    })
  }
  return { split, index, size, background: drawBackground(objects, draw, size), objects }
}

function overlaps(a: SceneObject['box'], b: SceneObject['box'], gap: number): boolean {
  return a[0] < b[2] + gap && b[0] < a[2] + gap && a[1] < b[3] + gap && b[1] < a[3] + gap
}

function jitter(rgb: Rgb, draw: Random): Rgb {
  const change = () => draw.between(-14, 14)
  return rgb.map((value) => Math.max(0, Math.min(255, Math.round(value + change())))) as unknown as Rgb
}

/** Pale or dark muted colours that keep away from every object's colour. */
function drawBackground(objects: readonly SceneObject[], draw: Random, size: number): Background {
  const kind = draw.pick(['plain', 'gradient', 'stripes', 'checks', 'blobs'] as const)
  const contrast = (rgb: Rgb) => Math.min(...objects.map((object) => distance(object.rgb, rgb)))
  const choose = (near?: Rgb): Rgb => {
    let best: Rgb | undefined
    for (let tries = 0; tries < 40; tries++) {
      const level = draw.between(40, 245)
      const tint = () => Math.max(0, Math.min(255, Math.round(level + draw.between(-28, 28))))
      const candidate: Rgb = near
        ? (near.map((v) => clamp(v + draw.between(-30, 30))) as unknown as Rgb)
        : [tint(), tint(), tint()]
      if (!best || contrast(candidate) > contrast(best)) best = candidate
      if (contrast(best) > 95) break
    }
    return best as Rgb
  }
  const first = choose()
  const second = choose(first)
  const blobs = Array.from(
    { length: 6 },
    () => [draw.between(0, size), draw.between(0, size), draw.between(size / 12, size / 4)] as const,
  )
  return { kind, colours: [first, second], angle: draw.integer(180), scale: draw.between(6, 20), blobs }
}

const clamp = (value: number) => Math.max(0, Math.min(255, Math.round(value)))
const distance = (a: Rgb, b: Rgb) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
