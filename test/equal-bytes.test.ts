import { expect, it } from 'vitest'

it('bytes that differ are not equal, in whatever they lie', () => {
  const bytes = (...values: number[]) => Buffer.from(values)
  expect(bytes(1, 2)).toEqual(bytes(1, 2))
  expect({ a: [new Float32Array([Number.NaN])] }).toEqual({ a: [new Float32Array([Number.NaN])] })
  expect(bytes(1, 2)).not.toEqual(bytes(1, 3))
  expect(bytes(1, 2)).not.toEqual(bytes(1))
  expect({ a: [new Float32Array([1])] }).not.toEqual({ a: [new Float32Array([2])] })
  expect(bytes(1)).not.toStrictEqual(new Uint8Array([1]))
})
