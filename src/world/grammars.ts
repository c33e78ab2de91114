import type { Random } from '../base/random.js'
import type { Scene } from './layout-scene.js'
import { type NounPhrase, wordsOf } from './noun-phrases.js'
import { placeOf, relationsOf } from './places.js'
import type { Split } from './recipe.js'

/** A piece of a caption: words between, or a phrase that names objects. */
export type Part = string | { readonly text: string; readonly phrase: NounPhrase }

/** A way to put one to three noun phrases into words. */
interface Grammar {
  readonly name: string
  readonly splits: readonly Split[]
  /** Undefined where it does not suit the phrases. */
  write(phrases: readonly NounPhrase[], scene: Scene, draw: Random): Part[] | undefined
}

const all: readonly Split[] = ['gold', 'web', 'known', 'novel', 'attributes']
/** Novel has bare names, attributes its own: nothing else may hint at where a thing is. */
const placed: readonly Split[] = ['gold', 'web', 'known']

const numbers = ['two', 'three', 'four', 'five', 'six']

const isMany = (phrase: NounPhrase | undefined) => (phrase?.objects.length ?? 0) > 1

/** The one thing that a phrase names. */
const objectOf = ({ objects: [at = -1] }: NounPhrase, scene: Scene) => scene.objects[at]

export const grammars: readonly Grammar[] = [
  {
    name: 'list',
    splits: all,
    write: (phrases, _, draw) =>
      list(
        phrases.map((phrase) => named(phrase, draw)),
        draw,
      ),
  },
  {
    name: 'there',
    splits: all,
    write: (phrases, _, draw) => [
      isMany(phrases[0]) ? 'there are ' : 'there is ',
      ...list(
        phrases.map((phrase) => named(phrase, draw)),
        draw,
      ),
    ],
  },
  {
    name: 'picture',
    splits: all,
    write: (phrases, _, draw) => [
      draw.pick(['photo of ', 'a photo of ', 'a picture of ', 'an image of ', 'a drawing of ']),
      ...list(
        phrases.map((phrase) => named(phrase, draw)),
        draw,
      ),
    ],
  },
  {
    name: 'look',
    splits: all,
    write: (phrases, _, draw) => [
      draw.pick(['look at ', 'here you see ', 'we found ', 'this shows ']),
      ...list(
        phrases.map((phrase) => named(phrase, draw)),
        draw,
      ),
    ],
  },
  {
    name: 'relation',
    splits: placed,
    write: ([first, second, third], scene, draw) => {
      if (!first || !second || isMany(first) || isMany(second) || first.place) return undefined
      const a = objectOf(first, scene)
      const b = objectOf(second, scene)
      if (!a || !b) return undefined
      const relations = relationsOf(a, b, scene.size)
      if (relations.length === 0) return undefined
      const parts = [...named(first, draw), ` ${draw.pick(relations)} `, ...named(second, draw)]
      return third ? [...parts, ', and ', ...named(third, draw)] : parts
    },
  },
  {
    name: 'place',
    splits: placed,
    write: (phrases, scene, draw) => {
      const withPlaces = phrases.map((phrase) => withPlace(phrase, scene, draw))
      if (withPlaces.every(({ place }) => place === undefined)) return undefined
      return list(
        withPlaces.map((phrase) => named(phrase, draw)),
        draw,
      )
    },
  },
  {
    name: 'place first',
    splits: placed,
    write: (phrases, scene, draw) => {
      const withPlaces = phrases.map((phrase) => withPlace(phrase, scene, draw))
      if (withPlaces.length > 2 || withPlaces.some(({ place }) => place === undefined)) return undefined
      return withPlaces.flatMap((phrase, at) => {
        const verb = phrase.objects.length > 1 ? 'there are' : 'there is'
        const lead = draw.pick([`${phrase.place} ${verb} `, `${phrase.place}, `])
        return [at > 0 ? `, and ${lead}` : lead, determined(phrase, draw)]
      })
    },
  },
  {
    name: 'title',
    splits: ['web'],
    write: (phrases, _, draw) => {
      const names = phrases.map((phrase) =>
        phrase.objects.length === 1
          ? withPlaceBehind({ text: wordsOf(phrase), phrase })
          : named(phrase, draw),
      )
      return [...list(names, draw), draw.pick([' - ', ', ', ': ']), draw.pick(offers)]
    },
  },
]

/** Said of goods and letters, true of no picture. */
const offers = [
  'free shipping for your birthday',
  'made with care',
  'at a great price',
  'now in stock',
  'from our new collection',
  'order before the holidays',
  'best quality',
]

/** Phrases that name nothing in any picture. */
export const distractors = [
  'on a sunny morning',
  'on a rainy day',
  'with love from the team',
  'for your next birthday',
  'in perfect harmony',
  'at the end of summer',
  'as a matter of fact',
  'for the whole family',
  'by an unknown artist',
  'just in time for the weekend',
  'in the style of the seventies',
  'after a long week',
  'with best wishes',
  'for the first time',
]

function list(names: readonly (readonly Part[])[], draw: Random): Part[] {
  const [first = [], second, third] = names
  if (!second) return [...first]
  if (!third) return [...first, draw.pick([' and ', ' and ', ' with ']), ...second]
  return [...first, ', ', ...second, draw.pick([' and ', ', and ']), ...third]
}

/** The phrase with its determiner, and its place behind it if it has one. */
function named(phrase: NounPhrase, draw: Random): Part[] {
  return withPlaceBehind(determined(phrase, draw))
}

function withPlaceBehind(part: Exclude<Part, string>): Part[] {
  const { place } = part.phrase
  return place ? [part, ` ${place}`] : [part]
}

function determined(phrase: NounPhrase, draw: Random): Exclude<Part, string> {
  const luck = draw.next()
  const words = wordsOf(phrase)
  const count = phrase.objects.length
  if (count > 1) {
    const number = numbers[count - 2]
    const determiner =
      luck < 0.75 ? `${number} ` : luck < 0.85 ? `the ${number} ` : luck < 0.93 ? 'some ' : ''
    return { text: determiner + words, phrase }
  }
  const isDefinite = luck < (phrase.isPronoun ? 0.5 : 0.15)
  return { text: `${isDefinite ? 'the' : indefiniteArticle(words)} ${words}`, phrase }
}

/** "an owl", "a unicorn". */
export function indefiniteArticle(words: string): 'a' | 'an' {
  return /^(?!uni|use|eu|uku|one)[aeiou]/.test(words) ? 'an' : 'a'
}

function withPlace(phrase: NounPhrase, scene: Scene, draw: Random): NounPhrase {
  if (phrase.tail !== undefined) return phrase
  const place = phrase.place ?? pickPlace(phrase, scene, draw)
  return place === undefined ? phrase : { ...phrase, place }
}

function pickPlace({ objects, places }: NounPhrase, scene: Scene, draw: Random): string | undefined {
  const place = placeOf(objects, scene)
  return place && draw.pick(places ?? place.words)
}
