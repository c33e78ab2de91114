import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bareName } from '../../src/words/bare-name.js'

const nameOf = (phrase: string, head: string) => {
  const bare = bareName(phrase, head)
  return bare && [...phrase].slice(...bare.span).join('')
}

test('the name of a thing without its colours, sizes and places', () => {
  expect(nameOf('a red dolphin', 'dolphin')).toBe('dolphin')
  expect(nameOf('two big red fire trucks', 'truck')).toBe('fire trucks')
  expect(nameOf('a large wooden table', 'table')).toBe('wooden table')
  expect(nameOf('the black and white cat', 'cat')).toBe('cat')
  expect(nameOf('🎉 a very small ice cream', 'cream')).toBe('ice cream')
  expect(nameOf('a group of red dolphins', 'dolphin')).toBe('dolphins')
  expect(nameOf('the man on the left', 'man')).toBe('man')
  expect(nameOf("the red-haired man's hat", 'hat')).toBe("man's hat")
  expect(nameOf('A bright RED car', 'vehicle')).toBe('car')
})

test('the values that could be others: not numbers, and not the head', () => {
  expect(bareName('two small red dogs', 'dog')?.values.map(({ value }) => value)).toEqual(['small', 'red'])
  expect(bareName('two dogs', 'dog')).toBeUndefined()
  expect(bareName('an orange', 'orange')).toBeUndefined()
  expect(bareName('an orange top', 'top')?.values.map(({ value }) => value)).toEqual(['orange'])
  expect(bareName('', 'dog')).toBeUndefined()
})

test('the name is a part of the phrase with the head and none of the values', () => {
  const words = fc.constantFrom('a', 'two', 'red', 'big', 'left', 'dog', 'wooden', 'house', 'of', 'and', 'on')
  fc.assert(
    fc.property(fc.array(words, { minLength: 1, maxLength: 7 }), fc.nat(), (list, pick) => {
      const phrase = list.join(' ')
      const head = list[pick % list.length] as string
      const bare = bareName(phrase, head)
      if (!bare) return
      const [start, end] = bare.span
      expect(start).toBeGreaterThanOrEqual(0)
      expect(end).toBeLessThanOrEqual(phrase.length)
      expect(phrase.slice(start, end).split(' ')).toContain(head)
      for (const { span } of bare.values) expect(span[0] >= end || span[1] <= start).toBe(true)
      expect(end - start).toBeLessThan(phrase.length)
    }),
  )
})
