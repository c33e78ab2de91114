/** Bytes of a value of each type that offsets and counts may have: SHORT, LONG. */
const valueBytes: Readonly<Record<number, number>> = { 3: 2, 4: 4 }
const compression = 259
/** Offsets and counts of strips, and of tiles. */
const parts = [
  [273, 279],
  [324, 325],
] as const

/**
 * Where the samples of a TIFF's first picture end by its own tags, in bytes from the beginning: decoders fill
 * up samples that are not there. Of packed ones only where each part begins is taken, since writers' counts of
 * these are not to be relied on. 0 where the tags do not say it, as in a BigTIFF.
 */
export function tiffEnd(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const isLittle = bytes[0] === 0x49
  const short = (at: number) => view.getUint16(at, isLittle)
  const number = (at: number, size: number) => (size === 2 ? short(at) : view.getUint32(at, isLittle))
  try {
    // Of each tag where its values lie: all of them may be said to fill the file.
    const tags = new Map<number, { readonly from: number; readonly count: number; readonly size: number }>()
    const start = view.getUint32(4, isLittle)
    const entries = short(start)
    for (let entry = 0; entry < entries; entry++) {
      const at = start + 2 + 12 * entry
      const size = valueBytes[short(at + 2)]
      if (size === undefined) continue
      const count = view.getUint32(at + 4, isLittle)
      const from = count * size <= 4 ? at + 8 : view.getUint32(at + 8, isLittle)
      if (from + count * size > bytes.length) return from + count * size
      tags.set(short(at), { from, count, size })
    }
    const valuesOf = (tag: number): number[] => {
      const { from, count, size } = tags.get(tag) ?? { from: 0, count: 0, size: 2 }
      return Array.from({ length: count }, (_, index) => number(from + index * size, size))
    }
    const isPlain = (valuesOf(compression)[0] ?? 1) === 1
    const ends = parts.flatMap(([offsets, counts]) => {
      const lengths = isPlain ? valuesOf(counts) : []
      return valuesOf(offsets).map((offset, part) => offset + (lengths[part] ?? 0))
    })
    // Of a large picture there are more than a call takes arguments.
    return ends.reduce((last, end) => Math.max(last, end), 0)
  } catch {
    // The tags themselves are cut off, which the decoder tells.
    return 0
  }
}
