import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { glipConfig } from '../../src/model/network/presets.js'
import { buildVocabulary } from '../../src/model/vocabulary-builder.js'
import { createTokenizer } from '../../src/model/word-piece.js'
import { type AugmentConfig, augmentConfig } from '../../src/train/examples/augment-config.js'
import { drawPrompt } from '../../src/train/examples/draw-prompt.js'
import type { GroundedText } from '../../src/train/examples/grounded-text.js'
import type { GroundedCaption, Sample } from '../../src/train/samples/sample.js'
import { type DescribedScene, describedScene, isTrueOf, nouns } from '../helpers/described-scene.js'

const stream = {
  captions: ['a red owl and a cat', 'the white kites', 'a blue dog in the sky', 'an owl'],
  categories: [...nouns, 'owl'],
}
const words =
  'red blue green white orange yellow purple pink brown black grey big small two three four five six a the and'
const tokenizer = createTokenizer(buildVocabulary([`${words} ${nouns.join(' ')} owl s in sky`], 300, 1))
const network = glipConfig('toy', 300, {})

const draw = (
  sample: Sample,
  caption: GroundedCaption | undefined,
  augment: Partial<AugmentConfig>,
  seed: number,
): GroundedText =>
  drawPrompt({ sample, caption, stream }, random(seed), {
    ...{ tokenizer, network, flipped: seed % 2 === 0 },
    augment: augmentConfig.parse(augment),
  })

const textOf = ({ text }: GroundedText, [start, end]: readonly [number, number]) =>
  [...text].slice(start, end).join('')

/** Throws where something that is in the picture would count as a negative. */
function checkTruth(prompt: GroundedText, { things }: DescribedScene): void {
  const isIgnored = ([start, end]: readonly [number, number]) =>
    prompt.ignored.some(([from, to]) => from <= start && end <= to)
  for (const { span, boxes, unsure = [], partial, hidden } of prompt.phrases) {
    const phrase = textOf(prompt, span).replace(/^(a|the) /, '')
    const known = new Set([...boxes, ...unsure].map((box) => box.join()))
    for (const thing of things) {
      if (!isTrueOf(phrase, thing, things, hidden !== undefined) || isIgnored(span)) continue
      const counts = thing.boxed ? !known.has(thing.box.join()) : !partial
      if (counts) throw new Error(`"${phrase}" is a negative in "${prompt.text}"`)
    }
    for (const box of boxes) {
      const named = things.find((thing) => thing.box.join() === box.join())
      if (!named || !isTrueOf(phrase, named, things))
        throw new Error(`"${phrase}" names a box in "${prompt.text}" that it is not true of`)
    }
  }
  // What is written around the phrases: other captions.
  for (const match of prompt.text.matchAll(/\p{L}+/gu)) {
    const span = [match.index, match.index + match[0].length] as const
    const isPhrase = prompt.phrases.some(({ span: [start, end] }) => start <= span[0] && span[1] <= end)
    const isThere = things.some(({ noun }) => match[0] === noun || match[0] === `${noun}s`)
    if (!isPhrase && isThere && !isIgnored(span)) throw new Error(`"${match[0]}" counts in "${prompt.text}"`)
  }
}

