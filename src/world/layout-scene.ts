import { type Random, random } from '../base/random.js'
import { type Background, chooseBackground } from './choose-background.js'
import type { InkMap } from './measure-ink.js'
import type { Concept, Recipe, Rgb, Split } from './recipe.js'

export interface SceneObject {
  readonly concept: Concept
  readonly novel: boolean
  readonly colour: string
  readonly rgb: Rgb
  /** What it is called by its longer side; null for what is neither. */
  readonly size: 'small' | 'big' | null
  readonly mirrored: boolean
  /** x1 y1 x2 y2 in pixels: the pictogram's ink. */
  readonly box: readonly [number, number, number, number]
}

export interface Scene {
  readonly split: Split
  readonly index: number
  /** Side in pixels. */
  readonly size: number
  readonly background: Background
  /** One or more, no two of them overlapping. */
  readonly objects: readonly SceneObject[]
}

/** Pixels between any two objects. */
const gap = 2

/** Decides what stands where in a scene. The recipe, the split and the index decide everything. */
export function layoutScene(recipe: Recipe, ink: InkMap, split: Split, index: number): Scene {
  const draw = random(recipe.seed, 'scene', split, index)
  const { size, objects: range } = recipe.scene
  const heldOut = split === 'known' || split === 'novel'
  const minCount = Math.min(range[1], Math.max(range[0], heldOut ? 2 : 1))
  const count = minCount + draw.integer(range[1] - minCount + 1)
  const novels = chooseNovel(recipe, split, count, draw)
  const objects: SceneObject[] = []
  for (let tries = 0; objects.length < count && tries < 200; tries++) {
    const object = drawObject(recipe, ink, objects, novels[objects.length] ?? false, draw)
    if (!objects.some((other) => near(object.box, other.box))) objects.push(object)
  }
  return { split, index, size, background: chooseBackground(objects, draw, size), objects }
}

/** Which of a scene's objects are novel: a web or novel scene's first always is. */
function chooseNovel({ web }: Recipe, split: Split, count: number, draw: Random): boolean[] {
  // As the first is novel, the others are so less often for the share to come out right over all of them.
  const rest = count > 1 ? Math.max(0, (web.novel_share * count - 1) / (count - 1)) : 0
  return Array.from({ length: count }, (_, at) => {
    if (split === 'web') return at === 0 || draw.next() < rest
    // The second is known: something that the novel name must be told from.
    if (split === 'novel') return at === 0 || (at > 1 && draw.next() < 0.6)
    return false
  })
}

function drawObject(
  { scene, concepts, colours }: Recipe,
  ink: InkMap,
  objects: readonly SceneObject[],
  novel: boolean,
  draw: Random,
): SceneObject {
  const alike = objects.filter((object) => object.novel === novel)
  // Two of a kind, mostly in one colour, give captions something to count.
  const twin = alike.length > 0 && draw.next() < 0.3 ? draw.pick(alike) : undefined
  const concept = twin?.concept ?? draw.pick(novel ? concepts.novel : concepts.known)
  const colour = twin && draw.next() < 0.6 ? twin.colour : draw.pick(Object.keys(colours))
  const rgb = colours[colour]
  const shape = ink.get(concept.name)
  if (!shape) throw new Error(`no ink measured for ${concept.name}`)
  if (!rgb) throw new Error(`the recipe has no colour ${colour}`)
  const side = draw.between(scene.object_size[0], scene.object_size[1])
  const scale = side / Math.max(shape.width, shape.height)
  const width = shape.width * scale
  const height = shape.height * scale
  const x = draw.between(1, scene.size - 1 - width)
  const y = draw.between(1, scene.size - 1 - height)
  return {
    concept,
    novel,
    colour,
    rgb: jitter(rgb, draw),
    size: side < scene.small_below ? 'small' : side > scene.big_above ? 'big' : null,
    mirrored: draw.next() < 0.5,
    box: [x, y, x + width, y + height],
  }
}

function near(a: SceneObject['box'], b: SceneObject['box']): boolean {
  return a[0] < b[2] + gap && b[0] < a[2] + gap && a[1] < b[3] + gap && b[1] < a[3] + gap
}

function jitter([red, green, blue]: Rgb, draw: Random): Rgb {
  const off = (value: number) => Math.max(0, Math.min(255, Math.round(value + draw.between(-14, 14))))
  return [off(red), off(green), off(blue)]
}
