import type { Xyxy } from '../boxes/xyxy.js'
import { mayBeSame, type NounPlace, placeOf } from '../nlp/lexicon/noun-relations.js'
import { tokenize } from '../nlp/lexicon/tokenize.js'
import type { Caption, NegativeEvidence, NegativeRow, Phrase, Region } from '../rows/rows.js'
import { type AttributeValue, countOfValue, excludes } from '../words/attribute-values.js'
import type { NamedThing } from './named-thing.js'
import type { Vocabulary } from './vocabulary.js'

/** What is known of a picture: what is in it, and of what it is known that it is not. */
export interface PictureTruth {
  /** What its phrases name that have boxes; as many as phrases, in their order. */
  readonly grounded: readonly GroundedThing[]
  /** How it is known that a phrase names nothing in the picture; undefined where it may name something. */
  evidenceOf(thing: NamedThing): NegativeEvidence | undefined
}

export interface GroundedThing extends NamedThing {
  /** Index of the phrase. */
  readonly phrase: number
  readonly text: string
  readonly boxes: readonly Xyxy[]
}

/** What is read of a picture. */
export interface PictureRows {
  readonly captions: readonly Caption[]
  readonly phrases: readonly Phrase[]
  readonly regions: readonly Pick<Region, 'phrase' | 'xyxy'>[]
  readonly said: Pick<NegativeRow, 'exhaustive' | 'partial'>
}

/** A box, and all that phrases say of what is in it. */
interface Thing {
  readonly places: NounPlace[]
  readonly attributes: AttributeValue[]
}

/**
 * Gold of a picture, asked for what is not there. Nothing is known of a picture that is not exhaustive, nor of
 * what is no kind of anything that the source's category names name.
 *
 * A noun is absent where nothing that is boxed, or that a caption speaks of, may be the same thing, and
 * nothing of which there is more than has a box. With an attribute it is absent, too, where every box that
 * may be such a thing has another value: "blue cat" where all cats are known to be red. A number is absent
 * where there are fewer of them.
 */
export function pictureTruth(rows: PictureRows, vocabulary: Vocabulary): PictureTruth {
  const { captions, phrases, regions, said } = rows
  const grounded = phrases.flatMap(({ text }, phrase): GroundedThing[] => {
    const boxes = regions.flatMap((region) => (region.phrase === phrase ? [region.xyxy] : []))
    return boxes.length > 0 ? [{ ...vocabulary.thingOf(text), phrase, text, boxes }] : []
  })
  const things = thingsOf(grounded)
  const boxed = grounded.map(({ place }) => place)
  const unsure = said.partial.map((name) => vocabulary.thingOf(name).place)
  const spoken = [
    ...phrases.map(({ text }) => vocabulary.thingOf(text).place),
    ...captions.flatMap(({ text, kind }) => (kind === 'categories' ? [] : nounsOf(text))),
  ]
  const isClosed = (place: NounPlace) =>
    said.exhaustive && vocabulary.covers(place) && !unsure.some((name) => mayBeSame(name, place))
  return {
    grounded,
    evidenceOf({ place, attributes }) {
      if (!isClosed(place)) return undefined
      const isThere = [...boxed, ...spoken].some((name) => mayBeSame(name, place))
      if (!isThere) return 'gold'
      // What a caption speaks of and has no box may look like anything.
      const isBoxed = (name: NounPlace) => boxed.some((other) => other === name || mayBeSame(other, name))
      if (!spoken.filter((name) => mayBeSame(name, place)).every(isBoxed)) return undefined
      const alike = things.filter(({ places }) => places.some((name) => mayBeSame(name, place)))
      const isOther = attributes.some((wanted) =>
        wanted.kind === 'number'
          ? alike.length < (countOfValue(wanted.value) ?? 0)
          : alike.every((thing) => thing.attributes.some((own) => excludes(own, wanted))),
      )
      return isOther && alike.length > 0 ? 'attribute' : undefined
    },
  }
}

/** The different boxes, each with what all phrases say of it. */
function thingsOf(grounded: readonly GroundedThing[]): Thing[] {
  const things = new Map<string, Thing>()
  for (const { boxes, place, attributes } of grounded)
    for (const box of boxes) {
      const thing = things.get(box.join()) ?? { places: [], attributes: [] }
      things.set(box.join(), thing)
      thing.places.push(place)
      thing.attributes.push(...attributes)
    }
  return [...things.values()]
}

/** The words of a text, each as if it were a noun: more may be spoken of than phrases were found for. */
const nounsOf = (text: string): NounPlace[] =>
  tokenize(text).flatMap(({ word, isWord }) => (isWord && /\p{L}{3}/u.test(word) ? [placeOf(word)] : []))
