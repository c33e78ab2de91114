import { type Random, random } from '../random.js'
import type { Scene, SceneObject } from './layout-scene.js'
import { pluralOf, type Recipe } from './recipe.js'

export interface Mention {
  /** Span in the caption, in code points, half open. */
  readonly start: number
  readonly end: number
  /** The objects of the scene that the phrase names: all of those it is true of. */
  readonly objects: readonly number[]
}

export interface Description {
  readonly caption: string
  readonly mentions: readonly Mention[]
}

/** A noun phrase and the objects it names. */
interface NounPhrase {
  readonly text: string
  readonly objects: readonly number[]
}

type Part = string | NounPhrase

const numbers = ['no', 'a', 'two', 'three', 'four', 'five', 'six']

/** Phrases that name nothing in any picture. */
const distractors = [
  'on a sunny morning',
  'on a rainy day',
  'with love from the team',
  'for your next birthday',
  'in perfect harmony',
  'at the end of summer',
  'as a matter of fact',
  'for the whole family',
]

/**
 * Words for a scene. Every phrase names all and only the objects that it is true of, and what is said of places and
 * relations is true. Gold names each object with or without attributes; the web mostly with an attribute that picks
 * it out; the novel split by its bare name alone.
 */
export function describeScene(recipe: Recipe, scene: Scene): Description {
  const draw = random(recipe.seed, 'caption', scene.split, scene.index)
  const phrases = choosePhrases(recipe, scene, draw)
  return assemble(arrange(phrases, scene, draw))
}

function choosePhrases(recipe: Recipe, scene: Scene, draw: Random): NounPhrase[] {
  const isNovel = (object: SceneObject) => object.concept in recipe.novel
  const phrases: NounPhrase[] = []
  const named = new Set<number>()
  for (const index of draw.shuffle(scene.objects.map((_, at) => at))) {
    if (named.has(index)) continue
    if (scene.split === 'novel' && !isNovel(scene.objects[index])) continue
    // A web caption leaves things out; it never leaves out what it was written for.
    if (scene.split === 'web' && phrases.length > 0 && draw.next() < 0.15) continue
    const phrase = namePhrase(recipe, scene, index, draw)
    if (phrase.objects.some((object) => named.has(object))) continue
    for (const object of phrase.objects) named.add(object)
    phrases.push(phrase)
    if (phrases.length === 3) break
  }
  return phrases
}

type Attribute = 'size' | 'colour'

function namePhrase(recipe: Recipe, scene: Scene, index: number, draw: Random): NounPhrase {
  const object = scene.objects[index]
  const candidates: Attribute[][] = [['colour']]
  if (object.size) candidates.push(['size'], ['size', 'colour'])
  let attributes: Attribute[]
  if (scene.split === 'novel') attributes = []
  else if (scene.split === 'web') {
    // People say what tells a thing apart: attributes that only this concept's objects have in the picture.
    const telling = candidates.filter((choice) =>
      matching(scene, object, choice).every((at) => scene.objects[at].concept === object.concept),
    )
    const bare = draw.next() < recipe.web.bare_share
    attributes = bare ? [] : draw.pick(telling.length > 0 ? telling : candidates)
  } else attributes = draw.next() < 0.4 ? [] : draw.pick(candidates)

  const objects = matching(scene, object, attributes).filter(
    (at) => scene.objects[at].concept === object.concept,
  )
  const noun = objects.length === 1 ? object.concept : pluralOf(object.concept, recipe)
  const adjectives = [
    ...(attributes.includes('size')
      ? [object.size === 'big' ? draw.pick(['big', 'large']) : draw.pick(['small', 'little'])]
      : []),
    ...(attributes.includes('colour') ? [object.colour] : []),
  ]
  const words = [...adjectives, noun].join(' ')
  const number = objects.length === 1 ? article(words, draw) : numbers[objects.length]
  return { text: `${number} ${words}`, objects }
}

