/** A GIF whose first frame has no transparent colour. */
export interface OpaqueGif {
  readonly bytes: Uint8Array
  /** What the first frame covers of the picture, in pixels. */
  readonly frame: {
    readonly left: number
    readonly top: number
    readonly right: number
    readonly bottom: number
  }
  /** Red, green and blue of the rest. */
  readonly uncovered: readonly [number, number, number]
}

/**
 * Takes the mark of a transparent colour off the first frame, so that a decoder gives the colour that the
 * palette has there. What a frame smaller than the picture leaves uncovered is of the transparent colour, or
 * of the first one, as in Pillow (PIL/GifImagePlugin.py, load_prepare).
 */
export function opaqueGif(bytes: Uint8Array): OpaqueGif {
  const copy = Uint8Array.from(bytes)
  const byte = (at: number) => copy[at] ?? 0
  const short = (at: number) => byte(at) + 256 * byte(at + 1)
  let transparent = 0
  let at = 13 + paletteBytes(byte(10))
  while (byte(at) === extension) {
    // Of a graphic control: its length, flags, two bytes of delay, the transparent colour.
    if (byte(at + 1) === graphicControl && (byte(at + 3) & 1) === 1) {
      transparent = byte(at + 6)
      copy[at + 3] = byte(at + 3) & ~1
    }
    at += 2
    while (byte(at) !== 0) at += byte(at) + 1
    at++
  }
  // Now the first frame's place, size and flags.
  const [left, top] = [short(at + 1), short(at + 3)]
  const palette = paletteBytes(byte(at + 9)) > 0 ? at + 10 : 13
  const colour = palette + 3 * transparent
  return {
    bytes: copy,
    frame: { left, top, right: left + short(at + 5), bottom: top + short(at + 7) },
    uncovered: [byte(colour), byte(colour + 1), byte(colour + 2)],
  }
}

const extension = 0x21
const graphicControl = 0xf9

/** Of the palette that flags announce: three for each colour. */
const paletteBytes = (flags: number) => ((flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1))
