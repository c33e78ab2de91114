/** The tag that says how a picture is turned. */
const orientation = 274
/** Bytes of a value by the types that fit into an entry: BYTE, ASCII, SHORT, LONG, SBYTE to SLONG. */
const valueBytes: Readonly<Record<number, number>> = { 1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4 }

/**
 * EXIF with the orientation of a picture and nothing else, as it stands in what the picture has: the one of
 * its entries that says something of the pixels. The others are for no decoder: their readers follow pointers
 * from list to list, for minutes if they are made for it.
 *
 * @param exif with or without the mark `Exif` before it
 * @returns with that mark; undefined where there is no orientation, or nothing that could be read
 */
export function orientationExif(exif: Uint8Array): Uint8Array | undefined {
  const buffer = Buffer.from(exif.buffer, exif.byteOffset, exif.length)
  const tiff = buffer.subarray(buffer.toString('latin1', 0, 6) === 'Exif\0\0' ? 6 : 0)
  const order = tiff.toString('latin1', 0, 4)
  if (tiff.length < 10 || (order !== 'II*\0' && order !== 'MM\0*')) return undefined
  const isLittle = order[0] === 'I'
  const short = (at: number) => (isLittle ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at))
  const long = (at: number) => (isLittle ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at))
  const start = long(4)
  if (start + 2 > tiff.length) return undefined
  const entries = Math.min(short(start), Math.floor((tiff.length - start - 2) / 12))
  for (let entry = 0; entry < entries; entry++) {
    const at = start + 2 + 12 * entry
    const size = valueBytes[short(at + 2)] ?? Number.POSITIVE_INFINITY
    if (short(at) !== orientation || long(at + 4) * size > 4) continue
    const one = isLittle ? [1, 0] : [0, 1]
    const head = isLittle ? [8, 0, 0, 0] : [0, 0, 0, 8]
    return Buffer.concat([
      Buffer.from('Exif\0\0', 'latin1'),
      tiff.subarray(0, 4),
      Buffer.from([...head, ...one]),
      tiff.subarray(at, at + 12),
      Buffer.alloc(4),
    ])
  }
  return undefined
}
