import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { mineSources } from '../../src/mine/config.js'
import { type PictureRows, pictureTruth } from '../../src/mine/picture-truth.js'
import { proposeNegatives } from '../../src/mine/propose-negatives.js'
import { type Vocabulary, vocabularyOf } from '../../src/mine/vocabulary.js'
import type { Caption, NegativeRow, Phrase, Region } from '../../src/rows/rows.js'
import { joinNames } from '../../src/words/name-prompt.js'

const counted = (texts: readonly string[]) => texts.map((text) => ({ text, count: 3 }))
const names = ['cat', 'dog', 'puppy', 'person', 'car', 'truck', 'polar bear', 'elephant', 'hydrant']
const vocabulary = vocabularyOf(counted(names), counted(['red cat', 'big dog', 'hot dog', 'kitten', 'lamp']))

/** Something that is there: its category's name, and the phrases of the caption that name it. */
interface Thing {
  readonly name: string
  readonly phrases?: readonly string[]
}
const boxAt = (at: number): Xyxy => [at, 0, at + 1, 1]

/** Rows of a picture of things, and what else its caption says. */
function rowsOf(
  things: readonly Thing[],
  { also = '', partial = [], exhaustive = true }: { also?: string } & Partial<NegativeRow> = {},
): PictureRows & { readonly said: NegativeRow } {
  const texts = [...new Set(things.flatMap(({ phrases = [] }) => phrases))]
  const caption: Caption = { text: [...texts, also].join(', '), kind: 'gold' }
  const prompt = joinNames([...new Set(things.map(({ name }) => name))])
  const phrases: Phrase[] = []
  const regions: Region[] = []
  const add = (captionAt: number, text: string, boxes: readonly Xyxy[]) => {
    const phrase = phrases.push({ caption: captionAt, text, start: 0, end: 1, head: '' }) - 1
    const common = { caption: captionAt, phrase, start: 0, end: 1, score: 1, origin: 'gold' }
    for (const xyxy of boxes) regions.push({ ...common, xyxy })
  }
  const boxesOf = (isIt: (thing: Thing) => boolean) =>
    things.flatMap((thing, at) => (isIt(thing) ? [boxAt(at)] : []))
  for (const text of texts)
    add(
      0,
      text,
      boxesOf((thing) => (thing.phrases ?? []).includes(text)),
    )
  for (const name of new Set(things.map((thing) => thing.name)))
    add(
      1,
      name,
      boxesOf((thing) => thing.name === name),
    )
  return {
    captions: [caption, { text: prompt.text, kind: 'categories' }],
    phrases,
    regions,
    said: { key: 'k', negatives: [], exhaustive, partial, teacher: null },
  }
}

const evidence = (rows: PictureRows, text: string, of: Vocabulary = vocabulary) =>
  pictureTruth(rows, of).evidenceOf(of.thingOf(text))

describe('of an exhaustive picture', () => {
  const cats = rowsOf([{ name: 'cat', phrases: ['a red cat'] }, { name: 'car' }])

  it.each([
    ['dog', 'gold'],
    ['two dogs', 'gold'],
    ['a red dog', 'gold'],
    ['polar bear', 'gold'],
    ['person', 'gold'],
    ['kitten', undefined],
    ['animal', undefined],
    ['cats', undefined],
    ['pet cat', undefined],
    ['vehicle', undefined],
    // Nobody looked for lamps, and a hot dog is no dog.
    ['lamp', undefined],
    ['hot dog', undefined],
    ['a blue cat', 'attribute'],
    ['two blue cats', 'attribute'],
    ['red cat', undefined],
    // An orange cat may be called red.
    ['orange cat', undefined],
    ['big cat', undefined],
    ['blue animal', undefined],
    ['two cats', 'attribute'],
    // Of the car no colour is known.
    ['blue car', undefined],
  ])('"%s" is absent by %s', (text, wanted) => {
    expect(evidence(cats, text)).toBe(wanted)
  })

  it('a name is not absent of which there may be more than is boxed', () => {
    const crowd = rowsOf([{ name: 'cat', phrases: ['a red cat'] }], { partial: ['dog', 'cat'] })
    expect(evidence(crowd, 'dog')).toBeUndefined()
    expect(evidence(crowd, 'puppy')).toBeUndefined()
    expect(evidence(crowd, 'blue cat')).toBeUndefined()
    expect(evidence(crowd, 'truck')).toBe('gold')
  })

  it('what a caption speaks of without a box may be there', () => {
    const spoken = rowsOf([{ name: 'cat', phrases: ['a red cat'] }], { also: 'running from puppies' })
    expect(evidence(spoken, 'dog')).toBeUndefined()
    expect(evidence(spoken, 'truck')).toBe('gold')
  })

  it('another value is absent only where each such thing is known to have one', () => {
    const red = { name: 'cat', phrases: ['a red cat'] }
    const bare = { name: 'cat' }
    const white = { name: 'cat', phrases: ['a white cat'] }
    expect(evidence(rowsOf([red, white]), 'blue cat')).toBe('attribute')
    expect(evidence(rowsOf([red, white]), 'red cat')).toBeUndefined()
    expect(evidence(rowsOf([red, bare]), 'blue cat')).toBeUndefined()
    // A puppy is a dog.
    const pair = [{ name: 'dog', phrases: ['a red dog'] }, { name: 'puppy' }]
    expect(evidence(rowsOf(pair), 'blue dog')).toBeUndefined()
    expect(evidence(rowsOf([red, white]), 'three cats')).toBe('attribute')
    expect(evidence(rowsOf([red, white]), 'two cats')).toBeUndefined()
    // The shirt's colour is not the man's.
    const shirt = { name: 'person', phrases: ['person in a red shirt'] }
    expect(evidence(rowsOf([shirt]), 'blue person')).toBeUndefined()
  })

  it('a compound of the vocabulary is one name, and its adjective no attribute', () => {
    const of = vocabularyOf(counted(['black bear', 'bear']), [])
    const rows = rowsOf([{ name: 'black bear', phrases: ['a big black bear'] }])
    expect(evidence(rows, 'small black bear', of)).toBe('attribute')
    expect(evidence(rows, 'white bear', of)).toBeUndefined()
  })
})

