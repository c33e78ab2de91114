import fc from 'fast-check'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import type { Negative } from '../../src/rows/rows.js'
import type { GroundedCaption, Sample } from '../../src/train/samples/sample.js'
import { attributeValues } from '../../src/words/attribute-values.js'
import { joinNames } from '../../src/words/name-prompt.js'

export interface TrueThing {
  readonly noun: string
  readonly colour: string
  readonly size: string
  readonly box: Xyxy
  /** Whether the source boxes it. */
  readonly boxed: boolean
}

export const nouns = ['cat', 'dog', 'kite'] as const
const colours = ['red', 'blue', 'green', 'white', 'orange', 'yellow'] as const
const sizes = ['big', 'small'] as const
const numbers = ['two', 'three', 'four', 'five', 'six'] as const

/**
 * Whether a phrase is true of a thing, of all that there are.
 *
 * @param anyNoun whether its noun is hidden
 */
export function isTrueOf(
  phrase: string,
  thing: TrueThing,
  all: readonly TrueThing[],
  anyNoun = false,
): boolean {
  const values = attributeValues(phrase)
  const noun = (phrase.split(' ').at(-1) ?? '').replace(/s$/, '')
  const suits = (other: TrueThing) =>
    (anyNoun || other.noun === noun) &&
    values.every(({ kind, value }) => kind === 'number' || value === other.colour || value === other.size)
  const number = values.find(({ kind }) => kind === 'number')
  const least = number ? (numbers as readonly string[]).indexOf(number.value) + 2 : 1
  return suits(thing) && all.filter(suits).length >= least
}

/** What a caption says, its phrases with all that they are true of. */
function captionOf(phrases: readonly string[], things: readonly TrueThing[]): GroundedCaption {
  let text = ''
  const grounded = phrases.flatMap((phrase) => {
    if (text !== '') text += ' and '
    const start = text.length
    text += phrase
    const name = [start, text.length] as const
    const boxes = things.filter((thing) => isTrueOf(phrase, thing, things)).map(({ box }) => box)
    return boxes.length > 0
      ? [{ start, end: text.length, name, boxes, origins: boxes.map(() => 'gold') }]
      : []
  })
  return { kind: 'gold', text, grounded, ungrounded: [], unsure: [] }
}

function categoriesOf(things: readonly TrueThing[]): GroundedCaption {
  const names = [...new Set(things.map(({ noun }) => noun))]
  const { text, spans } = joinNames(names)
  const grounded = names.map((name, index) => {
    const [start, end] = spans[index] ?? [0, 0]
    const boxes = things.filter(({ noun }) => noun === name).map(({ box }) => box)
    return { start, end, name: [start, end] as const, boxes, origins: boxes.map(() => 'gold') }
  })
  return { kind: 'categories', text, grounded, ungrounded: [], unsure: [] }
}

const phraseOf = (
  thing: TrueThing,
  says: readonly [boolean, boolean, boolean],
  things: readonly TrueThing[],
) => {
  const words = [...(says[0] ? [thing.size] : []), ...(says[1] ? [thing.colour] : []), thing.noun].join(' ')
  const count = things.filter((other) => isTrueOf(words, other, things)).length
  if (says[2] && count > 1) return `${numbers[count - 2]} ${words}s`
  return `${count > 1 ? 'the' : 'a'} ${words}${count > 1 ? 's' : ''}`
}

/** A picture, what is true of it, and what a source says of it: all of that is true, not all is said. */
export interface DescribedScene {
  readonly things: readonly TrueThing[]
  readonly sample: Sample
}

const thing = fc.record({
  noun: fc.constantFrom(...nouns),
  colour: fc.constantFrom(...colours),
  size: fc.constantFrom(...sizes),
  boxed: fc.boolean(),
})
const says = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean())

export const describedScene: fc.Arbitrary<DescribedScene> = fc
  .record({
    things: fc.array(thing, { minLength: 1, maxLength: 5 }),
    exhaustive: fc.boolean(),
    said: fc.array(fc.tuple(fc.nat(4), says), { minLength: 1, maxLength: 3 }),
    lacking: fc.array(fc.tuple(fc.constantFrom(...colours), fc.constantFrom(...nouns, 'owl')), {
      maxLength: 6,
    }),
  })
  .map(({ things: drawn, exhaustive, said, lacking }) => {
    const things = drawn.map(
      (own, at): TrueThing => ({
        ...own,
        boxed: exhaustive || own.boxed,
        box: [20 * at, 10, 20 * at + 15, 40],
      }),
    )
    const seen = things.filter(({ boxed }) => boxed)
    const unseen = things.filter(({ boxed }) => !boxed)
    const written = said.flatMap(([at, what]) => {
      const own = things[at % things.length] as TrueThing
      const phrase = phraseOf(own, what, things)
      // A caption names all that its phrases are true of.
      return unseen.some((other) => isTrueOf(phrase, other, things)) ? [] : [phrase]
    })
    const negatives = lacking
      .map(([colour, noun]) => `${colour} ${noun}`)
      .filter((text) => !things.some((own) => isTrueOf(text, own, things)))
      .map((text): Negative => ({ text, evidence: 'verified', phrase: -1, score: null }))
    const captions = [
      ...(written.length > 0 ? [captionOf(written, things)] : []),
      ...(seen.length > 0 ? [categoriesOf(seen)] : []),
    ]
    const sample: Sample = {
      key: 'k',
      bytes: new Uint8Array(),
      captions,
      mentioned: captions.flatMap(({ text, grounded }) =>
        grounded.map(({ start, end }) => text.slice(start, end)),
      ),
      negatives,
      exhaustive,
      partial: [...new Set(unseen.map(({ noun }) => noun))],
    }
    return { things, sample }
  })
