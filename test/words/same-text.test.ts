import { expect, it } from 'vitest'
import { sameText } from '../../src/words/same-text.js'

it('phrases say the same whatever their case, white space and composition', () => {
  expect(['A café', 'a  cafe\u0301 ', '\u00a0a\ncafé'].map(sameText)).toEqual(Array(3).fill('a café'))
  expect(sameText('a cat')).toBe('a cat')
})
