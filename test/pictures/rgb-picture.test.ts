import { readFileSync } from 'node:fs'
import { inflateSync } from 'node:zlib'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { ingestConfig } from '../../src/ingest/config.js'
import { normaliseImage } from '../../src/ingest/image/normalise-image.js'
import { decodePicture } from '../../src/pictures/picture.js'
import { rgbPicture } from '../../src/pictures/rgb-picture.js'

interface Entry {
  readonly name: string
  readonly file: string
  readonly width: number
  readonly height: number
  readonly pixels: string
}

/** What `bench/parity/pil_pictures.py` wrote. */
const { pictures: entries }: { pictures: Entry[] } = JSON.parse(
  readFileSync(new URL('fixtures/pil-pictures.json', import.meta.url), 'utf8'),
)
const cases = entries.map(({ name, file, pixels, ...size }) => ({
  name,
  ...size,
  bytes: Buffer.from(file, 'base64'),
  pixels: inflateSync(Buffer.from(pixels, 'base64')),
}))
const ofName = (name: string) => {
  const found = cases.find((one) => one.name === name)
  if (!found) throw new Error(name)
  return found
}

describe('a decoded picture has the pixels of convert("RGB") in Pillow', () => {
  it.each(cases)('$name', async ({ bytes, width, height, pixels }) => {
    const picture = await decodePicture(bytes, Number.POSITIVE_INFINITY)
    expect(picture).toMatchObject({ width, height, scale: 1 })
    expect(Buffer.compare(picture.data, pixels)).toBe(0)
  })
})

describe('a picture that is stored anew', () => {
  const turned = 'turned by EXIF.jpg'
  it.each(cases.filter(({ name }) => name !== turned))(
    'has the pixels that $name had',
    async ({ bytes, pixels }) => {
      const { image } = ingestConfig.parse({ image: { encode_format: 'png', min_image_size: 1 } })
      const stored = await normaliseImage(bytes, 'p', image)
      const { data } = await decodePicture(stored.bytes, Number.POSITIVE_INFINITY)
      expect(Buffer.compare(data, pixels)).toBe(0)
      expect((await sharp(stored.bytes).metadata()).icc === undefined).toBe(
        stored.bytes !== bytes || !bytes.includes('iCCP'),
      )
    },
  )

  it('is turned as its EXIF says, its pixels else the same', async () => {
    const { bytes, pixels, width, height } = ofName(turned)
    const { image } = ingestConfig.parse({ image: { encode_format: 'png', min_image_size: 1 } })
    const stored = await normaliseImage(bytes, 'p', image)
    const { data } = await decodePicture(stored.bytes, Number.POSITIVE_INFINITY)
    expect(stored).toMatchObject({ width: height, height: width })
    // A quarter clockwise: what was below left is above left.
    const below = 3 * (height - 1) * width
    expect([...data.subarray(0, 3)]).toEqual([...pixels.subarray(below, below + 3)])
  })
})

describe('a picture that is scaled', () => {
  it('keeps the colours below its transparency', async () => {
    const side = 40
    const samples = Buffer.from(
      Array.from({ length: side * side }, (_, at) => [200, 100, 50, at % side < 20 ? 0 : 255]).flat(),
    )
    const clear = await sharp(samples, { raw: { width: side, height: side, channels: 4 } })
      .png()
      .toBuffer()
    const { data, scale } = await decodePicture(clear, 10)
    expect(scale).toBe(0.25)
    expect(data).toHaveLength(300)
    for (let at = 0; at < 300; at += 3) expect([...data.subarray(at, at + 3)]).toEqual([200, 100, 50])
    const white = await rgbPicture(clear, await sharp(clear).metadata(), { onWhite: true })
    const laid = await white.raw().toBuffer()
    expect([...laid.subarray(0, 3), ...laid.subarray(-3)]).toEqual([255, 255, 255, 200, 100, 50])
  })

  it('has no profile applied before', async () => {
    const { data } = await decodePicture(ofName('with a profile.jpg').bytes, 7)
    const plain = await decodePicture(ofName('rgb.png').bytes, 7)
    // JPEG loses a little; the profile exchanges red and green.
    const differences = data.map((value, at) => Math.abs(value - plain.data[at]!))
    expect(differences.reduce((sum, value) => sum + value, 0) / data.length).toBeLessThan(12)
  })
})
