import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import sharp, { type Sharp } from 'sharp'
import { describe, expect, it } from 'vitest'
import { ingestConfig } from '../../../src/ingest/config.js'
import { normaliseImage } from '../../../src/ingest/image/normalise-image.js'

const noise = (width: number, height: number): Sharp =>
  sharp({
    create: {
      width,
      height,
      channels: 3,
      background: '#000',
      noise: { type: 'gaussian', mean: 128, sigma: 60 },
    },
  })
const normalise = (bytes: Uint8Array, image: object = {}) =>
  normaliseImage(bytes, 'p', ingestConfig.parse({ image }).image)
const outcome = (bytes: Uint8Array, image: object = {}) =>
  normalise(bytes, image).then(
    () => 'kept',
    (error: { reason: string }) => error.reason,
  )

/** A sweep from dark to light: any order of its pixels shows. */
const sweep = (width: number, height: number) =>
  sharp(
    Buffer.from(Array.from({ length: width * height }, (_, at) => Math.floor(((at % width) / width) * 256))),
    { raw: { width, height, channels: 1 } },
  )

const encoders = {
  jpeg: (image: Sharp) => image.jpeg(),
  'progressive jpeg': (image: Sharp) => image.jpeg({ progressive: true }),
  png: (image: Sharp) => image.png(),
  webp: (image: Sharp) => image.webp(),
  gif: (image: Sharp) => image.gif(),
  avif: (image: Sharp) => image.avif({ effort: 0 }),
  tiff: (image: Sharp) => image.tiff(),
} as const
const encoded = Object.fromEntries(
  await Promise.all(
    Object.entries(encoders).map(async ([name, encode]) => [name, await encode(noise(120, 90)).toBuffer()]),
  ),
) as Record<keyof typeof encoders, Buffer>

