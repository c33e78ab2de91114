import type { ImageConfig } from './image-config.js'

/** How a picture is resized, in whole pixels. */
export interface Fit {
  /** Size that the whole picture is scaled to. */
  readonly width: number
  readonly height: number
  /** Size of what is stored. */
  readonly canvas: { readonly width: number; readonly height: number }
  /** Where on the canvas the scaled picture begins; negative where it is cropped. */
  readonly left: number
  readonly top: number
}

/**
 * The size of a picture by img2dataset's resize modes. With `resize_only_if_bigger` a picture whose side that
 * the mode measures is not above `image_size` stays as it is, and gets no border.
 */
export function fitImage(
  width: number,
  height: number,
  { resize, image_size, resize_only_if_bigger }: ImageConfig,
): Fit {
  const whole = { width, height, canvas: { width, height }, left: 0, top: 0 }
  if (resize === 'no') return whole
  const byShorter = resize === 'keep_ratio' || resize === 'center_crop'
  const scale = image_size / (byShorter ? Math.min(width, height) : Math.max(width, height))
  if (resize_only_if_bigger && scale >= 1) return whole
  const scaled = {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  }
  if (resize === 'keep_ratio' || resize === 'keep_ratio_largest')
    return { ...scaled, canvas: scaled, left: 0, top: 0 }
  return {
    ...scaled,
    canvas: { width: image_size, height: image_size },
    left: Math.trunc((image_size - scaled.width) / 2),
    top: Math.trunc((image_size - scaled.height) / 2),
  }
}
