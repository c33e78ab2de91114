import { expect, it } from 'vitest'
import { zip } from '../../src/base/zip.js'

it('puts the items of two lists side by side', () => {
  expect(zip([1, 2], ['a', undefined])).toEqual([
    [1, 'a'],
    [2, undefined],
  ])
  expect(zip([], [])).toEqual([])
})

it('refuses lists of different lengths', () => {
  expect(() => zip([1, 2], ['a'])).toThrow('2 items were to be matched with 1')
  expect(() => zip([], ['a'])).toThrow('0 items were to be matched with 1')
})
