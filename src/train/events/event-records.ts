/**
 * Records of a TFRecord file: length as uint64, a sum of the length, the bytes, a sum of the bytes, all little-endian
 * (https://www.tensorflow.org/tutorials/load_data/tfrecord).
 */
import { crc32c } from './crc32c.js'

const headBytes = 12
const tailBytes = 4

/** CRC-32C turned by 15 bits and moved, so that a sum of bytes that hold sums is not weak. */
function maskedSum(bytes: Uint8Array): number {
  const sum = crc32c(bytes)
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0
}

export function frameRecord(bytes: Uint8Array): Uint8Array {
  const framed = Buffer.alloc(headBytes + bytes.length + tailBytes)
  framed.writeBigUInt64LE(BigInt(bytes.length))
  framed.writeUInt32LE(maskedSum(framed.subarray(0, 8)), 8)
  framed.set(bytes, headBytes)
  framed.writeUInt32LE(maskedSum(bytes), headBytes + bytes.length)
  return framed
}

/** The records of a file up to the first that is cut short or damaged: behind it nothing says where another begins. */
export function readRecords(file: Uint8Array): Uint8Array[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const records: Uint8Array[] = []
  for (let at = 0; at + headBytes <= bytes.length; ) {
    if (bytes.readUInt32LE(at + 8) !== maskedSum(bytes.subarray(at, at + 8))) break
    const end = at + headBytes + Number(bytes.readBigUInt64LE(at))
    if (end + tailBytes > bytes.length) break
    const record = bytes.subarray(at + headBytes, end)
    if (bytes.readUInt32LE(end) !== maskedSum(record)) break
    records.push(record)
    at = end + tailBytes
  }
  return records
}
