import { expect, it } from 'vitest'
import { isUnread } from '../../src/query/explain-unread.js'

it('a file that cannot be read is told from SQL that cannot be run', () => {
  const isOf = (words: string) => isUnread(new Error(words))
  expect(
    isOf('Failed to execute statement: Conversion Error: Error while reading file "a": failed to cast'),
  ).toBe(true)
  expect(isOf('Conversion Error: Could not convert string to INT32')).toBe(false)
  expect(isOf('Invalid Input Error: No magic bytes found at end of file')).toBe(true)
  expect(isOf('Invalid Input Error: a parameter is missing')).toBe(false)
  expect(isOf('IO Error: cannot open')).toBe(true)
})
