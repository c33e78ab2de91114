/**
 * Decodes Parquet's hybrid of run lengths and bit packing, by which levels and indices into dictionaries are
 * stored. hyparquet has a decoder too, but grows its output by whatever a damaged run says, until the process
 * ends.
 *
 * @param bytes what is encoded and nothing else
 * @param width bits of a value, 0 to 24
 * @param out filled with as many values as it takes
 * @throws Error where there are fewer, or a run of more than there is room for, or of a value of more bits
 */
export function readHybrid<Out extends Uint8Array | Uint32Array>(
  bytes: Uint8Array,
  width: number,
  out: Out,
): Out {
  if (width > 24) throw new Error(`values of ${width} bits`)
  let at = 0
  for (let done = 0; done < out.length; ) {
    let header = 0
    for (let shift = 0; ; shift += 7) {
      if (at >= bytes.length || shift > 28) throw new Error('a run without a length')
      const byte = bytes[at++]!
      header |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    const count = header >>> 1
    if (header & 1) {
      const values = Math.min(count * 8, out.length - done)
      if (values === 0 || Math.ceil((values * width) / 8) > bytes.length - at)
        throw new Error('a run is cut short')
      unpack(bytes, at, width, out, done, values)
      at += count * width
      done += values
    } else {
      const size = (width + 7) >> 3
      if (count === 0 || count > out.length - done || size > bytes.length - at)
        throw new Error(`a run of ${count}`)
      let value = 0
      for (let byte = 0; byte < size; byte++) value |= bytes[at++]! << (8 * byte)
      // Levels that there are none of would pass for items of a list.
      if (value >>> width !== 0) throw new Error(`a run of ${value} in ${width} bits`)
      out.fill(value, done, done + count)
      done += count
    }
  }
  return out
}

/** Values of `width` bits one behind another, the lowest bit first. */
function unpack(
  bytes: Uint8Array,
  from: number,
  width: number,
  out: Uint8Array | Uint32Array,
  start: number,
  count: number,
) {
  const mask = (1 << width) - 1
  const end = start + count
  // A byte of whole values, as levels are, of which lists have more than values: three times as fast as what follows.
  if (8 % width === 0 && (count * width) % 8 === 0) {
    for (let [index, at] = [start, from]; index < end; ) {
      const byte = bytes[at++]!
      for (let shift = 0; shift < 8; shift += width) out[index++] = (byte >> shift) & mask
    }
    return
  }
  let [at, held, bits] = [from, 0, 0]
  for (let index = start; index < end; index++) {
    while (bits < width) {
      held |= bytes[at++]! << bits
      bits += 8
    }
    out[index] = held & mask
    held >>>= width
    bits -= width
  }
}
