import { describe, expect, it } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { clipBoxes } from '../../src/filter/rule/clip-boxes.js'
import { namedSpan, namedText } from '../../src/filter/rule/named-span.js'
import { numberOf } from '../../src/filter/rule/number-of.js'
import type { Candidate } from '../../src/filter/rule/rule.js'

const box = (xyxy: Xyxy, more: Partial<Candidate> = {}): Candidate => {
  return { phrase: 0, score: 0.5, label: null, xyxy, ...more }
}

describe('a box at the edge of its picture', () => {
  const image = { width: 60, height: 40, phrases: [] }
  const clipped = (xyxy: Xyxy, score = 0.5) => clipBoxes([box(xyxy, { score })], image).map((one) => one.xyxy)

  it('is cut off there, and stays as it is inside', () => {
    for (const [xyxy, cut] of [
      [
        [-5, 1, 20, 20],
        [0, 1, 20, 20],
      ],
      [
        [1, -5, 20, 20],
        [1, 0, 20, 20],
      ],
      [
        [1, 1, 65, 20],
        [1, 1, 60, 20],
      ],
      [
        [1, 1, 20, 45],
        [1, 1, 20, 40],
      ],
    ] as const)
      expect(clipped(xyxy)).toEqual([cut])
    const whole = box([0, 0, 60, 40])
    expect(clipBoxes([whole], image)[0]).toBe(whole)
  })

  it('is left out where nothing of it is inside, or it has no area or no score', () => {
    const outside: readonly Xyxy[] = [
      [-9, 1, 0, 20],
      [1, -9, 20, 0],
      [60, 1, 70, 20],
      [1, 40, 20, 50],
      [-9, 1, -2, 20],
      [1, -9, 20, -2],
      [61, 1, 70, 20],
      [1, 41, 20, 50],
      [20, 1, 20, 20],
      [1, 20, 20, 20],
      [20, 1, 10, 20],
      [1, 20, 20, 10],
      [Number.NaN, 1, 20, 20],
      [1, 1, 20, Number.NaN],
    ]
    for (const xyxy of outside) expect(clipped(xyxy), xyxy.join()).toEqual([])
    expect(clipped([1, 1, 20, 20], Number.NaN)).toEqual([])
    expect(clipped([1, 1, 20, 20], -0.1)).toEqual([])
    expect(clipped([1, 1, 20, 20], 0)).toHaveLength(1)
  })
})

describe('the number that a phrase says', () => {
  it.each([
    ['two dogs', 2],
    ['twelve dogs', 12],
    ['the three men', 3],
    ['All these four men', 4],
    ['his two dogs', 2],
    ['2 dogs', 2],
    ['20 dogs', 20],
    ['a pair of shoes', 2],
    ['the couple of dogs', 2],
    ['both dogs', 2],
    ['a trio of men', 3],
    ['a dozen eggs', 12],
    ['21 dogs', undefined],
    ['747 planes', undefined],
    ['2nd dogs', undefined],
    ['no2 dogs', undefined],
    ['0 dogs', undefined],
    ['a 747', undefined],
    ['the two', undefined],
    ['two', undefined],
    ['a couple', undefined],
    ['a couple dancing', undefined],
    ['a table for two', undefined],
    ['dogs of two', undefined],
    ['one dog', undefined],
    ['', undefined],
    ['...', undefined],
  ])('of %s is %s', (text, number) => {
    expect(numberOf(text)).toBe(number)
  })

  it('is one of a thing in the singular, where that is asked for', () => {
    for (const text of ['a dog', 'an owl', 'one dog', 'this dog', 'that dog', 'another dog', 'Each dog'])
      expect(numberOf(text, true), text).toBe(1)
    for (const text of ['the dog', 'dogs', 'one', 'this', ''])
      expect(numberOf(text, true), text).toBeUndefined()
    expect(numberOf('a pair of shoes', true)).toBe(2)
    expect(numberOf('1 dog', true)).toBeUndefined()
  })
})

describe('the words that a box is kept for', () => {
  const image = { phrases: [{ caption: 2, text: 'a 🪁 kite', start: 10, end: 18, head: 'kite' }] }
  const relabelled = (start: number, end: number) =>
    box([0, 0, 9, 9], { relabelled: { rule: 'contrast', start, end } })

  it('are those of its phrase, or those that a rule left it', () => {
    expect(namedSpan(image, box([0, 0, 9, 9]))).toEqual({ caption: 2, start: 10, end: 18 })
    expect(namedText(image, box([0, 0, 9, 9]))).toBe('a 🪁 kite')
    expect(namedSpan(image, relabelled(14, 18))).toEqual({ caption: 2, start: 14, end: 18 })
    expect(namedText(image, relabelled(14, 18))).toBe('kite')
    expect(namedText(image, relabelled(12, 13))).toBe('🪁')
  })

  it('are all of them where the caption is longer than what is read there', () => {
    const [phrase] = image.phrases
    expect(namedText({ phrases: [{ ...phrase, end: 22 }] }, relabelled(14, 18))).toBe('a 🪁 kite')
  })
})
