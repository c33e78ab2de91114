import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { createExactIndex } from '../../src/dedup/exact-index.js'
import { createNearIndex, type Hash64, parseHash } from '../../src/dedup/near-index.js'

const bits = ([high, low]: Hash64) => (BigInt(high) << 32n) | BigInt(low)
const distanceOf = (a: Hash64, b: Hash64) => (bits(a) ^ bits(b)).toString(2).replaceAll('0', '').length

/** Hashes of which many are near another: a few centres with some bits turned over. */
const near = fc
  .tuple(fc.bigInt({ min: 0n, max: 3n }), fc.array(fc.integer({ min: 0, max: 63 }), { maxLength: 12 }))
  .map(([centre, flips]): Hash64 => {
    const hash = flips.reduce((word, bit) => word ^ (1n << BigInt(bit)), centre * 0x5555_1234_9abc_def1n)
    const word = BigInt.asUintN(64, hash)
    return [Number(word >> 32n), Number(word & 0xffff_ffffn)]
  })

describe('the near index', () => {
  it('finds the first hash within any distance, as comparing all does', () => {
    fc.assert(
      fc.property(
        fc.array(near, { maxLength: 60 }),
        fc.integer({ min: 0, max: 16 }),
        // Capacity decides the bands.
        fc.constantFrom(60, 300, 5000, 300_000),
        (hashes, distance, capacity) => {
          const index = createNearIndex(capacity, distance)
          hashes.forEach((hash, position) => {
            const first = hashes.slice(0, position).findIndex((other) => distanceOf(hash, other) <= distance)
            expect(index.find(hash)).toBe(first === -1 ? -1 : first + 1000)
            index.add(hash, position + 1000)
          })
          expect(index.size).toBe(hashes.length)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('asks of no more than 64 equal hashes, the last added first', () => {
    const index = createNearIndex(1000, 4)
    for (let number = 0; number < 1000; number++) index.add([7, 7], number)
    const asked: number[] = []
    const isNone = (number: number) => asked.push(number) < 0
    expect(index.find([7, 7], isNone)).toBe(-1)
    expect(asked).toEqual(Array.from({ length: 64 }, (_, at) => 999 - at))
    expect(index.find([7, 7], (number) => number > 970)).toBe(971)
    expect(index.find([7, 7])).toBe(0)
  })

  it('looks at no more than 65,536 hashes', () => {
    const index = createNearIndex(70_000, 1)
    // All have the lower half, and none has the upper one within some bits, of which the bands are.
    index.add([0, 0], 0)
    const add = (from: number, to: number) => {
      for (let number = from; number < to; number++) index.add([0xffff_0000 + (number & 0xffff), 0], number)
    }
    add(1, 30_000)
    expect(index.find([1, 0])).toBe(0)
    add(30_000, 70_000)
    expect(index.find([1, 0])).toBe(-1)
  })

  it('holds under 80 bytes a hash where a value of a band has five', () => {
    const draw = random('bytes of hashes')
    const index = createNearIndex(300_000, 4)
    for (let number = 0; number < 300_000; number++) {
      index.add([draw.integer(2 ** 32), draw.integer(2 ** 32)], number)
    }
    expect(index.bytes / 300_000).toBeLessThan(80)
  })

  it('refuses more hashes than it can number', () => {
    expect(() => createNearIndex(1_100_000_000, 4)).toThrow('1100000000 pictures cannot be searched')
  })

  it.each([
    ['0123456789abcdef', [0x01234567, 0x89abcdef]],
    ['FFFFFFFFFFFFFFFF', [0xffffffff, 0xffffffff]],
    ['0123', undefined],
    ['0123456789abcdeg', undefined],
  ])('reads the hash %s', (hex, wanted) => {
    expect(parseHash(hex)).toEqual(wanted)
  })
})

describe('the exact index', () => {
  it('knows what a Map knows', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ maxLength: 3 }), fc.constant('a'.repeat(64)))), (texts) => {
        const index = createExactIndex(texts.length)
        const known = new Map<string, number>()
        texts.forEach((text, position) => {
          expect(index.find(text)).toBe(known.get(text) ?? -1)
          if (known.has(text)) return
          index.add(text, position)
          known.set(text, position)
        })
        expect(index.size).toBe(known.size)
      }),
    )
  })

  it('refuses more than it was made for', () => {
    const index = createExactIndex(1)
    index.add('a', 0)
    expect(() => index.add('b', 1)).toThrow('made for 1 texts')
  })
})
