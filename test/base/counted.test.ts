import { expect, it } from 'vitest'
import { counted } from '../../src/base/counted.js'

it('counts one thing in the singular, and others in the plural', () => {
  expect([counted(1, 'picture'), counted(0, 'picture'), counted(1, 'box')]).toEqual([
    ...['1 picture', '0 pictures', '1 box'],
  ])
  expect([counted(2, 'box'), counted(3, 'category'), counted(12, 'more dataset')]).toEqual([
    ...['2 boxes', '3 categories', '12 more datasets'],
  ])
})
