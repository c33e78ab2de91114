import type { Random } from '../base/random.js'
import type { Scene, SceneObject } from './layout-scene.js'
import { placeOf } from './places.js'
import { pluralOf, type Recipe } from './recipe.js'

/** Words that name objects of a scene, still without a determiner. */
export interface NounPhrase {
  /** Modifiers and noun: "small red cars". */
  readonly words: string
  /** The objects that it names: all and only those that it is true of. */
  readonly objects: readonly number[]
  /** Where a place is what tells the objects apart: "on the left". */
  readonly place?: string
}

type Attribute = 'size' | 'colour'

/** How much one object must be longer than another for "big" to be said of it and not of the other. */
const clearlyBigger = 1.25

/**
 * The noun phrases that a caption of the scene has, at most three, in the order in which they come. No object
 * is named twice. Gold and the known split name objects with and without attributes; the web mostly with what
 * tells them apart; the novel split names novel concepts alone, by their bare names.
 */
export function chooseNounPhrases(recipe: Recipe, scene: Scene, draw: Random): NounPhrase[] {
  const phrases: NounPhrase[] = []
  const named = new Set<number>()
  for (const at of orderOfMention(scene, draw)) {
    const object = scene.objects[at]
    if (!object) continue
    const phrase = nounPhrase(recipe, scene, object, draw)
    if (phrase.objects.some((other) => named.has(other))) continue
    for (const other of phrase.objects) named.add(other)
    phrases.push(phrase)
    if (phrases.length === 3) break
  }
  return draw.shuffle(phrases)
}

/** The objects that are to be named; a caption leaves things out, but never all. */
function orderOfMention({ split, objects }: Scene, draw: Random): number[] {
  const order = draw.shuffle(objects.map((_, at) => at))
  const isNovel = (at: number) => objects[at]?.novel
  if (split === 'novel') return order.filter(isNovel)
  if (split === 'web') {
    // The web writes of what is new in its pictures.
    const first = order.find(isNovel) as number
    const others = order.filter((at) => at !== first && draw.next() < (isNovel(at) ? 0.85 : 0.65))
    return [first, ...others]
  }
  return order.filter((_, place) => place === 0 || draw.next() < 0.85)
}

function nounPhrase(recipe: Recipe, scene: Scene, object: SceneObject, draw: Random): NounPhrase {
  const choices: Attribute[][] = [['colour'], ['colour'], ['colour'], ['size'], ['size', 'colour']]
  const open = choices.filter((choice) => !choice.includes('size') || sizeIsClear(scene, object))
  const build = (attributes: readonly Attribute[]) => withAttributes(scene, object, attributes, draw)
  switch (scene.split) {
    case 'novel':
      return build([])
    case 'web': {
      const bare = build([])
      if (draw.next() < recipe.web.bare_share) return bare
      const place = placeOf(bare.objects, scene)
      if (place?.alone && draw.next() < 0.15) return { ...bare, place: draw.pick(place.words) }
      const unambiguous = open.filter((attributes) => tellsApart(scene, object, attributes))
      if (unambiguous.length > 0) return build(draw.pick(unambiguous))
      if (place?.alone) return { ...bare, place: draw.pick(place.words) }
      return build(draw.pick(open))
    }
    default:
      return build(draw.next() < 0.35 ? [] : draw.pick(open))
  }
}

function withAttributes(
  scene: Scene,
  object: SceneObject,
  attributes: readonly Attribute[],
  draw: Random,
): NounPhrase {
  const objects = scene.objects.flatMap((other, at) =>
    other.concept.name === object.concept.name && fits(other, object, attributes) ? [at] : [],
  )
  const adjectives = [
    ...(attributes.includes('size') ? [draw.pick(sizeWords[object.size as 'small' | 'big'])] : []),
    ...(attributes.includes('colour') ? [object.colour] : []),
  ]
  const noun = objects.length === 1 ? object.concept.name : pluralOf(object.concept)
  return { words: [...adjectives, noun].join(' '), objects }
}

/** Words for the two sizes. */
export const sizeWords = { small: ['small', 'little'], big: ['big', 'large'] } as const

function fits(other: SceneObject, object: SceneObject, attributes: readonly Attribute[]): boolean {
  return attributes.every((attribute) => other[attribute] === object[attribute])
}

/** The object is small or big, and others of its kind are so too or clearly not. */
function sizeIsClear(scene: Scene, object: SceneObject): boolean {
  if (object.size === null) return false
  return scene.objects
    .filter(({ concept, size }) => concept.name === object.concept.name && size !== object.size)
    .every((other) => isClearlyOff(other, object))
}

function isClearlyOff(other: SceneObject, object: SceneObject): boolean {
  const a = sideOf(other)
  const b = sideOf(object)
  return Math.max(a, b) / Math.min(a, b) >= clearlyBigger
}

/**
 * The attributes alone, without the noun, are true of this concept's objects and of nothing else in the
 * scene.
 */
function tellsApart(scene: Scene, object: SceneObject, attributes: readonly Attribute[]): boolean {
  return scene.objects
    .filter(({ concept }) => concept.name !== object.concept.name)
    .every(
      (other) =>
        (attributes.includes('colour') && other.colour !== object.colour) ||
        (attributes.includes('size') && other.size !== object.size && isClearlyOff(other, object)),
    )
}

/** Longer side of the box in pixels. */
export function sideOf({ box }: SceneObject): number {
  return Math.max(box[2] - box[0], box[3] - box[1])
}
