import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { attributeSwaps, type PictureGold } from '../../src/evaluate/swap-attributes.js'
import type { CaptionKind } from '../../src/rows/rows.js'
import { attributeValues } from '../../src/words/attribute-values.js'

const boxes: readonly Xyxy[] = [0, 1, 2, 3, 4, 5].map((at) => [10 * at, 0, 10 * at + 8, 8])

/** Captions with phrases in brackets, each with the boxes whose numbers follow it: "a [red cat]01". */
function pictureOf(
  captions: readonly (readonly [text: string, kind?: CaptionKind])[],
  key = 'k',
): PictureGold {
  const phrases: PictureGold['phrases'][number][] = []
  const regions: PictureGold['regions'][number][] = []
  const plain = captions.map(([marked, kind = 'gold'], caption) => {
    let text = ''
    for (const [, before = '', words = '', numbers = ''] of marked.matchAll(
      /([^[]*)(?:\[([^\]]*)\](\d*)|$)/g,
    )) {
      text += before
      if (words === '') continue
      const start = [...text].length
      text += words
      const head = words.split(' ').at(-1) ?? ''
      const index = phrases.push({ caption, text: words, start, end: [...text].length, head }) - 1
      for (const number of numbers) regions.push({ phrase: index, xyxy: boxes[Number(number)] as Xyxy })
    }
    return { text, kind }
  })
  return { key, captions: plain, phrases, regions }
}

/** What is swapped, over many draws: kind, phrase, all texts that come, whether absent. */
function swapsOf(...captions: readonly (readonly [text: string, kind?: CaptionKind])[]) {
  const found = new Map<string, { texts: Set<string>; absent: boolean }>()
  for (let seed = 0; seed < 60; seed++)
    for (const { kind, phrase, text, absent } of attributeSwaps(pictureOf(captions, `${seed}`))) {
      const name = `${kind} ${phrase}`
      const entry = found.get(name) ?? { texts: new Set(), absent }
      entry.texts.add(text)
      found.set(name, entry)
    }
  return Object.fromEntries(
    [...found].map(([name, { texts, absent }]) => [name, { texts: [...texts].sort(), absent }]),
  )
}

