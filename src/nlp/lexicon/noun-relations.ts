import { lemma } from './lemma.js'
import { hypernyms, type NounSense, nounSenses } from './wordnet.js'

/** Where a noun stands among WordNet's ideas. */
export interface NounPlace {
  /** Its words in the singular, lower case. */
  readonly words: readonly string[]
  /** Its synsets, in the senses that are in use; none of a name that WordNet does not have. */
  readonly own: ReadonlySet<number>
  /** Of each sense in use the synsets above it with the steps to them, itself at 0. */
  readonly senses: readonly ReadonlyMap<number, number>[]
}

/** A sense is in use where it is the first of its word or has this share of the uses that WordNet counted. */
const minShare = 0.1
/** Names of any vocabulary, and the frequent phrases of a dataset. */
const cacheSize = 50_000
const cache = new Map<string, NounPlace>()

/**
 * The place of a noun, also of a compound: "wine glass". One that WordNet does not have stands below its last
 * word: a "toy dolphin" is a dolphin.
 */
export function placeOf(noun: string): NounPlace {
  const known = cache.get(noun)
  if (known) return known
  const place = findPlace(noun)
  if (cache.size >= cacheSize) cache.clear()
  cache.set(noun, place)
  return place
}

function findPlace(noun: string): NounPlace {
  const given = noun
    .toLowerCase()
    .split(/[\s_]+/)
    .filter((word) => word !== '')
  const last = given.at(-1)
  const words = last === undefined ? [] : [...given.slice(0, -1), lemma(last)]
  const own = firstSenses([words.join('_'), words.join(''), words.join('-')])
  const senses = own.length > 0 ? own : firstSenses(words.slice(-1))
  const used = inUse(senses).map(({ synset }) => synset)
  const parents = firstSenses(young.get(words.at(-1) ?? '') ?? []).map(({ synset }) => synset)
  return {
    words,
    own: new Set(own.length > 0 ? used : []),
    senses: used.map((synset) => above(synset, parents)),
  }
}

/** What WordNet calls young mammals or birds and no more, by what they grow into. */
const young: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    kitten: ['cat'],
    calf: ['cow'],
    lamb: ['sheep'],
    piglet: ['pig'],
    foal: ['horse'],
    colt: ['horse'],
    fawn: ['deer'],
    kid: ['child'],
    chick: ['chicken'],
  }),
)

/** The senses of the first spelling that WordNet has. */
function firstSenses(spellings: readonly string[]): readonly NounSense[] {
  for (const spelling of new Set(spellings)) {
    const senses = nounSenses(spelling)
    if (senses.length > 0) return senses
  }
  return []
}

function inUse(senses: readonly NounSense[]): readonly NounSense[] {
  const total = senses.reduce((sum, { count }) => sum + count, 0)
  // Of words that WordNet never met in a text, nobody knows which sense is meant.
  return total === 0 ? senses : senses.filter(({ rank, count }) => rank === 1 || count / total >= minShare)
}

/**
 * All synsets above one, with the fewest steps to each.
 *
 * @param more that stand right above it
 */
function above(synset: number, more: readonly number[] = []): Map<number, number> {
  const steps = new Map([[synset, 0], ...more.map((parent) => [parent, 1] as const)])
  // A map gives what is added to it while it is gone through, here in the order of steps.
  for (const [at, step] of steps)
    for (const next of hypernyms(at)) if (!steps.has(next)) steps.set(next, step + 1)
  return steps
}

/**
 * Whether what the one noun names may be what the other names: the same word, a synonym, or one above the
 * other, as cat and animal, puppy and dog. Of compounds the last words count: a "fire truck" is a truck.
 */
export function mayBeSame(a: NounPlace, b: NounPlace): boolean {
  return endsIn(a.words, b.words) || endsIn(b.words, a.words) || isAbove(a, b) || isAbove(b, a)
}

/**
 * Whether everything that a noun can mean is of what the other one names: each puppy is a dog. A compound of
 * WordNet's is what WordNet says: a hot dog is no dog.
 */
export function isKindOf(noun: NounPlace, general: NounPlace): boolean {
  const isSame = noun.words.length === general.words.length || noun.own.size === 0
  if (isSame && endsIn(noun.words, general.words)) return true
  return (
    noun.senses.length > 0 && noun.senses.every((sense) => [...general.own].some((one) => sense.has(one)))
  )
}

/** Ideas less than this many steps under the highest one (entity) are too wide to make siblings. */
const minDepth = 6
/** Steps from a noun up to what it shares with a sibling at most: from cat to mammal and back to horse. */
const maxSteps = 6

/**
 * How near two nouns are as siblings, in steps over the lowest idea above both: 2 of two kinds of one thing.
 * Undefined where they share none nearby.
 */
export function siblingDistance(a: NounPlace, b: NounPlace): number | undefined {
  let best: number | undefined
  for (const one of a.senses)
    for (const other of b.senses)
      for (const [synset, steps] of one) {
        const back = other.get(synset)
        if (back === undefined || steps > maxSteps || back > maxSteps || depthOf(synset) < minDepth) continue
        if (best === undefined || steps + back < best) best = steps + back
      }
  return best
}

const depths = new Map<number, number>()

/** Steps up to the highest idea, by the shortest way. */
function depthOf(synset: number): number {
  const known = depths.get(synset)
  if (known !== undefined) return known
  const tops = [...above(synset)].filter(([at]) => hypernyms(at).length === 0)
  const depth = Math.min(...tops.map(([, steps]) => steps))
  if (depths.size >= cacheSize) depths.clear()
  depths.set(synset, depth)
  return depth
}

const isAbove = (general: NounPlace, { senses }: NounPlace) =>
  senses.some((sense) => [...general.own].some((one) => sense.has(one)))

const endsIn = (words: readonly string[], end: readonly string[]) =>
  end.length > 0 &&
  end.length <= words.length &&
  end.every((word, at) => word === words[words.length - end.length + at])
