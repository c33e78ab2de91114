import { describe, expect, it } from 'vitest'
import { barePicture } from '../../src/pictures/bare-picture.js'
import { orientationExif } from '../../src/pictures/orientation-exif.js'
import { readMetadata } from '../../src/pictures/read-metadata.js'
import { sniffImage } from '../../src/pictures/sniff-image.js'
import { grain } from '../helpers/odd-images.js'
import { framesWebp, pointingExif, pointingJpeg, scansJpeg, textPng } from '../helpers/picture-bombs.js'

const look = (bytes: Uint8Array) => barePicture(bytes, sniffImage(bytes) as 'jpeg')
/** With a profile, EXIF and XMP, turned. */
const dressed = () =>
  grain(60, 40)
    .withMetadata({ orientation: 6 })
    .withIccProfile('p3')
    .withExifMerge({ IFD0: { Copyright: 'somebody' } })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')

describe('a picture for a decoder', () => {
  it.each(['jpeg', 'png', 'webp'] as const)('of %s is turned, and bare of all else', async (format) => {
    const bytes = await dressed().toFormat(format, { quality: 90, lossless: true }).toBuffer()
    const before = await readMetadata(bytes)
    expect(before).toMatchObject({ orientation: 6, hasProfile: true })
    expect(before.xmp).toBeDefined()
    const { bytes: bare, scans, isOdd } = look(bytes)
    expect({ scans, isOdd }).toEqual({ scans: 1, isOdd: false })
    const after = await readMetadata(bare)
    expect(after).toMatchObject({ format, width: 60, height: 40, orientation: 6, hasProfile: false })
    expect(after.xmp).toBeUndefined()
    expect(Buffer.from(bare).includes('somebody')).toBe(false)
    expect(look(bare).bytes.length).toBe(bare.length)
  })

  it.each(['jpeg', 'png', 'webp', 'gif'] as const)(
    'of %s stays as it is where there is nothing to take off',
    async (format) => {
      const plain = look(await grain().toFormat(format).toBuffer()).bytes
      expect(look(plain).bytes).toEqual(plain)
    },
  )

  it('has its scans counted', async () => {
    const scansOf = async (options: object) => look(await grain(300, 200).jpeg(options).toBuffer()).scans
    expect(await scansOf({})).toBe(1)
    expect(await scansOf({ progressive: true })).toBe(10)
    expect(look(scansJpeg(90, 60, 77)).scans).toBe(77)
    // A mark within the bits of a scan, a restart, is none of a new one.
    const bytes = scansJpeg(900, 600, 3)
    bytes.set([0xff, 0xd0, 0xff, 0x00], bytes.indexOf(Buffer.from([0xff, 0xda])) + 12)
    expect(look(bytes).scans).toBe(3)
  })

  it('has its header read as libvips reads it, or not at all', async () => {
    const read = ['format', 'width', 'height', 'channels', 'depth', 'space', 'isProgressive'] as const
    const more = ['hasAlpha', 'hasProfile', 'orientation', 'pages'] as const
    const picked = (of: Awaited<ReturnType<typeof readMetadata>> | undefined) =>
      Object.fromEntries([...read, ...more].map((key) => [key, of?.[key]]))
    const plain = [
      await grain(60, 40).jpeg().toBuffer(),
      await grain(61, 39).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
      await grain(1, 700).greyscale().jpeg({ mozjpeg: true }).toBuffer(),
      await grain(60, 40).withIccProfile('p3').jpeg().toBuffer(),
    ]
    for (const bytes of plain) {
      const bare = look(bytes)
      expect(bare.metadata).toBeDefined()
      expect(picked(bare.metadata)).toEqual(picked(await readMetadata(bare.bytes)))
    }
    const [first] = plain as [Buffer]
    const noHeight = Buffer.from(first)
    noHeight.writeUInt16BE(0, noHeight.indexOf(Buffer.from([0xff, 0xc0])) + 5)
    const turned = await dressed().jpeg().toBuffer()
    const inks = await grain().toColourspace('cmyk').jpeg().toBuffer()
    for (const bytes of [noHeight, turned, inks, first.subarray(0, 100)])
      expect(look(bytes).metadata).toBeUndefined()
  })

  it('is odd where a decoder may find more than the header says', async () => {
    expect(look(await framesWebp(3)).isOdd).toBe(false)
    expect(look(await framesWebp(1001)).isOdd).toBe(true)
    expect(look(await grain().tiff().toBuffer()).isOdd).toBe(true)
    expect(look(await grain().avif({ effort: 0 }).toBuffer()).isOdd).toBe(true)
    const gainMap = Buffer.concat([
      (await grain().jpeg().toBuffer()).subarray(0, 2),
      Buffer.from('\xff\xe1\0\x0ehdrgm:Versio', 'latin1'),
      (await grain().jpeg().toBuffer()).subarray(2),
    ])
    expect(look(gainMap)).toEqual({ bytes: gainMap, scans: 1, isOdd: true })
  })

  it('loses what is many times what it says', async () => {
    expect(look(await textPng(3, 1_000_000)).bytes.length).toBeLessThan(400)
    expect(look(await pointingJpeg(5000)).bytes.length).toBeLessThan(1000)
  })
})

it('EXIF keeps its orientation alone, in either order of bytes', () => {
  const expected = pointingExif(0)
  expect(orientationExif(pointingExif(900))).toEqual(expected)
  expect(orientationExif(pointingExif(3).subarray(6))).toEqual(expected)
  const big = Buffer.from(
    'MM\0*\0\0\0\x08\0\x02\x01\x0f\0\x02\0\0\0\x01a\0\0\0\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0',
    'latin1',
  )
  expect(Buffer.from(orientationExif(big) ?? []).toString('latin1')).toBe(
    'Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0',
  )
  for (const length of [0, 5, 9, 14, 16, 20, 27])
    expect(orientationExif(expected.subarray(0, length))).toBeUndefined()
})
