import { z } from 'zod'

const count = z.number().int().positive()

/** What becomes of a picture. The names are img2dataset's, where it has one. */
export const imageConfig = z
  .strictObject({
    resize: z
      .enum(['no', 'keep_ratio_largest', 'keep_ratio', 'border', 'center_crop'])
      .default('keep_ratio_largest')
      .describe(
        'keep_ratio_largest: the longer side becomes image_size; keep_ratio: the shorter one; border: as keep_ratio_largest, with white to a square; center_crop: as keep_ratio, and the middle square of it; no: every picture keeps its size',
      ),
    image_size: count.default(1333).describe('pixels of the side that `resize` names'),
    resize_only_if_bigger: z.boolean().default(true).describe('smaller pictures are not enlarged'),
    min_image_size: z
      .number()
      .int()
      .min(0)
      .default(16)
      .describe('pixels of the shorter side under which a picture is rejected: tracking pixels, icons'),
    max_image_area: count
      .optional()
      .describe('pixels (width x height) over which a picture is rejected, after it is decoded'),
    max_aspect_ratio: z
      .number()
      .min(1)
      .optional()
      .describe('longer side over shorter side, over which a picture is rejected'),
    max_pixels: count
      .default(100_000_000)
      .describe('pixels (width x height) over which a picture is rejected before it is decoded'),
    max_pages: count
      .default(1000)
      .describe('pages or frames over which a picture is rejected; of fewer the first is taken'),
    max_decoded_bytes: count
      .default(500_000_000)
      .describe(
        'bytes of memory over which a picture is rejected, as it is decoded (samples of 16 bits, four channels)',
      ),
    encode_format: z
      .enum(['jpg', 'png', 'webp'])
      .default('jpg')
      .describe('format of pictures that must be encoded anew'),
    quality: z
      .number()
      .int()
      .min(1)
      .max(100)
      .default(92)
      .describe('quality of JPEG and WebP, 1 to 100, where a picture must be encoded anew'),
    transparency: z
      .enum(['drop', 'white'])
      .optional()
      .describe(
        'what becomes of transparency where a picture is encoded anew: drop keeps the colours below it, as reference programs see them; white lays the picture on white, as img2dataset does; drop where not given',
      ),
    skip_reencode: z
      .boolean()
      .default(false)
      .describe('a picture that keeps its size keeps its bytes, whatever its format'),
  })
  .describe('which pictures are taken, and what is stored of them')

export type ImageConfig = z.infer<typeof imageConfig>