describe('a picture', () => {
  it.each(Object.entries(encoded))('of %s becomes a JPEG of its size', async (name, bytes) => {
    const kept = await normalise(bytes)
    expect(kept).toMatchObject({ width: 120, height: 90, scale: 1 })
    expect(await sharp(kept.bytes).metadata()).toMatchObject({ format: 'jpeg', width: 120, height: 90 })
    expect(Buffer.from(kept.bytes).equals(bytes)).toBe(name.includes('jpeg'))
    expect(kept.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
  })

  it('cut anywhere is truncated', async () => {
    const format = fc.constantFrom('jpeg', 'progressive jpeg', 'png', 'webp', 'gif', 'avif')
    await fc.assert(
      fc.asyncProperty(format, fc.double({ min: 0.01, max: 0.98, noNaN: true }), async (name, part) => {
        const bytes = encoded[name as keyof typeof encoders]
        expect(await outcome(bytes.subarray(0, Math.max(40, Math.floor(bytes.length * part))))).toBe(
          'truncated',
        )
      }),
      { numRuns: 60 },
    )
    // A TIFF whose tables come first, of 100 x 100 samples in two strips of which the second ends too early.
    const tags = [
      [256, 3, 1, 100],
      [257, 3, 1, 100],
      [258, 3, 1, 8],
      [259, 3, 1, 1],
      [262, 3, 1, 1],
      [273, 4, 2, 112],
      [278, 3, 1, 50],
      [279, 4, 2, 120],
    ] as const
    const tiff = Buffer.alloc(128 + 10_000, 90)
    tiff.write('II*\0', 0, 'latin1')
    tiff.writeUInt32LE(8, 4)
    tiff.writeUInt16LE(tags.length, 8)
    for (const [index, [tag, type, number, value]] of tags.entries()) {
      tiff.writeUInt16LE(tag, 10 + 12 * index)
      tiff.writeUInt16LE(type, 12 + 12 * index)
      tiff.writeUInt32LE(number, 14 + 12 * index)
      tiff.writeUInt32LE(value, 18 + 12 * index)
    }
    tiff.writeUInt32LE(0, 106)
    for (const [at, value] of [128, 5128, 5000, 5000].entries()) tiff.writeUInt32LE(value, 112 + 4 * at)
    expect(await outcome(tiff)).not.toBe('truncated')
    expect(await outcome(tiff.subarray(0, 8000))).toBe('truncated')
    // The tables of other TIFFs come last, and without them nothing can be read.
    expect(await outcome(encoded.tiff.subarray(0, encoded.tiff.length >> 1))).toBe('truncated')
  })

  it.each([
    ['a web page', '\n <!DOCTYPE html><html>', /web page/],
    ['a web page with a byte order mark', '\uFEFF<html>', /web page/],
    ['a drawing', '<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>', /drawing/],
    ['a text', 'gone', /not a picture/],
    ['a PDF', '%PDF-1.7', /not a picture/],
  ])('that is %s is none', async (_, text, detail) => {
    const rejected = normalise(Buffer.from(text))
    await expect(rejected).rejects.toMatchObject({ name: 'Reject', reason: 'not_image' })
    await expect(rejected).rejects.toThrow(detail)
  })

  it('of damaged data is a decode error', async () => {
    expect(await outcome(Buffer.from(encoded.png).fill(7, 600, 900))).toBe('decode_error')
    expect(await outcome(Buffer.concat([Buffer.from('II*\0\x08\0\0\0'), Buffer.alloc(50, 7)]))).toBe(
      'decode_error',
    )
  })

  it('is measured before it is decoded', async () => {
    // A header that claims 280 million pixels, more than sharp by itself would look at.
    const bytes = Buffer.from(encoded.png)
    bytes.writeUInt32BE(20_000, 16)
    bytes.writeUInt32BE(14_000, 20)
    bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29)
    expect(await outcome(bytes)).toBe('too_many_pixels')
    expect(await outcome(encoded.jpeg, { max_pixels: 120 * 90 })).toBe('kept')
    expect(await outcome(encoded.jpeg, { max_pixels: 120 * 90 - 1 })).toBe('too_many_pixels')
    expect(await outcome(encoded.jpeg, { min_image_size: 90 })).toBe('kept')
    expect(await outcome(encoded.jpeg, { min_image_size: 91 })).toBe('too_small')
  })

  it('is scaled down to its longer side, or not at all', async () => {
    expect(await normalise(encoded.jpeg, { image_size: 60 })).toMatchObject({
      width: 60,
      height: 45,
      scale: 0.5,
    })
    const whole = await normalise(encoded.jpeg, { image_size: 60, resize: 'no' })
    expect(whole).toMatchObject({ width: 120, height: 90, scale: 1 })
    expect(Buffer.from(whole.bytes).equals(encoded.jpeg)).toBe(true)
    expect(await normalise(encoded.jpeg, { image_size: 600 })).toMatchObject({ width: 120, height: 90 })
  })

  it('gets a white border to a square, or is cropped to its middle', async () => {
    const dark = await sweep(300, 100).png().toBuffer()
    const pixel = async (bytes: Uint8Array, x: number, y: number) => {
      const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true })
      return data[(y * info.width + x) * info.channels]
    }
    const bordered = await normalise(dark, { resize: 'border', image_size: 90 })
    expect(bordered).toMatchObject({ width: 90, height: 90, scale: 0.3, offset: [0, 30] })
    expect(await pixel(bordered.bytes, 5, 5)).toBeGreaterThan(245)
    expect(await pixel(bordered.bytes, 5, 45)).toBeLessThan(60)
    const cropped = await normalise(dark, { resize: 'center_crop', image_size: 50 })
    expect(cropped).toMatchObject({ width: 50, height: 50, scale: 0.5, offset: [-50, 0] })
    expect(Math.abs((await pixel(cropped.bytes, 25, 25)) - 128)).toBeLessThan(12)
    expect(await normalise(dark, { resize: 'keep_ratio', image_size: 50 })).toMatchObject({
      width: 150,
      height: 50,
    })
  })

  it('is stored in the format that is asked for, and anew only where it must be', async () => {
    for (const [encode_format, name] of [
      ['jpg', 'jpeg'],
      ['png', 'png'],
      ['webp', 'webp'],
    ] as const) {
      for (const from of ['jpeg', 'png', 'webp'] as const) {
        const kept = await normalise(encoded[from], { encode_format })
        expect((await sharp(kept.bytes).metadata()).format).toBe(name)
        expect(Buffer.from(kept.bytes).equals(encoded[from])).toBe(from === name)
        const skipped = await normalise(encoded[from], { encode_format, skip_reencode: true })
        expect(Buffer.from(skipped.bytes).equals(encoded[from])).toBe(true)
      }
      const resized = await normalise(encoded.png, { encode_format, skip_reencode: true, image_size: 60 })
      expect(await sharp(resized.bytes).metadata()).toMatchObject({ format: name, width: 60 })
    }
  })

  it('keeps its colour profile and EXIF with its bytes; encoded anew it has neither, its samples the same', async () => {
    const red = sharp({ create: { width: 50, height: 50, channels: 3, background: '#f00' } })
    for (const profile of ['p3', 'srgb']) {
      const own = await red
        .clone()
        .withIccProfile(profile)
        .withExif({ IFD0: { Copyright: 'A. Photographer' } })
        .jpeg({ quality: 100 })
        .toBuffer()
      expect(Buffer.from((await normalise(own)).bytes).equals(own)).toBe(true)
      const smaller = (await normalise(own, { image_size: 20, quality: 100 })).bytes
      const metadata = await sharp(smaller).metadata()
      expect([metadata.icc, metadata.exif]).toEqual([undefined, undefined])
      const [before, after] = await Promise.all(
        [own, Buffer.from(smaller)].map((bytes) => sharp(bytes, { ignoreIcc: true }).raw().toBuffer()),
      )
      // The red of sRGB has green in it where its samples are of Display P3.
      for (const channel of [0, 1, 2])
        expect(Math.abs(before![channel]! - after![channel]!)).toBeLessThanOrEqual(2)
      expect(before![1]! > 30).toBe(profile === 'p3')
    }
  })

  it('is turned upright, and its mark of having been turned is gone', async () => {
    const bytes = await sharp(await sweep(90, 60).jpeg().toBuffer())
      .withMetadata({ orientation: 6 })
      .toBuffer()
    const kept = await normalise(bytes)
    expect(kept).toMatchObject({ width: 60, height: 90 })
    expect((await sharp(kept.bytes).metadata()).orientation ?? 1).toBe(1)
    // Left was dark; turned a quarter clockwise, the top is.
    const { data, info } = await sharp(kept.bytes).raw().toBuffer({ resolveWithObject: true })
    const at = (x: number, y: number) => data[(y * info.width + x) * info.channels]
    expect(at(30, 5)).toBeLessThan(60)
    expect(at(30, 85)).toBeGreaterThan(200)
  })

  it('that moves gives its first frame; what is clear keeps its colours, or becomes white', async () => {
    const frames = [Buffer.alloc(30 * 20 * 3, 255), Buffer.alloc(30 * 20 * 3, 0)]
    const moving = await sharp(Buffer.concat(frames), {
      raw: { width: 30, height: 40, channels: 3, pageHeight: 20 },
    })
      .gif()
      .toBuffer()
    expect((await sharp(moving).metadata()).pages).toBe(2)
    const still = await normalise(moving)
    expect(still).toMatchObject({ width: 30, height: 20 })
    expect((await sharp(still.bytes).stats()).channels[0].min).toBeGreaterThan(250)

    const background = { r: 0, g: 0, b: 0, alpha: 0 }
    const clear = await sharp({ create: { width: 40, height: 40, channels: 4, background } })
      .png()
      .toBuffer()
    const { channels } = await sharp((await normalise(clear, { transparency: 'white' })).bytes).stats()
    expect(channels).toHaveLength(3)
    expect(channels[0].min).toBeGreaterThan(250)
    for (const image of [{}, { transparency: 'drop' }])
      expect((await sharp((await normalise(clear, image)).bytes).stats()).channels[0].max).toBeLessThan(5)
  })

  it('of four inks, of 16 bits or of greys is stored in sRGB of 8 bits', async () => {
    const inks = await noise(50, 50).toColourspace('cmyk').jpeg().toBuffer()
    const deep = await noise(50, 50).toColourspace('rgb16').png().toBuffer()
    const grey = await sweep(50, 50).jpeg().toBuffer()
    for (const bytes of [inks, deep, grey]) {
      const stored = await sharp((await normalise(bytes)).bytes).metadata()
      expect(stored).toMatchObject({ space: 'srgb', channels: 3, depth: 'uchar' })
    }
  })

  it('has a hash that outlives scaling and encoding, and tells mirrored pictures apart', async () => {
    const image = await sweep(200, 160).jpeg().toBuffer()
    const { phash } = await normalise(image)
    // Each pixel of a sweep is darker than its right neighbour; of a mirrored one brighter.
    expect(phash).toBe('0000000000000000')
    expect((await normalise(await sharp(image).flop().jpeg().toBuffer())).phash).toBe('ffffffffffffffff')
    const blobs = await sharp(await noise(9, 8).png().toBuffer())
      .resize(360, 320)
      .jpeg()
      .toBuffer()
    const small = await sharp(blobs).resize(180, 160).webp({ quality: 70 }).toBuffer()
    const [a, b] = [await normalise(blobs), await normalise(small)].map((kept) => BigInt(`0x${kept.phash}`))
    expect((a ^ b).toString(2).replaceAll('0', '').length).toBeLessThanOrEqual(6)
    const other = await sharp(await noise(9, 8).png().toBuffer())
      .resize(360, 320)
      .jpeg()
      .toBuffer()
    const c = BigInt(`0x${(await normalise(other)).phash}`)
    expect((a ^ c).toString(2).replaceAll('0', '').length).toBeGreaterThan(6)
  })
})