it('of a picture that is not exhaustive nothing is known', () => {
  const rows = rowsOf([{ name: 'cat', phrases: ['a red cat'] }], { exhaustive: false })
  for (const text of ['dog', 'blue cat', 'three cats']) expect(evidence(rows, text)).toBeUndefined()
})

describe('proposals', () => {
  const config = { sources: [...mineSources], max: 6, seed: 1 }

  it('are what the source says, swaps, siblings and frequent phrases, each once', () => {
    const rows = rowsOf([{ name: 'cat', phrases: ['a red cat'] }, { name: 'car' }])
    const said = {
      ...rows.said,
      negatives: [{ text: 'Dog', evidence: 'verified', phrase: -1, score: null }],
    } as const
    const of = (sources: readonly ('siblings' | 'attributes' | 'frequent')[]) =>
      proposeNegatives({ ...rows, said, key: 'k' }, vocabulary, { ...config, sources: [...sources] }).absent
    expect(of([])).toEqual(said.negatives)
    expect(
      of(['siblings'])
        .map(({ text }) => text)
        .sort(),
    ).toEqual(['Dog', 'elephant', 'polar bear', 'puppy', 'truck'].sort())
    const swaps = of(['attributes']).slice(1)
    expect(swaps).toHaveLength(6)
    for (const { text, evidence: how, phrase } of swaps) {
      expect(text).toMatch(/^a (?:green|blue|yellow|black|white|grey) cat$/)
      expect([how, phrase]).toEqual(['attribute', 0])
    }
    const all = of(['siblings', 'attributes', 'frequent']).map(({ text }) => text.toLowerCase())
    expect(new Set(all).size).toBe(all.length)
    expect(of(['frequent'])).toEqual(of(['frequent']))
  })

  it('are never true of the scene', () => {
    const colours = ['red', 'blue', 'green', 'white', 'black']
    const kinds: Readonly<Record<string, readonly string[]>> = {
      cat: ['cat', 'kitten', 'animal'],
      dog: ['dog', 'animal'],
      puppy: ['puppy', 'dog', 'animal'],
      elephant: ['elephant', 'animal'],
      car: ['car', 'vehicle'],
      truck: ['truck', 'vehicle'],
    }
    const object = fc.record({
      name: fc.constantFrom(...Object.keys(kinds)),
      colour: fc.constantFrom(...colours),
      says: fc.constantFrom('nothing', 'name', 'colour', 'animal'),
    })
    const frequentTexts = Object.values(kinds)
      .flat()
      .flatMap((noun) => [
        noun,
        ...colours.map((colour) => `${colour} ${noun}`),
        `two ${noun}s`,
        `three ${noun}s`,
      ])
    const words = vocabularyOf(counted(Object.keys(kinds)), counted([...new Set(frequentTexts)]))
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 5 }), fc.nat(), (objects, seed) => {
        const isA = (at: number, noun: string) => kinds[objects[at]?.name ?? '']?.includes(noun) ?? false
        const things = objects.map(({ name, colour, says }): Thing => {
          if (says === 'nothing') return { name }
          if (says === 'animal')
            return { name, phrases: kinds[name]?.includes('animal') ? ['an animal'] : [] }
          return { name, phrases: [says === 'name' ? `a ${name}` : `a ${colour} ${name}`] }
        })
        const all = proposeNegatives({ ...rowsOf(things), key: String(seed) }, words, {
          ...config,
          max: 500,
          seed,
        })
        for (const { text } of all.absent) {
          const [, number = '', colour = '', noun = ''] =
            /^(?:an? )?(two |three )?(?:(\w+) )?(\w+?)s?$/.exec(text) ?? []
          const matching = objects.filter(
            (one, at) => isA(at, noun) && (colour === '' || one.colour === colour),
          ).length
          const wanted = { 'two ': 2, 'three ': 3 }[number] ?? 1
          expect(matching, `${text} in ${JSON.stringify(objects)}`).toBeLessThan(wanted)
        }
      }),
      { numRuns: 200 },
    )
  })
})
