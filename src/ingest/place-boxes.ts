import { isBeforeTurning, type Turn } from '../boxes/turn-box.js'
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
  const isTurned = size !== null && isBeforeTurning(size, source, orientation)
  const turnOf = (width: number, height: number): { readonly turn?: Turn } =>
    isTurned ? { turn: { orientation, width, height } } : {}
  if (boxUnit === 'share')
    return {
      scale: [source.width * scale, source.height * scale],
      offset,
      ...turnOf(1, 1),
    }
  if (!size) return { scale: [scale, scale], offset }
  const shown = isTurned ? { width: size.height, height: size.width } : size
  const ratio = source.width / shown.width
  // Rounding of a resized side may move it by a pixel.
  if (regions?.length && Math.abs(source.height - ratio * shown.height) > 1 + 0.02 * source.height) {
    const shapes = `${size.width} x ${size.height}, the picture is shaped ${source.width} x ${source.height}`
    throw new Reject('size_mismatch', `${place}: boxes are in a picture of ${shapes}`)
  }
  return { scale: [ratio * scale, ratio * scale], offset, ...turnOf(size.width, size.height) }
}
