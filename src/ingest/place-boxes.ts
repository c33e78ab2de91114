import type { Turn } from '../boxes/turn-box.js'
import { Reject } from './fetch/reject.js'
import type { StoredPicture } from './gold-rows.js'
import type { NormalImage } from './image/normalise-image.js'
import type { SourceRow } from './read/source-row.js'

/**
 * How the boxes of a source come to lie in the stored picture, which is upright. Boxes are in the picture
 * that the source describes; what was fetched may have another size, but not another shape.
 *
 * Tools that know no EXIF describe the picture as it lies in its file. Where its orientation makes the sides
 * change places and the source's size is that before turning, boxes are turned with the picture; where the
 * sizes do not tell (none is given, a square, a picture that was only mirrored or upside down), boxes are
 * taken to be in the picture as it is shown.
 *
 * @throws Reject of the reason `size_mismatch`
 */
export function placeBoxes(
  { size, regions, boxUnit, place }: Pick<SourceRow, 'size' | 'regions' | 'boxUnit' | 'place'>,
  { source, scale, offset, orientation }: NormalImage,
): Pick<StoredPicture, 'scale' | 'offset' | 'turn'> {
  const isTurned = size !== null && orientation >= 5 && isBeforeTurning(size, source)
  const turnOf = (sides: Size): { readonly turn?: Turn } =>
    isTurned ? { turn: { orientation, width: sides.width, height: sides.height } } : {}
  if (boxUnit === 'share')
    return {
      scale: [source.width * scale, source.height * scale],
      offset,
      ...turnOf({ width: 1, height: 1 }),
    }
  if (!size) return { scale: [scale, scale], offset }
  const shown = isTurned ? { width: size.height, height: size.width } : size
  const ratio = source.width / shown.width
  // Rounding of a resized side may move it by a pixel.
  if (regions?.length && Math.abs(source.height - ratio * shown.height) > 1 + 0.02 * source.height) {
    const shapes = `${size.width} x ${size.height}, the picture is shaped ${source.width} x ${source.height}`
    throw new Reject('size_mismatch', `${place}: boxes are in a picture of ${shapes}`)
  }
  return { scale: [ratio * scale, ratio * scale], offset, ...turnOf(size) }
}

interface Size {
  readonly width: number
  readonly height: number
}

/**
 * Whether a size is wide where the shown picture is high, or high where it is wide: then it has the shape of
 * the picture before its sides changed places, or is that of a smaller copy. A pixel's difference tells.
 */
function isBeforeTurning(size: Size, shown: Size): boolean {
  return (size.width - size.height) * (shown.width - shown.height) < 0
}
