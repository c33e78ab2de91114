import { isKindOf, type NounPlace, placeOf } from '../nlp/lexicon/noun-relations.js'
import { hasFamily } from '../shards/has-family.js'
import { joinRows } from '../shards/join-rows.js'
import type { Storage } from '../storage/storage.js'
import { wordCounter } from '../words/word-counter.js'
import { type NamedThing, namedThing, singular } from './named-thing.js'

/** What the phrases of a dataset name. */
export interface Vocabulary {
  /**
   * Category names of its exhaustive pictures, as they stand in prompts, with how often they have boxes, the
   * most frequent first: what of them has no box in such a picture is absent.
   */
  readonly categories: readonly Counted[]
  /** Phrases of captions, lower case and without an article, the most frequent first. */
  readonly phrases: readonly Counted[]
  /** What a phrase names; category names are taken whole. */
  thingOf(phrase: string): NamedThing
  /** Whether one of the category names means everything that a noun can mean. */
  covers(place: NounPlace): boolean
}

export interface Counted {
  readonly text: string
  readonly count: number
}

/** Where the rows of a dataset are. */
export interface MineFiles {
  /** The stages of the phrases, of the grounding that they have, and of what is said to be absent. */
  readonly phrases: string
  readonly grounding: string
  readonly negatives: string
}

/** The most phrases of captions that negatives are drawn from. */
const mostPhrases = 5000
/** What phrases name is asked again for each picture: that many are remembered. */
const mostThings = 50_000
/** A phrase that comes once is a sentence's own. */
const leastCount = 2

/**
 * Counts the phrases of a dataset, all of its shards: what is mined of one shard hangs on all of them.
 * Shards that are not there count nothing.
 */
export async function readVocabulary(
  storage: Storage,
  shards: readonly string[],
  { phrases, negatives }: Pick<MineFiles, 'phrases' | 'negatives'>,
  signal?: AbortSignal,
): Promise<Vocabulary> {
  const categories = new Map<string, number>()
  const others = wordCounter()
  for (const shard of shards) {
    if (!(await hasFamily(storage, 'negatives', negatives, shard))) continue
    const parts = {
      images: { columns: ['captions'] },
      phrases: { stage: phrases, columns: ['phrases'] },
      negatives: { stage: negatives, columns: ['exhaustive'] },
    } as const
    for await (const { images, phrases: row, negatives: said } of joinRows(storage, shard, parts, { signal }))
      for (const phrase of row.phrases) {
        const isCategory = images.captions[phrase.caption]?.kind === 'categories'
        if (isCategory && said.exhaustive) add(categories, phrase.text)
        else if (!isCategory) {
          const text = plainPhrase(phrase.text)
          if (text !== '') others.add(text)
        }
      }
  }
  const repeated = ranked(others.counts).filter(({ count }) => count >= leastCount)
  return vocabularyOf(ranked(categories), repeated.slice(0, mostPhrases))
}

/** @param phrases the most frequent first, as `categories` are */
export function vocabularyOf(categories: readonly Counted[], phrases: readonly Counted[]): Vocabulary {
  const names = new Set(categories.map(({ text }) => singular(text.split(/\s+/))))
  const places = [...names].map(placeOf)
  const covered = new Map<NounPlace, boolean>()
  const things = new Map<string, NamedThing>()
  return {
    categories,
    phrases,
    thingOf(phrase) {
      const known = things.get(phrase)
      if (known) return known
      const thing = namedThing(phrase, names)
      if (things.size >= mostThings) things.clear()
      things.set(phrase, thing)
      return thing
    },
    covers(place) {
      const known = covered.get(place)
      if (known !== undefined) return known
      const isCovered = places.some((name) => isKindOf(place, name))
      covered.set(place, isCovered)
      return isCovered
    },
  }
}

const add = (counts: Map<string, number>, text: string) => {
  if (text !== '') counts.set(text, (counts.get(text) ?? 0) + 1)
}

const ranked = (counts: ReadonlyMap<string, number>): Counted[] =>
  [...counts]
    .map(([text, count]) => ({ text, count }))
    .sort((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1))

/** Lower case, without the article that it begins with. */
const plainPhrase = (text: string) =>
  text
    .toLowerCase()
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/^(?:an?|the) /, '')
