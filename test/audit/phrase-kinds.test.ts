import { describe, expect, it } from 'vitest'
import { auditLabels } from '../../src/audit/audit-labels.js'
import { compareKinds, type PhraseKind, phraseKinds } from '../../src/audit/phrase-kinds.js'
import type { PictureTruth, TruthObject } from '../../src/audit/truth.js'
import { chunk } from '../../src/nlp/chunk.js'
import type { Phrase } from '../../src/rows/rows.js'

/** Phrases of a caption as the chunker finds them. */
const phrasesOf = (caption: string): Phrase[] =>
  chunk(caption).map(({ text, start, end, head, expressionEnd, number }) => ({
    ...{ caption: 0, text, start, end, head, number },
    expression_end: expressionEnd,
  }))

function kindsOf(caption: string, place = 0, more: object = {}): PhraseKind[] {
  const phrases = phrasesOf(caption)
  const phrase = phrases[place]
  if (!phrase) throw new Error(`no phrase ${place} in "${caption}"`)
  const others = phrases.filter((other) => other !== phrase).map(({ start, end }) => [start, end] as const)
  return phraseKinds(phrase, { caption, others, ...more })
}

describe('kinds of a phrase', () => {
  it('are its head, attributes, number and tail', () => {
    const known = new Set(['cat'])
    expect(kindsOf('two small red cats', 0, { known })).toEqual([
      'all=all',
      'head=known',
      'attribute=colour',
      'attribute=size',
      'attribute=number',
      'number=plural',
      'tail=none',
      'head/attribute=known/colour',
      'head/attribute=known/size',
      'head/attribute=known/number',
    ])
    expect(kindsOf('a dolphin', 0, { known })).toEqual(
      expect.arrayContaining(['head=new', 'attribute=none', 'head/attribute=new/none']),
    )
  })

  it('have no head without known ones', () => {
    expect(kindsOf('a dog').filter((kind) => kind.startsWith('head'))).toEqual([])
  })

  it('take the place of the tail, and no colour that another phrase says', () => {
    const kinds = kindsOf('the dog on the left of a red house')
    expect(kinds).toEqual(expect.arrayContaining(['attribute=place', 'tail=tail']))
    expect(kinds).not.toContain('attribute=colour')
  })

  it('do not take the head for an attribute', () => {
    expect(kindsOf('an ice cream')).toContain('attribute=none')
  })

  it('stand in the order in which they are told', () => {
    const kinds: PhraseKind[] = [
      'head/attribute=new/colour',
      'tail=none',
      'head=new',
      'all=all',
      'head=known',
    ]
    expect(kinds.sort(compareKinds)).toEqual([
      'all=all',
      'head=known',
      'head=new',
      'tail=none',
      'head/attribute=new/colour',
    ])
  })
})

describe('an attribute that tells', () => {
  const scene = (...objects: readonly TruthObject['attributes'][]): PictureTruth => ({
    objects: objects.map((attributes, at) => ({
      xyxy: [at, 0, at + 1, 1],
      ...(attributes && { attributes }),
    })),
    mentions: new Map(),
  })
  const telling = (caption: string, truth: PictureTruth, named: readonly number[]) =>
    kindsOf(caption, 0, { truth, named, known: new Set() }).filter((kind) => kind.includes('telling'))
  const red = { colour: 'red', size: 'big' }
  const blue = { colour: 'blue', size: null }

  it('is one that no other object has', () => {
    expect(telling('a red cat', scene(red, blue), [0])).toEqual([
      'telling=telling_colour',
      'head/telling=new/telling_colour',
    ])
    expect(telling('a red cat', scene(red, blue, red), [0])).toEqual([
      'telling=shared_colour',
      'head/telling=new/shared_colour',
    ])
    expect(telling('red cats', scene(red, blue, red), [0, 2])[0]).toBe('telling=telling_colour')
    expect(telling('a large cat', scene(red, blue), [0])[0]).toBe('telling=telling_size')
  })

  it('is not told where the truth has no colours, nor of a phrase without one', () => {
    expect(telling('a red cat', scene(red, undefined), [0])).toEqual([])
    expect(telling('a cat', scene(red, blue), [0])).toEqual([])
  })
})

describe('the sums of labels', () => {
  const kinds: readonly PhraseKind[] = ['all=all', 'head=new']
  const label = (score: number, right?: boolean, chance = 0.5) => ({
    ...{ score, kinds },
    ...(right !== undefined && { right, chance }),
  })

  it('count what is right of what is judged, beside chance, and what is found', () => {
    const {
      kinds: summaries,
      calibration,
      ...rest
    } = auditLabels([
      {
        labels: [label(0.9, true, 0.25), label(0.8, false, 0.75), label(0.7)],
        phrases: [{ kinds, named: 2, found: 1 }],
        ...{ hasTruth: true, unasked: 1 },
      },
      { labels: [label(0.95, true)], phrases: [{ kinds, named: 1, found: 0 }], hasTruth: true, unasked: 0 },
      { labels: [label(0.5)], phrases: [], hasTruth: false, unasked: 0 },
    ])
    expect(rest).toEqual({ pictures: 3, picturesWithTruth: 2, unaskedMentions: 1 })
    const [all, heads] = summaries
    expect(all).toMatchObject({ dimension: 'all', kind: 'all', labels: 5, judged: 3, right: 2, chance: 0.5 })
    expect(all).toMatchObject({ precision: 2 / 3, recall: 1 / 3, phraseRecall: 1 / 2, phrases: 2 })
    expect(heads).toEqual({ ...all, dimension: 'head', kind: 'new' })
    expect(all?.score).toBeCloseTo((0.9 + 0.8 + 0.95) / 3, 12)
    // 0.9 and 0.95 are in bins 13 and 14, and right; 0.8 is in bin 12, and wrong.
    expect(all?.ece).toBeCloseTo((0.1 + 0.05 + 0.8) / 3, 12)
    expect(calibration.map(({ labels, precision }) => [labels, precision])).toEqual([
      [1, 0],
      [1, 1],
      [1, 1],
    ])
  })

  it('are null where there is nothing', () => {
    const { kinds: summaries } = auditLabels([
      { labels: [label(0.5)], phrases: [], hasTruth: false, unasked: 0 },
    ])
    expect(summaries[0]).toMatchObject({ labels: 1, judged: 0, precision: null, interval: null, ece: null })
  })
})
