import { describe, expect, it } from 'vitest'
import { hashJson, listHash } from '../../src/base/hash.js'

describe('the hash of a value', () => {
  it('is that of its JSON, whatever the order of the keys', () => {
    expect(hashJson({ a: 1, b: [{ c: 2, d: 3 }] })).toBe(hashJson({ b: [{ d: 3, c: 2 }], a: 1 }))
    expect(hashJson([1, 2])).not.toBe(hashJson([2, 1]))
    expect(hashJson({ a: { b: 1 } })).not.toBe(hashJson({ a: { b: 2 } }))
    // printf '{"a":1,"b":"x"}' | sha256sum
    expect(hashJson({ b: 'x', a: 1 })).toBe(
      'ecf9e98ec0641e23113ff3ce8bdc78d0ddd249886517fd4a7f68cc83d4e65667',
    )
  })
})

describe('the hash of a list', () => {
  it('is that of the whole list at every length, without holding it', () => {
    const values = ['a', 'say "hi"\n', '\ud83d', 'kätzchen 🐈', { b: 1, a: [2] }, null, undefined, '']
    const hash = listHash()
    expect(hash.digest()).toBe(hashJson([]))
    for (const [index, value] of values.entries()) {
      hash.add(value)
      expect(hash.digest()).toBe(hashJson(values.slice(0, index + 1)))
    }
  })
})
