import type { Xyxy } from './xyxy.js'

/** A picture that lies in its file otherwise than it is shown. */
export interface Turn {
  /** EXIF's orientation, 1 to 8; from 5 on the sides change places. */
  readonly orientation: number
  /** Of the picture as it lies in the file, in the unit of the boxes. */
  readonly width: number
  readonly height: number
}

/**
 * A box in a picture as it lies in its file, in the picture as it is shown: turned and mirrored by EXIF's
 * orientation (CIPA DC-008, 4.6.5.1.6).
 */
export function turnBox([x1, y1, x2, y2]: Xyxy, { orientation, width, height }: Turn): Xyxy {
  switch (orientation) {
    case 2:
      return [width - x2, y1, width - x1, y2]
    case 3:
      return [width - x2, height - y2, width - x1, height - y1]
    case 4:
      return [x1, height - y2, x2, height - y1]
    case 5:
      return [y1, x1, y2, x2]
    case 6:
      return [height - y2, x1, height - y1, x2]
    case 7:
      return [height - y2, width - x2, height - y1, width - x1]
    case 8:
      return [y1, width - x2, y2, width - x1]
    default:
      return [x1, y1, x2, y2]
  }
}

interface Size {
  readonly width: number
  readonly height: number
}

/**
 * Whether a size that others give of a picture is that before EXIF's orientation changed its sides: wide where
 * the picture is shown high, or high where it is wide. The size may be that of a smaller copy; a pixel's
 * difference between the sides tells. Of a square, without a size (0), and of
 * orientations that keep the sides, nothing tells.
 */
export function isBeforeTurning(size: Size, shown: Size, orientation: number): boolean {
  if (orientation < 5 || !(size.width > 0 && size.height > 0)) return false
  return (size.width - size.height) * (shown.width - shown.height) < 0
}
