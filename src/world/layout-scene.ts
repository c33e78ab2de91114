import { type Random, random } from '../base/random.js'
import { UserError } from '../base/user-error.js'
import { type Background, chooseBackground } from './choose-background.js'
import type { InkMap } from './measure-ink.js'
import { countsOf, type PlannedObject, planObjects, type SizeName, sizeOf } from './plan-objects.js'
import type { Concept, Recipe, Rgb, Split } from './recipe.js'

export interface SceneObject {
  readonly concept: Concept
  readonly novel: boolean
  readonly colour: string
  readonly rgb: Rgb
  /** What it is called by its longer side; null for what is neither. */
  readonly size: SizeName
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

/** Scenes that are tried until all objects of one find a place. */
const attempts = 50

/** Decides what stands where in a scene. The recipe, the split and the index decide everything. */
export function layoutScene(recipe: Recipe, ink: InkMap, split: Split, index: number): Scene {
  const draw = random(recipe.seed, 'scene', split, index)
  const { size } = recipe.scene
  const [least, most] = countsOf(recipe, split)
  const count = least + draw.integer(most - least + 1)
  let objects: readonly SceneObject[] = []
  for (let tries = 0; objects.length < count && tries < attempts; tries++) {
    const placed = placeObjects(recipe, ink, planObjects(recipe, split, count, draw), draw)
    if (placed.length > objects.length) objects = placed
  }
  if (split === 'attributes' && objects.length < 2) {
    throw new UserError('scene.object_size: no two objects find a place in a scene; lower it')
  }
  return { split, index, size, background: chooseBackground(objects, draw, size), objects }
}

/** The objects apart from each other, up to the first that finds no place. */
function placeObjects(
  recipe: Recipe,
  ink: InkMap,
  planned: readonly PlannedObject[],
  draw: Random,
): SceneObject[] {
  const objects: SceneObject[] = []
  for (const plan of planned) {
    let placed: SceneObject | undefined
    for (let tries = 0; !placed && tries < 30; tries++) {
      const object = placeObject(recipe, ink, plan, draw)
      if (!objects.some((other) => near(object.box, other.box))) placed = object
    }
    if (!placed) break
    objects.push(placed)
  }
  return objects
}

function placeObject(
  { scene, colours }: Recipe,
  ink: InkMap,
  { side, ...plan }: PlannedObject,
  draw: Random,
): SceneObject {
  const rgb = colours[plan.colour]
  const shape = ink.get(plan.concept.name)
  if (!shape) throw new Error(`no ink measured for ${plan.concept.name}`)
  if (!rgb) throw new Error(`the recipe has no colour ${plan.colour}`)
  const scale = side / Math.max(shape.width, shape.height)
  const width = shape.width * scale
  const height = shape.height * scale
  const x = draw.between(1, scene.size - 1 - width)
  const y = draw.between(1, scene.size - 1 - height)
  return {
    ...plan,
    rgb: jitter(rgb, draw),
    size: sizeOf(scene, side),
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
