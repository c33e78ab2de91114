import type { Scene, SceneObject } from './layout-scene.js'

/** A part of the picture and words that say so. */
interface Place {
  readonly words: readonly string[]
  /** Is a centre (x and y in 0 to 1) there? A corner is also on its side: "on the left" is true of it. */
  holds(x: number, y: number): boolean
}

const low = 0.36
const high = 0.64
const left = (x: number) => x < low
const right = (x: number) => x > high
const top = (_: number, y: number) => y < low
const bottom = (_: number, y: number) => y > high
const middle = (x: number, y: number) => x >= low && x <= high && y >= low && y <= high

const sides: readonly Place[] = [
  { words: ['on the left', 'on the left side'], holds: left },
  { words: ['on the right', 'on the right side'], holds: right },
  { words: ['at the top'], holds: top },
  { words: ['at the bottom'], holds: bottom },
]

/** Corners come first: what is in a corner is best named by it. */
const places: readonly Place[] = [
  { words: ['in the top left corner', 'in the top left'], holds: (x, y) => left(x) && top(x, y) },
  { words: ['in the top right corner', 'in the top right'], holds: (x, y) => right(x) && top(x, y) },
  { words: ['in the bottom left corner', 'in the bottom left'], holds: (x, y) => left(x) && bottom(x, y) },
  {
    words: ['in the bottom right corner', 'in the bottom right'],
    holds: (x, y) => right(x) && bottom(x, y),
  },
  { words: ['in the middle', 'in the center'], holds: middle },
  ...sides,
]

/** Halves of the picture, in the order of the sides. */
const halves: readonly Place['holds'][] = [
  (x) => x < 0.5,
  (x) => x > 0.5,
  (_, y) => y < 0.5,
  (_, y) => y > 0.5,
]

export interface PlaceOfObjects {
  readonly words: readonly string[]
  /** Nothing else in the picture is there. */
  readonly alone: boolean
}

/** The narrowest part of the picture that has the centres of all the objects. */
export function placeOf(objects: readonly number[], scene: Scene): PlaceOfObjects | undefined {
  const place = places.find(({ holds }) => objects.every((at) => isIn(holds, at, scene)))
  if (!place) return undefined
  const alone = !scene.objects.some((_, at) => !objects.includes(at) && isIn(place.holds, at, scene))
  return { words: place.words, alone }
}

/** Words for parts of the picture that have none of the objects. */
export function wrongPlaces(objects: readonly number[], scene: Scene): string[] {
  return places
    .filter(({ holds }) => !objects.some((at) => isIn(holds, at, scene)))
    .flatMap(({ words }) => words)
}

/** Objects that are on a side of the picture, and words for it. */
export interface SideOfObjects {
  readonly words: readonly string[]
  readonly objects: readonly number[]
}

/** Sides that the object is on where all of its kind are on it as well or in the other half. */
export function sidesOf(at: number, kind: readonly number[], scene: Scene): SideOfObjects[] {
  return sides.flatMap(({ words, holds }, side) => {
    const half = halves[side]
    if (!half || !isIn(holds, at, scene)) return []
    const objects = kind.filter((other) => isIn(half, other, scene))
    return objects.every((other) => isIn(holds, other, scene)) ? [{ words, objects }] : []
  })
}

function isIn(holds: Place['holds'], at: number, { objects, size }: Scene): boolean {
  const object = objects[at]
  if (!object) return false
  const [x, y] = centreOf(object)
  return holds(x / size, y / size)
}

/** Ways to say how the first object stands to the second; none where it is not plain to see. */
export function relationsOf(first: SceneObject, second: SceneObject, size: number): readonly string[] {
  const [ax, ay] = centreOf(first)
  const [bx, by] = centreOf(second)
  const dx = bx - ax
  const dy = by - ay
  const far = size / 5
  const relations: string[] = []
  if (Math.abs(dx) > Math.max(far, 1.5 * Math.abs(dy))) {
    relations.push(...(dx > 0 ? ['to the left of', 'left of'] : ['to the right of', 'right of']))
  }
  if (Math.abs(dy) > Math.max(far, 1.5 * Math.abs(dx))) {
    relations.push(...(dy > 0 ? ['above', 'over'] : ['below', 'under']))
  }
  if (gapBetween(first, second) < size / 6) relations.push('next to', 'beside')
  return relations
}

/** Middle of an object's box in pixels. */
export function centreOf({ box }: SceneObject): readonly [number, number] {
  return [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]
}

/** Pixels between two boxes, 0 where they touch. */
export function gapBetween({ box: a }: SceneObject, { box: b }: SceneObject): number {
  const across = Math.max(0, a[0] - b[2], b[0] - a[2])
  const down = Math.max(0, a[1] - b[3], b[1] - a[3])
  return Math.hypot(across, down)
}
