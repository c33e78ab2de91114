import { expect, test } from 'vitest'
import { attributeValues, withAttribute } from '../../src/words/attribute-values.js'

const first = (phrase: string) => attributeValues(phrase)[0]!

test('the attributes of a phrase, each with values that exclude it', () => {
  expect(attributeValues('two Small gray cats on the left')).toMatchObject([
    { kind: 'number', value: 'two', span: [0, 3] },
    { kind: 'size', value: 'small', span: [4, 9], others: ['big'] },
    { kind: 'colour', value: 'grey', span: [10, 14] },
    { kind: 'place', value: 'left', span: [27, 31], others: ['right'] },
  ])
  expect(attributeValues('a cat')).toEqual([])
})

test('values that people mix up do not exclude each other', () => {
  expect(first('red').others).not.toContain('orange')
  expect(first('orange').others).not.toContain('red')
  expect(first('crimson').others).toContain('blue')
})

test('another value stands in the place of the word, with its article', () => {
  expect(withAttribute('an orange cat', first('an orange cat'), 'blue')).toBe('a blue cat')
  expect(withAttribute('🎉 A blue cat', first('🎉 A blue cat'), 'orange')).toBe('🎉 An orange cat')
  expect(withAttribute('Red cat', first('Red cat'), 'blue')).toBe('Blue cat')
})
