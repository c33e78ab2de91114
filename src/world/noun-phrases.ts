import type { Random } from '../base/random.js'
import type { Scene, SceneObject } from './layout-scene.js'
import { placeOf, sidesOf } from './places.js'
import { clearlyBigger } from './plan-objects.js'
import { pluralOf, pronouns, type Recipe } from './recipe.js'

/** Words that name objects of a scene, still without a determiner. */
export interface NounPhrase {
  /** "little" or "large". */
  readonly size?: string
  readonly colour?: string
  readonly noun: string
  /** "one", "thing" and the like, which are true of anything. */
  readonly isPronoun?: boolean
  /** What the noun phrase ends in, where that is what it picks its objects by: "on the left". */
  readonly tail?: string
  /** The objects that it names: all and only those that it is true of. */
  readonly objects: readonly number[]
  /** Where its objects are, said behind it and no part of it: "on the left". */
  readonly place?: string
  /** Places to be said of its objects in the place of the true ones. */
  readonly places?: readonly string[]
}

type Attribute = 'size' | 'colour'

/** The phrase without its determiner: "small red cars". */
export function wordsOf({ size, colour, noun, tail }: NounPhrase): string {
  return [size, colour, noun, tail].filter((word) => word !== undefined).join(' ')
}

/**
 * The noun phrases that a caption of the scene has, at most three, in the order in which they come. No object
 * is named twice. Gold and the known split name objects with and without attributes; the web mostly with what
 * tells them apart; the novel split names novel concepts alone, by their bare names; the attributes split
 * names objects by what others of their kind are not.
 */