describe('the prompt of a picture', () => {
  const settings: readonly Partial<AugmentConfig>[] = [
    { negatives: 1, packed_negatives: false },
    { absent: 1, negatives: 0 },
    { hard_negatives: 5, negatives: 0 },
    { attributes: 1, hard_negatives: 3, negatives: 0 },
    { attributes: 1, hard_negatives: 3, mask_heads: 0.5, negatives: 0 },
    { absent: 0.5, mask_heads: 1, negatives: 0 },
  ]

  it.each(settings)('counts nothing as a negative that names something in it: %j', (augment) => {
    let [lacking, present, unsure] = [0, 0, 0]
    fc.assert(
      fc.property(describedScene, fc.nat(), fc.nat(2), (scene, seed, which) => {
        const { captions } = scene.sample
        if (captions.length === 0 && augment.absent === undefined) return
        const prompt = draw(scene.sample, captions[which % captions.length], augment, seed)
        checkTruth(prompt, scene)
        for (const phrase of prompt.phrases) {
          if (phrase.boxes.length > 0) present++
          else lacking++
          unsure += phrase.unsure?.length ?? 0
        }
      }),
      { numRuns: 400 },
    )
    expect(lacking).toBeGreaterThan(augment.packed_negatives === false ? 20 : 200)
    if (augment.absent !== 1) expect(present).toBeGreaterThan(200)
    if (augment.mask_heads) expect(unsure).toBeGreaterThan(50)
  })

  const caption = (
    text: string,
    phrases: Record<string, number[]>,
    kind: 'gold' | 'categories' = 'gold',
  ) => ({
    ...{ kind, text, ungrounded: [], unsure: [] },
    grounded: Object.entries(phrases).map(([phrase, boxes]) => {
      const start = text.indexOf(phrase)
      const end = start + phrase.length
      return {
        ...{ start, end, name: [start, end] as const, origins: [] },
        boxes: boxes.map((at) => [10 * at, 0, 10 * at + 8, 8] as const),
      }
    }),
  })
  const sampleOf = (captions: readonly GroundedCaption[], more: Partial<Sample> = {}): Sample => ({
    ...{ key: 'k', bytes: new Uint8Array(), captions, negatives: [], exhaustive: true, partial: [] },
    mentioned: captions.flatMap(({ text, grounded }) =>
      grounded.map(({ start, end }) => text.slice(start, end)),
    ),
    ...more,
  })
  /** All names that come in a hundred draws, with what they name: boxes and boxes that they may name. */
  const drawn = (sample: Sample, of: GroundedCaption | undefined, augment: Partial<AugmentConfig>) => {
    const found: Record<string, [number, number]> = {}
    for (let seed = 1; seed < 200; seed += 2) {
      const prompt = draw(sample, of, augment, seed)
      for (const { span, boxes, unsure = [] } of prompt.phrases)
        found[textOf(prompt, span)] = [boxes.length, unsure.length]
    }
    return found
  }

  it('of phrases has their swapped attributes where these are known to be absent', () => {
    const written = caption('a red cat and a small dog', { 'a red cat': [0], 'a small dog': [1] })
    const sample = sampleOf([written, caption('cat. dog', { cat: [0], dog: [1, 2] }, 'categories')])
    const found = drawn(sample, written, { attributes: 1, hard_negatives: 30 })
    // Of the other dog nobody knows how large it is.
    expect(found['big dog']).toBeUndefined()
    expect(found).toMatchObject({
      'red cat': [1, 0],
      'small dog': [1, 1],
      'blue cat': [0, 0],
      cat: [1, 0],
      dog: [2, 0],
      owl: [0, 0],
    })
    const bare = drawn(sample, written, { attributes: 1, hard_negatives: 30, names: 0 })
    expect(bare).toMatchObject({ 'red cat': [1, 0], 'blue cat': [0, 0] })
    expect(Object.keys(bare)).not.toContain('owl')
    // What people call by either name excludes nothing.
    expect(Object.keys(found)).not.toContain('orange cat')
    // Nothing is known of what a picture lacks whose source does not box all.
    const open = drawn(sampleOf(sample.captions, { exhaustive: false }), written, {
      attributes: 1,
      negatives: 0,
    })
    expect(Object.keys(open)).toEqual(['a red cat', 'a small dog'])
  })

  it('without anything that is there has stored negatives, and none that a caption contradicts', () => {
    const written = caption('a red cat', { 'a red cat': [0] })
    const negative = { evidence: 'verified', phrase: -1, score: 0.7 } as const
    const negatives = ['white owl', 'red cat', 'the kite'].map((text) => ({ text, ...negative }))
    const sample = sampleOf([written], { exhaustive: false, negatives })
    expect(drawn(sample, written, { absent: 1 })).toEqual({
      ...{ 'white owl': [0, 0], 'the kite': [0, 0], kite: [0, 0] },
    })
    const bare = sampleOf([], { exhaustive: false, negatives })
    expect(drawn(bare, undefined, { absent: 0.1 })).toMatchObject({ 'red cat': [0, 0], kite: [0, 0] })
    const unknown = sampleOf([], { exhaustive: false })
    expect(draw(unknown, undefined, { absent: 1 }, 1)).toEqual({ text: '', phrases: [], ignored: [] })
  })

  it('of categories lacks what an exhaustive source does not box, and of others what is known to be absent', () => {
    const named = caption('cat', { cat: [0] }, 'categories')
    expect(Object.keys(drawn(sampleOf([named]), named, {})).sort()).toEqual(['cat', 'dog', 'kite', 'owl'])
    const verified = { text: 'dog', evidence: 'verified', phrase: -1, score: null } as const
    const open = sampleOf([named], { exhaustive: false, negatives: [verified], partial: ['cat'] })
    expect(Object.keys(drawn(open, named, {})).sort()).toEqual(['cat', 'dog'])
    expect(draw(open, named, {}, 1).phrases.find(({ boxes }) => boxes.length > 0)?.partial).toBe(true)
    const swap = { text: 'blue cat', evidence: 'attribute', phrase: 0, score: 0.4 } as const
    const hard = sampleOf([named], { negatives: [swap] })
    expect(drawn(hard, named, { hard_negatives: 1 })['blue cat']).toEqual([0, 0])
    expect(drawn(hard, named, {})['blue cat']).toBeUndefined()
  })

  it('of a tuned network lacks no name that another prompt of the picture shows', () => {
    const parts = [caption('cat', { cat: [0] }, 'categories'), caption('dog', { dog: [1] }, 'categories')]
    const prompt = drawPrompt({ sample: sampleOf(parts), caption: parts[0], stream }, random(1), {
      ...{ tokenizer, flipped: false, augment: augmentConfig.parse({}) },
      network: { ...network, prompt: ['cat', 'dog', 'owl'] },
    })
    expect(prompt.phrases.map(({ boxes }) => boxes.length)).toEqual([1, 1, 0])
    expect(prompt.ignored).toEqual([])
    const open = drawPrompt(
      { sample: sampleOf(parts, { exhaustive: false }), caption: parts[0], stream },
      random(1),
      {
        ...{ tokenizer, flipped: false, augment: augmentConfig.parse({}) },
        network: { ...network, prompt: ['cat', 'dog', 'owl'] },
      },
    )
    expect(open.ignored.map((span) => textOf(open, span))).toEqual(['owl'])
  })

  it('moves what it hides when the picture is mirrored', () => {
    const written = caption('the left red cat', { 'the left red cat': [0] })
    const sample = sampleOf([written, caption('cat', { cat: [0] }, 'categories')])
    const prompt = draw(sample, written, { mask_heads: 1, negatives: 0 }, 2)
    expect(prompt.text).toBe('the right red cat')
    expect(prompt.phrases.map(({ hidden }) => hidden && textOf(prompt, hidden))).toEqual(['cat'])
  })
})
