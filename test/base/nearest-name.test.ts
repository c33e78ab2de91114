import { describe, expect, it } from 'vitest'
import { nearestName } from '../../src/base/nearest-name.js'

describe('the nearest name', () => {
  it.each([
    ['techer', ['gold', 'teacher'], 'teacher'],
    ['phrase', ['phases', 'phrases'], 'phrases'],
    ['novle', ['known', 'novel'], 'novel'],
    ['gold', ['bold', 'gold'], 'gold'],
    ['web', ['abc', 'photos'], undefined],
    ['none', ['known', 'novel'], undefined],
    ['ab', ['ac'], undefined],
    ['', ['a'], undefined],
  ])('of %j among %j is %j', (name, names, nearest) => {
    expect(nearestName(name, names)).toBe(nearest)
  })
})