export function chooseNounPhrases(recipe: Recipe, scene: Scene, draw: Random): NounPhrase[] {
  const phrases: NounPhrase[] = []
  const named = new Set<number>()
  for (const at of orderOfMention(scene, draw)) {
    const object = scene.objects[at]
    const phrase = object && nounPhrase(recipe, scene, object, draw)
    if (!phrase || phrase.objects.some((other) => named.has(other))) continue
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
  // Not all of these can be named in a way that the noun is not enough for.
  if (split === 'attributes') return order
  return order.filter((_, place) => place === 0 || draw.next() < 0.85)
}

function nounPhrase(recipe: Recipe, scene: Scene, object: SceneObject, draw: Random): NounPhrase | undefined {
  const build = (attributes: readonly Attribute[]) =>
    withAttributes(scene, object, ofKind(scene, object), attributes, draw)
  switch (scene.split) {
    case 'novel':
      return build([])
    case 'web':
      return webPhrase(recipe, scene, object, draw)
    case 'attributes':
      return contrastingPhrase(scene, object, draw)
    default:
      return goldPhrase(recipe, scene, object, draw)
  }
}

function goldPhrase({ gold }: Recipe, scene: Scene, object: SceneObject, draw: Random): NounPhrase {
  const kind = ofKind(scene, object)
  const luck = draw.next()
  const pronoun = luck < gold.pronoun_share ? pronounPhrase(scene, object, draw) : undefined
  if (pronoun) return pronoun
  if (luck < gold.attribute_share) {
    return withAttributes(scene, object, kind, draw.pick(openAttributes(scene, object, kind)), draw)
  }
  const place = luck < gold.attribute_share + gold.place_share ? onSide(scene, object, draw) : undefined
  return place ?? withAttributes(scene, object, kind, [], draw)
}

/** Attributes that can be said of the object among others that its noun may mean; colours more often. */
function openAttributes(scene: Scene, object: SceneObject, rivals: readonly number[]): Attribute[][] {
  const choices: Attribute[][] = [['colour'], ['colour'], ['colour'], ['size'], ['size', 'colour']]
  return choices.filter((choice) => !choice.includes('size') || sizeIsClear(scene, object, rivals))
}

function webPhrase(recipe: Recipe, scene: Scene, object: SceneObject, draw: Random): NounPhrase {
  const kind = ofKind(scene, object)
  const build = (attributes: readonly Attribute[]) => withAttributes(scene, object, kind, attributes, draw)
  const bare = build([])
  if (draw.next() < recipe.web.bare_share) return bare
  const place = placeOf(bare.objects, scene)
  if (place?.alone && draw.next() < 0.15) return { ...bare, place: draw.pick(place.words) }
  const open = openAttributes(scene, object, kind)
  // Where the recipe wants a colour that does not tell, a size is not to make up for it.
  const isTelling =
    recipe.web.telling_share === undefined || !object.novel || tellsApart(scene, object, ['colour'])
  const wanted = open.filter((attributes) => tellsApart(scene, object, attributes) === isTelling)
  if (wanted.length > 0) return build(draw.pick(wanted))
  if (place?.alone) return { ...bare, place: draw.pick(place.words) }
  return build(draw.pick(open))
}

/** "the red one", "two small things": all of the scene that it is true of, and not everything. */
function pronounPhrase(scene: Scene, object: SceneObject, draw: Random): NounPhrase | undefined {
  const everything = scene.objects.map((_, at) => at)
  const open = openAttributes(scene, object, everything)
  const phrases = open
    .map((attributes) => withAttributes(scene, object, everything, attributes, draw))
    .filter(({ objects }) => objects.length < everything.length)
  if (phrases.length === 0) return undefined
  const phrase = draw.pick(phrases)
  // Beside another kind "the red one" would be read as one of that kind.
  const kind = ofKind(scene, object)
  const isOne = phrase.objects.every((at) => kind.includes(at)) && kind.length > phrase.objects.length
  const noun = draw.pick(isOne ? pronouns : pronouns.filter((word) => word !== 'one'))
  return { ...phrase, noun: phrase.objects.length === 1 ? noun : `${noun}s`, isPronoun: true }
}

/** "cat on the left": all of its kind that are there; undefined where a side is not plain to see. */
function onSide(scene: Scene, object: SceneObject, draw: Random): NounPhrase | undefined {
  const sides = sidesOf(scene.objects.indexOf(object), ofKind(scene, object), scene)
  if (sides.length === 0) return undefined
  const { words, objects } = draw.pick(sides)
  const noun = objects.length === 1 ? object.concept.name : pluralOf(object.concept)
  return { noun, tail: draw.pick(words), objects }
}

/** A phrase that is true of the object and not of all of its kind; undefined where there is none. */
function contrastingPhrase(scene: Scene, object: SceneObject, draw: Random): NounPhrase | undefined {
  const kind = ofKind(scene, object)
  const choices: Attribute[][] = [['colour'], ['size'], ['size', 'colour']]
  const phrases = choices
    .filter((choice) => !choice.includes('size') || sizeIsClear(scene, object, kind))
    .map((attributes) => withAttributes(scene, object, kind, attributes, draw))
  const place = onSide(scene, object, draw)
  if (place) phrases.push(place)
  const telling = phrases.filter(({ objects }) => objects.length < kind.length)
  return telling.length > 0 ? draw.pick(telling) : undefined
}

function withAttributes(
  scene: Scene,
  object: SceneObject,
  rivals: readonly number[],
  attributes: readonly Attribute[],
  draw: Random,
): NounPhrase {
  const objects = rivals.filter((at) => {
    const other = scene.objects[at]
    return attributes.every((attribute) => other?.[attribute] === object[attribute])
  })
  return {
    ...(attributes.includes('size') ? { size: draw.pick(sizeWords[object.size as 'small' | 'big']) } : {}),
    ...(attributes.includes('colour') ? { colour: object.colour } : {}),
    noun: objects.length === 1 ? object.concept.name : pluralOf(object.concept),
    objects,
  }
}

/** Words for the two sizes. */
export const sizeWords = { small: ['small', 'little'], big: ['big', 'large'] } as const

function ofKind({ objects }: Scene, { concept }: SceneObject): number[] {
  return objects.flatMap((other, at) => (other.concept.name === concept.name ? [at] : []))
}

/** The object is small or big, and its rivals are so too or clearly not. */
function sizeIsClear({ objects }: Scene, object: SceneObject, rivals: readonly number[]): boolean {
  if (object.size === null) return false
  return rivals.every((at) => {
    const rival = objects[at]
    return !rival || rival.size === object.size || isClearlyOff(rival, object)
  })
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
