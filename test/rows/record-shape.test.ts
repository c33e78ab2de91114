import { describe, expect, it } from 'vitest'
import * as shape from '../../src/rows/record-shape.js'

const person = shape.object({
  name: shape.pathName,
  age: shape.optional(shape.count),
  share: shape.nullable(shape.number),
  order: shape.integer,
  notes: shape.record(shape.text, (key) => (key === 'bad' ? 'bad is no note' : undefined)),
  children: shape.list(shape.object({ name: shape.text })),
  more: shape.anything,
})
const one = { name: 'a-1', share: null, order: -1, notes: {}, children: [] }

describe('the shape of a record', () => {
  it.each([
    one,
    { ...one, age: 0, share: 0.5, more: [1], unknown: true },
    { ...one, notes: { a: 'x' }, children: [{ name: '' }] },
  ])('is that of %j', (value) => {
    expect(person(value, '')).toBeUndefined()
  })

  it.each<[unknown, string]>([
    [null, 'expected keys with values, not null'],
    [[one], 'expected keys with values, not a list'],
    [{ ...one, name: 3 }, 'name: expected a text, not 3'],
    [{ ...one, name: '../a' }, 'name: expected up to 128 letters, digits, hyphens, dots and underscores'],
    [{ ...one, age: -1 }, 'age: expected a whole number of 0 or more, not -1'],
    [{ ...one, age: 2 ** 53 }, 'age: expected a whole number of 0 or more'],
    [{ ...one, share: undefined }, 'share: it is missing: a number is needed'],
    [{ ...one, share: Number.POSITIVE_INFINITY }, 'share: expected a number'],
    [{ ...one, order: 0.5 }, 'order: expected a whole number, not 0.5'],
    [{ ...one, notes: { a: 'x', b: 1 } }, 'notes.b: expected a text, not 1'],
    [{ ...one, notes: { bad: 'x' } }, 'notes: bad is no note'],
    [{ ...one, notes: JSON.parse('{"__proto__": 1}') }, 'notes.__proto__: expected a text, not 1'],
    [{ ...one, notes: [] }, 'notes: expected keys with values, not a list'],
    [{ ...one, children: {} }, 'children: expected a list, not keys with values'],
    [{ ...one, children: [{ name: 'x' }, {}] }, 'children.1.name: it is missing: a text is needed'],
    // What every object inherits is not its own.
    [{ ...one, children: [Object.create({ name: 'x' })] }, 'children.0.name: it is missing'],
  ])('is not that of %j', (value, problem) => {
    expect(person(value, '')).toContain(problem)
  })

  it('is told of in a line of bounded length', () => {
    const long = 'x'.repeat(100_000)
    expect(person({ ...one, notes: { [long]: 1 } }, '')?.length).toBeLessThan(1000)
  })
})
