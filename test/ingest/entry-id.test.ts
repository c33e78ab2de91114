import { describe, expect, test } from 'vitest'
import { compareIds, entryId, idNumber } from '../../src/formats/entry-id.js'

describe('entryId', () => {
  test('is one text of all the ways in which files write an id', () => {
    for (const value of [1, 1.0, '1', ' 1 ', '1.0', 1n]) expect(entryId(value)).toBe('1')
    expect(entryId(9007199254740993n)).toBe(entryId('9007199254740993'))
    for (const value of ['007', 'a.0', 'img_1', '1.5']) expect(entryId(value)).toBe(value)
    for (const value of [null, undefined, Number.NaN, '', ' ', [], {}, true])
      expect(entryId(value)).toBe(undefined)
  })

  test('numbers stand by size, words behind them in the order of the file', () => {
    const ids = ['b', '10', '9007199254740993', '9007199254740992', 'a', '-1', '2']
    expect(ids.sort(compareIds)).toEqual(['-1', '2', '10', '9007199254740992', '9007199254740993', 'b', 'a'])
  })

  test('is written as a number where it is one', () => {
    expect(['1', '007', '9007199254740993', 'x', '-0'].map(idNumber)).toEqual([
      1,
      '007',
      9007199254740993n,
      'x',
      '-0',
    ])
  })
})
