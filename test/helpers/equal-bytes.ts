import { expect } from 'vitest'

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer, byteOffset, byteLength)

/**
 * Has `toEqual` compare the bytes of typed arrays and buffers at once, where they are equal: number by number a picture
 * takes a second. What differs is compared as ever, and shown so.
 */
const sameBytes = (a: unknown, b: unknown): boolean | undefined =>
  ArrayBuffer.isView(a) &&
  ArrayBuffer.isView(b) &&
  a.constructor === b.constructor &&
  a.byteLength === b.byteLength &&
  bytesOf(a).equals(bytesOf(b))
    ? true
    : undefined

// Files of one worker share what is added here.
const added = Symbol.for('groundmill.equal-bytes')
const place = globalThis as { [added]?: true }
if (!place[added]) expect.addEqualityTesters([sameBytes])
place[added] = true