function article(words: string, draw: Random): string {
  if (draw.next() < 0.2) return 'the'
  return /^[aeiou]/.test(words) ? 'an' : 'a'
}

/** Objects of any concept that the attributes are true of. */
function matching(scene: Scene, object: SceneObject, attributes: readonly Attribute[]): number[] {
  return scene.objects.flatMap((other, at) => {
    const same = attributes.every((name) =>
      name === 'size' ? other.size === object.size : other.colour === object.colour,
    )
    return same ? [at] : []
  })
}

/** Puts phrases into a sentence. */
function arrange(phrases: readonly NounPhrase[], scene: Scene, draw: Random): Part[] {
  const parts: Part[] = []
  const [first, second, third] = phrases
  const opening = draw.pick([
    '',
    '',
    '',
    'there is ',
    'photo of ',
    'a picture of ',
    'look at ',
    'here you see ',
  ])
  // "There is two cats" would be wrong.
  parts.push(opening === 'there is ' && first.objects.length > 1 ? 'there are ' : opening, first)
  const place = placeOf(first, scene)
  if (place && draw.next() < 0.35) parts.push(` ${place}`)
  if (second) {
    const relation = relationOf(first, second, scene)
    parts.push(
      relation && draw.next() < 0.5
        ? ` ${relation} `
        : third
          ? ', '
          : draw.pick([' and ', ' with ', ' near ', ' beside ']),
      second,
    )
    const where = placeOf(second, scene)
    if (where && draw.next() < 0.25) parts.push(` ${where}`)
  }
  if (third) parts.push(' and ', third)
  const share = scene.split === 'web' ? 0.35 : 0.15
  if (draw.next() < share) parts.push(`${draw.pick([' ', ', '])}${draw.pick(distractors)}`)
  if (draw.next() < 0.2) parts.push('.')
  return parts
}

const centre = ({ box }: SceneObject) => [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] as const

/** Where in the picture all the objects of a phrase are, if they are in one part of it. */
function placeOf(phrase: NounPhrase, scene: Scene): string | undefined {
  const places = new Set(
    phrase.objects.map((at) => {
      const [x, y] = centre(scene.objects[at]).map((value) => value / scene.size)
      const column = x < 0.36 ? 'left' : x > 0.64 ? 'right' : ''
      const row = y < 0.36 ? 'top' : y > 0.64 ? 'bottom' : ''
      if (row && column) return `in the ${row} ${column} corner`
      if (column) return `on the ${column}`
      if (row) return `at the ${row}`
      return 'in the middle'
    }),
  )
  return places.size === 1 ? [...places][0] : undefined
}

/** How the first stands to the second, when both are one thing and it is plain to see. */
function relationOf(first: NounPhrase, second: NounPhrase, scene: Scene): string | undefined {
  if (first.objects.length !== 1 || second.objects.length !== 1) return undefined
  const [ax, ay] = centre(scene.objects[first.objects[0]])
  const [bx, by] = centre(scene.objects[second.objects[0]])
  const [dx, dy] = [bx - ax, by - ay]
  if (Math.max(Math.abs(dx), Math.abs(dy)) < scene.size / 5) return undefined
  if (Math.abs(dx) > 1.5 * Math.abs(dy)) return dx > 0 ? 'to the left of' : 'to the right of'
  if (Math.abs(dy) > 1.5 * Math.abs(dx)) return dy > 0 ? 'above' : 'below'
  return 'next to'
}

function assemble(parts: readonly Part[]): Description {
  let caption = ''
  const mentions: Mention[] = []
  for (const part of parts) {
    const text = typeof part === 'string' ? part : part.text
    // Every word of the world is ASCII, so that characters are code points.
    if (typeof part !== 'string') {
      mentions.push({ start: caption.length, end: caption.length + text.length, objects: part.objects })
    }
    caption += text
  }
  return { caption, mentions }
}
