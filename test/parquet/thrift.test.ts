import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readThrift, type ThriftValue, writeThrift } from '../../src/parquet/thrift.js'

const bytes = fc.uint8Array({ maxLength: 200 })
const whole = fc.oneof(fc.integer(), fc.maxSafeInteger())
const { value } = fc.letrec<{ value: ThriftValue; struct: ThriftValue }>((tie) => ({
  struct: fc
    .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 300 }), tie('value')), {
      selector: ([id]) => id,
      maxLength: 5,
    })
    .map((fields) => ({ type: 12 as const, fields: new Map([...fields].sort(([a], [b]) => a - b)) })),
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<ThriftValue>({ type: 1 }, { type: 2 }),
    fc.nat(255).map((value): ThriftValue => ({ type: 3, value })),
    // Twice a number must be exact as well.
    whole.filter((number) => Math.abs(number) < 2 ** 51).map((value): ThriftValue => ({ type: 6, value })),
    bytes.map((value): ThriftValue => ({ type: 8, value })),
    fc
      .array(
        whole.map((number): ThriftValue => ({ type: 5, value: number | 0 })),
        { maxLength: 20 },
      )
      .map((items) => {
        return { type: 9 as const, of: 5, items }
      }),
    fc.array(fc.constantFrom<ThriftValue>({ type: 1 }, { type: 2 }), { maxLength: 20 }).map((items) => {
      return { type: 9 as const, of: 1, items }
    }),
    tie('struct'),
  ) as fc.Arbitrary<ThriftValue>,
}))
const struct = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 300 }), value), { selector: ([id]) => id, maxLength: 6 })
  .map((fields) => new Map([...fields].sort(([a], [b]) => a - b)))

describe('a Thrift struct', () => {
  it('reads as it was written', () => {
    fc.assert(
      fc.property(struct, (fields) => {
        expect(readThrift(writeThrift(fields))).toEqual(fields)
      }),
    )
  })

  it('is refused where it ends too early, or holds what Parquet does not', () => {
    fc.assert(
      fc.property(struct, (fields) => {
        const whole = writeThrift(fields)
        expect(() => readThrift(whole.subarray(0, whole.length - 1))).toThrow('cut short')
      }),
    )
    expect(() => readThrift(Uint8Array.of(0x1b, 0))).toThrow('type 11')
  })
})
