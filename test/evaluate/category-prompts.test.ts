import { describe, expect, it } from 'vitest'
import { bestOfPictures, detectCategories, promptsOf } from '../../src/evaluate/category-prompts.js'
import type { Picture } from '../../src/pictures/picture.js'

/** A teacher that takes as many tokens as a text has words. */
const teacher = (maxTokens: number, prompt?: readonly string[]) => ({
  maxTokens,
  tokensOf: (text: string) => text.split(/\s+/).length,
  ...(prompt && { prompt }),
})
const names = ['a', 'b', 'c', 'd', 'e']

describe('prompts of a vocabulary', () => {
  it('have as many names as are asked for and fit, each name once', () => {
    const listed = (most: number, tokens: number) =>
      promptsOf(names, most, teacher(tokens)).map((one) => one.categories)
    expect(listed(2, 100)).toEqual([[0, 1], [2, 3], [4]])
    expect(listed(5, 100)).toEqual([[0, 1, 2, 3, 4]])
    const fits = promptsOf(['a', 'b', 'c'], 9, teacher(100))[0].text.split(/\s+/).length
    expect(listed(9, fits)).toEqual([
      [0, 1, 2],
      [3, 4],
    ])
    // A name that does not fit by itself is asked for all the same.
    expect(listed(9, 0)).toEqual([[0], [1], [2], [3], [4]])
    expect(promptsOf([], 9, teacher(9))).toEqual([])
  })

  it('are the model’s own where it was tuned for one', () => {
    const [only, ...others] = promptsOf(['b', 'a'], 1, teacher(0, ['a', 'x', 'b']))
    expect(others).toEqual([])
    expect(only.categories).toEqual([1, -1, 0])
    expect(only.spans).toHaveLength(3)
    expect(() => promptsOf(['a', 'z'], 1, teacher(0, ['a', 'b']))).toThrow(
      'tuned for a, b; it does not know "z"',
    )
  })
})

describe('boxes of categories', () => {
  const picture = { scale: 0.5 } as Picture
  const prompt = { text: 'dog. cat', spans: [[0, 3] as const, [5, 8] as const], categories: [1, -1] }
  const detect = (boxes: readonly object[]) =>
    detectCategories(
      { detect: async (queries) => queries.map(() => boxes as never) },
      [picture],
      prompt,
      ['cat', 'dog'],
      {
        floor: 0,
      } as never,
    )

  it('are in the pixels of the stored picture, of names that count', async () => {
    const box = { phrase: 0, xyxy: [1, 2, 4, 8], score: 0.5 }
    expect(await detect([box, { ...box, phrase: 1 }])).toEqual([
      { image: 0, category: 1, bbox: [2, 4, 6, 12], score: 0.5 },
    ])
    expect(await detect([{ ...box, label: 'Dog' }])).toHaveLength(1)
    expect(await detect([{ ...box, label: 'hot dog' }])).toEqual([])
    await expect(detect([{ ...box, phrase: 2 }])).rejects.toThrow(
      'a box is of phrase 2 of a prompt that has 2',
    )
  })

  it('are the best of each picture, best first', () => {
    const of = (image: number, score: number, category = 0) => {
      return { image, category, score, bbox: [0, 0, 1, 1] as const }
    }
    const found = [of(0, 0.1), of(1, 0.2), of(0, 0.9), of(0, 0.5), of(0, 0.5, 1)]
    expect(bestOfPictures(found, 2)).toEqual([of(0, 0.9), of(0, 0.5), of(1, 0.2)])
    expect(bestOfPictures(found, 9).map(({ score, category }) => [score, category])).toEqual([
      [0.9, 0],
      [0.5, 0],
      [0.5, 1],
      [0.2, 0],
      [0.1, 0],
    ])
    expect(found[0]).toEqual(of(0, 0.1))
  })
})
