import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { turnBox } from '../../src/boxes/turn-box.js'
import { ingestConfig } from '../../src/ingest/config.js'
import { goldRows } from '../../src/ingest/gold-rows.js'
import { normaliseImage } from '../../src/ingest/image/normalise-image.js'
import { placeBoxes } from '../../src/ingest/place-boxes.js'
import { sourceRow } from '../../src/ingest/read/source-row.js'

const { image, prompt } = ingestConfig.parse({ image: { encode_format: 'png' } })
const fileSize = { width: 64, height: 63 }
const white = [5, 11, 25, 21] as const

/** Black with a white part, as it lies in the file. */
async function pictureOf(orientation: number, { width, height }: typeof fileSize) {
  const [left, top, right, bottom] = white
  const part = sharp({
    create: { width: right - left, height: bottom - top, channels: 3, background: '#fff' },
  })
  return sharp({ create: { width, height, channels: 3, background: '#000' } })
    .composite([{ input: await part.png().toBuffer(), left, top }])
    .png()
    .withMetadata({ orientation })
    .toBuffer()
}

/** Where the box is that a source gives of such a picture, and where the white is in what is stored. */
async function boxAndWhite(
  orientation: number,
  size: { width: number; height: number } | null,
  xyxy: readonly [number, number, number, number],
  more: { file?: typeof fileSize; boxUnit?: 'share'; image_size?: number } = {},
) {
  const bytes = await pictureOf(orientation, more.file ?? fileSize)
  const picture = await normaliseImage(bytes, 'p', { ...image, image_size: more.image_size ?? 1333 })
  const row = sourceRow({
    mark: { line: 1, byte: 0 } as never,
    place: 'p',
    size,
    regions: [{ category: 'patch', order: 0, xyxy, spans: [] }],
    ...(more.boxUnit && { boxUnit: more.boxUnit }),
  })
  const { width, height } = picture
  const { regions } = goldRows(row, { width, height, ...placeBoxes(row, picture) }, prompt, 'p')
  const { data, info } = await sharp(picture.bytes).raw().toBuffer({ resolveWithObject: true })
  const seen = [width, height, 0, 0]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[(y * width + x) * info.channels]! < 128) continue
      const [x1, y1, x2, y2] = seen as [number, number, number, number]
      seen.splice(0, 4, Math.min(x1, x), Math.min(y1, y), Math.max(x2, x + 1), Math.max(y2, y + 1))
    }
  }
  return { box: regions[0]?.xyxy, seen }
}

/** The white part's box in a picture of the other sides. */
const shownSize = { width: 63, height: 64 }
const upright = [1, 2, 3, 4, 5, 6, 7, 8]

describe('boxes of a picture that EXIF turns', () => {
  it.each(upright)('lie where the thing is: orientation %i', async (orientation) => {
    const isSwapped = orientation >= 5
    const { box, seen } = await boxAndWhite(orientation, isSwapped ? fileSize : null, white)
    expect(turnBox(white, { orientation, ...fileSize })).toEqual(seen)
    if (isSwapped || orientation === 1) expect(box).toEqual(seen)
    // Of a picture that is only mirrored or upside down no size tells: its boxes are as it is shown.
    else expect(box).toEqual([...white])
    if (isSwapped) {
      const shown = seen as unknown as [number, number, number, number]
      expect((await boxAndWhite(orientation, shownSize, shown)).box).toEqual(seen)
      expect((await boxAndWhite(orientation, null, shown)).box).toEqual(seen)
    }
  })

  it('are turned where the source describes a smaller copy, and where the picture is stored smaller', async () => {
    const half = white.map((side) => side / 2) as unknown as typeof white
    const copy = await boxAndWhite(6, { width: 32, height: 30 }, half, { file: { width: 64, height: 60 } })
    expect(copy.box).toEqual(copy.seen)
    const stored = await boxAndWhite(8, fileSize, white, { image_size: 32 })
    stored.box!.forEach((side, at) => {
      expect(Math.abs(side - stored.seen[at]!)).toBeLessThanOrEqual(1)
    })
  })

  it('that are shares are turned only where the source gives the size before turning', async () => {
    const [width, height] = [64, 63]
    const shares = white.map((side, at) => side / (at % 2 === 0 ? width : height)) as unknown as typeof white
    const said = await boxAndWhite(6, fileSize, shares, { boxUnit: 'share' })
    said.box!.forEach((side, at) => {
      expect(side).toBeCloseTo(said.seen[at]!, 4)
    })
    const silent = await boxAndWhite(6, null, shares, { boxUnit: 'share' })
    silent.box!.forEach((side, at) => {
      expect(side).toBeCloseTo(shares[at]! * (at % 2 === 0 ? 63 : 64), 4)
    })
  })

  it('of a square are as it is shown', async () => {
    const square = { width: 64, height: 64 }
    expect((await boxAndWhite(6, square, white, { file: square })).box).toEqual([...white])
    // So they are where the source describes a copy that was rounded to a square.
    const half = { width: 32, height: 32 }
    const [, top] = (await boxAndWhite(6, half, [4, 8, 12, 16])).box ?? []
    expect(top).toBeCloseTo((8 * 63) / 32, 4)
  })

  it('of another shape either way are refused', async () => {
    await expect(boxAndWhite(6, { width: 64, height: 40 }, white)).rejects.toMatchObject({
      reason: 'size_mismatch',
    })
  })
})