describe('captions with another attribute', () => {
  it('have one word changed, of each kind that a phrase with boxes names', () => {
    expect(swapsOf(['[two big cats]01 on the left and [a dog]2, [a red owl]'])).toEqual({
      'size 0': { texts: ['two small cats on the left and a dog, a red owl'], absent: true },
      // Four numbers are left.
      'number 0': {
        texts: ['five', 'four', 'six', 'three'].map(
          (name) => `${name} big cats on the left and a dog, a red owl`,
        ),
        absent: true,
      },
      'place 0': { texts: ['two big cats on the right and a dog, a red owl'], absent: true },
    })
  })

  it('never have a value that the picture has: of the head, in any caption, or of the same box', () => {
    const { 'colour 0': alone } = swapsOf(['[a red cat]0'])
    expect(alone?.texts).toEqual(
      ['black', 'blue', 'green', 'grey', 'white', 'yellow'].map((name) => `a ${name} cat`),
    )
    const { 'colour 0': beside } = swapsOf(
      ['[a red cat]0 and [a blue dog]1'],
      ['[a black kitten]0'],
      ['green cat. [white cats]2. [grey cat]', 'categories'],
    )
    // The blue dog is no cat, and "green cat" is no phrase: it only stands in the prompt. Yellow comes after
    // these: it might be said of the white cats.
    expect(beside?.texts).toEqual(['blue', 'green'].map((name) => `a ${name} cat and a blue dog`))
  })

  it('know what is absent by the other boxes of the same head', () => {
    expect(swapsOf(['[a red cat]0'], ['[cat]01', 'categories'])['colour 0']).toMatchObject({ absent: false })
    const told = swapsOf(['[a red cat]0 and [a white cat]1'], ['[cat]01', 'categories'])
    // White excludes neither yellow nor grey: the other cat may be called so.
    expect(told['colour 0']).toEqual({
      texts: ['a black cat and a white cat', 'a blue cat and a white cat', 'a green cat and a white cat'],
      absent: true,
    })
    expect(
      swapsOf(['[a red cat]0 and [a white animal]1'], ['[cat]01', 'categories'])['colour 0']?.absent,
    ).toBe(true)
  })

  it('have no number that is true all the same', () => {
    const { 'number 0': two } = swapsOf(['[two cats]01'], ['[cat]012', 'categories'])
    expect(two?.texts).toEqual(['five cats', 'four cats', 'six cats'])
  })

  it('leave alone what tells nothing of a thing', () => {
    expect(swapsOf(['[an orange]0 and [the left]1'], ['[red car]2', 'categories'])).toEqual({})
    expect(swapsOf(['[a red cat]'])).toEqual({})
    // Both values of the scale are there.
    expect(swapsOf(['[a big dog]0 and [a small dog]1'])).toEqual({})
  })

  it('take the tail up to the next phrase, punctuation or "and", or the expression where it is known', () => {
    expect(swapsOf(['[a cat]0 to the left of [a dog]1'])).toMatchObject({
      'place 0': { texts: ['a cat to the right of a dog'] },
    })
    expect(swapsOf(['[a cat]0 and above [a dog]1, left'])).toEqual({})
    expect(swapsOf(['[a cat]0, on the left'])).toEqual({})
    const gold = pictureOf([['[a cat]0, on the left']])
    const known = gold.phrases.map((phrase) => ({ ...phrase, expression_end: 18 }))
    expect(attributeSwaps({ ...gold, phrases: known })).toMatchObject([
      { kind: 'place', text: 'a cat, on the right' },
    ])
    const bare = pictureOf([['[a cat]0 on the left']])
    const none = bare.phrases.map((phrase) => ({ ...phrase, expression_end: phrase.end }))
    expect(attributeSwaps({ ...bare, phrases: none })).toEqual([])
  })

  it('keep every phrase where it is, with articles within and outside of it', () => {
    const names = ['cat', 'owl', '🎉 hat', 'dogs'] as const
    const values = ['orange', 'red', 'big', 'tiny', 'two', 'grey'] as const
    const piece = fc.record({
      lead: fc.constantFrom('', 'a ', 'an ', 'see the ', '🎉 '),
      article: fc.constantFrom('', 'a ', 'an ', 'An '),
      value: fc.constantFrom(...values),
      name: fc.constantFrom(...names),
      tail: fc.constantFrom('', ' on the left', ' under it'),
    })
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), fc.nat(), (pieces, seed) => {
        const marked = pieces
          .map(
            ({ lead, article, value, name, tail }, at) => `${lead}[${article}${value} ${name}]${at}${tail}`,
          )
          .join(', ')
        const gold = pictureOf([[marked]], `${seed}`)
        for (const { kind, phrase, text, spanOf } of attributeSwaps(gold)) {
          const points = [...text]
          gold.phrases.forEach(({ text: before, start, end }, index) => {
            const after = points.slice(...spanOf([start, end])).join('')
            if (index !== phrase || kind === 'place') {
              const article = /^an? /i
              if (!before.startsWith('left'))
                expect(after.replace(article, '')).toBe(before.replace(article, ''))
            } else {
              expect(after.split(' ').at(-1)).toBe(before.split(' ').at(-1))
              const [was, is] = [before, after].map((words) =>
                attributeValues(words).find((value) => value.kind === kind),
              )
              expect(was?.others).toContain(is?.value)
            }
          })
        }
      }),
    )
  })

  it('are drawn by the picture alone', () => {
    const gold = pictureOf([['[a red cat]0 and [a blue dog]1']])
    const texts = (picture: PictureGold) => attributeSwaps(picture).map(({ text }) => text)
    expect(texts(gold)).toEqual(texts(gold))
  })
})
