import { describe, expect, it } from 'vitest'
import { didYouMean, nearestName } from '../../src/base/nearest-name.js'
import { readSetOption, setNested } from '../../src/base/set-option.js'
import { UserError } from '../../src/base/user-error.js'

const set = (target: object, option: string) => {
  const copy = structuredClone(target)
  setNested(copy, readSetOption(option))
  return copy
}

describe('--set', () => {
  it('makes objects on the way, and names elements of lists by their place', () => {
    expect(set({}, 'a.b.c=3')).toEqual({ a: { b: { c: 3 } } })
    expect(set({ a: null }, 'a.b=[1]')).toEqual({ a: { b: [1] } })
    expect(set({ a: [1, { b: 2 }] }, 'a.1.b=3')).toEqual({ a: [1, { b: 3 }] })
    expect(set({ a: [1, 2] }, 'a.0=7')).toEqual({ a: [7, 2] })
    expect(set({ a: { 0: 1 } }, 'a.0=7')).toEqual({ a: { 0: 7 } })
    expect(set({}, 'constructor.name=x')).toEqual({ constructor: { name: 'x' } })
  })

  it.each([
    [
      { a: [1, 2] },
      'a.min=3',
      /^--set a\.min=3: a is a list, \[1,2\], without a key min: .* place, 0 to 1,.*'a=\[…\]'\.$/,
    ],
    [{ a: [1, 2] }, 'a.2=3', /without a key 2: its elements are named by their place, 0 to 1/],
    [{ a: [] }, 'a.0=3', /it is empty/],
    [{ a: [1, 2] }, 'a.0.b=3', /^--set a\.0\.b=3: a\.0 is 1, which has no key b: give all of it/],
    [{ a: 'size' }, 'a.gold=3', /a is "size", which has no key gold: .*'a=…' or --set 'a=\{gold: …\}'/],
    [{}, 'a.scale.0=3', /nothing is said at a\.scale, so it has no element 0: .*'a\.scale=\[…\]'/],
    [{ a: 'x'.repeat(1e5) }, 'a.b=3', /^.{0,300}$/s],
  ])('refuses what cannot be: %j %s', (target, option, message) => {
    const refused = () => set(target, option)
    expect(refused).toThrow(UserError)
    expect(refused).toThrow(message)
  })
})

it('names that are near are suggested, others are not', () => {
  const names = ['score', 'head_score', 'nms', 'soft_nms', 'max_boxes']
  expect(
    ['scor', 'socre', 'SCORE', 'mns', 'head-score', 'max'].map((name) => nearestName(name, names)),
  ).toEqual(['score', 'score', 'score', 'nms', 'head_score', 'max_boxes'])
  expect(nearestName('banana', names)).toBeUndefined()
  expect(didYouMean('scor', names)).toBe(' Did you mean "score"?')
  expect(didYouMean('banana', names)).toBe('')
})
