import { type Random, random } from '../base/random.js'
import { placeOf, siblingDistance } from '../nlp/lexicon/noun-relations.js'
import type { Negative, NegativeRow } from '../rows/rows.js'
import { withAttribute } from '../words/attribute-values.js'
import type { MineConfig, MineSource } from './config.js'
import { type PictureRows, pictureTruth } from './picture-truth.js'
import type { Vocabulary } from './vocabulary.js'

export interface Proposals {
  /** Phrases of which it is known that they name nothing in the picture; each once. */
  readonly absent: readonly Negative[]
  /** Phrases of which that is not known. */
  readonly unsure: readonly string[]
}

/** A phrase that may be absent. */
interface Candidate {
  readonly text: string
  /** The phrase that it is a variant of, or -1. */
  readonly phrase: number
}

/**
 * What is proposed of a picture: all that the source says itself, and of each source of proposals at most
 * `max`, the nearest siblings, any of the swaps, and frequent phrases as often as they are frequent.
 */
export function proposeNegatives(
  rows: PictureRows & { readonly said: Pick<NegativeRow, 'negatives'>; readonly key: string },
  vocabulary: Vocabulary,
  { sources, max, seed }: Pick<MineConfig, 'sources' | 'max' | 'seed'>,
): Proposals {
  const truth = pictureTruth(rows, vocabulary)
  const absent = new Map<string, Negative>(
    rows.said.negatives.map((negative) => [keyOf(negative.text), negative]),
  )
  const unsure = new Set<string>()
  const mentioned = new Set(rows.phrases.map(({ text }) => keyOf(text)))
  const makers: Readonly<Record<MineSource, (draw: Random) => Iterable<Candidate>>> = {
    attributes: (draw) => draw.shuffle(swaps(truth.grounded)),
    siblings: (draw) => siblings(truth.grounded, vocabulary, draw),
    frequent: (draw) => frequent(vocabulary, draw),
  }
  // Of a picture that is not exhaustive nothing is known but what its source says.
  for (const source of rows.said.exhaustive ? sources : []) {
    const draw = random(seed, source, rows.key)
    let taken = 0
    for (const { text, phrase } of makers[source](draw)) {
      if (taken === max) break
      const key = keyOf(text)
      if (absent.has(key) || unsure.has(text) || mentioned.has(key)) continue
      const evidence = truth.evidenceOf(vocabulary.thingOf(text))
      if (evidence) absent.set(key, { text, evidence, phrase, score: null })
      // Of frequent phrases most are of what is there: only those that are near are worth a word.
      else if (source === 'frequent') continue
      else unsure.add(text)
      taken++
    }
  }
  return { absent: [...absent.values()], unsure: [...unsure] }
}

const keyOf = (text: string) => text.toLowerCase().replace(/^(?:an?|the)\s+/, '')

/** Each phrase with each other value of each of its attributes. */
const swaps = (grounded: ReturnType<typeof pictureTruth>['grounded']): Candidate[] =>
  grounded.flatMap(({ text, phrase, attributes }) =>
    attributes.flatMap((attribute) =>
      attribute.others.map((value) => ({ text: withAttribute(text, attribute, value), phrase })),
    ),
  )

/** Category names that share an idea with something that is there, the nearest first. */
function siblings(
  grounded: ReturnType<typeof pictureTruth>['grounded'],
  { categories }: Vocabulary,
  draw: Random,
): Candidate[] {
  const present = new Set(grounded.map(({ place }) => place))
  const near = draw.shuffle(categories).flatMap(({ text }) => {
    const place = placeOf(text)
    const distances = [...present].flatMap((other) => siblingDistance(place, other) ?? [])
    return distances.length > 0 ? [{ text, phrase: -1, distance: Math.min(...distances) }] : []
  })
  // What is the same thing is no sibling: its distance is that of words above one another.
  return near.sort((a, b) => a.distance - b.distance)
}

/** Category names and phrases in a drawn order, the frequent ones sooner. */
function frequent({ categories, phrases }: Vocabulary, draw: Random): Candidate[] {
  // Efraimidis and Spirakis 2006: the order of -log(u) / weight draws without replacement by weight.
  return [...categories, ...phrases]
    .map(({ text, count }) => ({ text, phrase: -1, order: -Math.log(1 - draw.next()) / count }))
    .sort((a, b) => a.order - b.order)
}
