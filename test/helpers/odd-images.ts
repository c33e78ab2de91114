import { crc32 } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { pictureBombs } from './picture-bombs.js'

/** A picture of grain, 80 x 60 pixels by default. */
export const grain = (width = 80, height = 60): Sharp =>
  sharp({
    create: {
      width,
      height,
      channels: 3,
      background: '#000',
      noise: { type: 'gaussian', mean: 128, sigma: 50 },
    },
  })

/** A picture of one colour, which packs into few bytes. */
const flat = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#c33' } })

/** A PNG of a few bytes whose header claims any size. */
export async function claimingPng(width: number, height: number): Promise<Buffer> {
  const bytes = await grain().png().toBuffer()
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(height, 20)
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29)
  return bytes
}

/** An ISO media file of a brand with nothing in it that can be decoded. */
export function brandedBoxes(brand: string): Buffer {
  const box = Buffer.concat([Buffer.alloc(4), Buffer.from(`ftyp${brand}\0\0\0\0mif1${brand}`, 'latin1')])
  box.writeUInt32BE(box.length, 0)
  return Buffer.concat([box, Buffer.alloc(200)])
}

/** Frames of a moving GIF, from white to black. */
export const movingGif = (frames: number): Promise<Buffer> =>
  sharp(
    Buffer.concat(Array.from({ length: frames }, (_, at) => Buffer.alloc(30 * 20 * 3, at % 2 ? 0 : 255))),
    {
      raw: { width: 30, height: 20 * frames, channels: 3, pageHeight: 20 },
    },
  )
    .gif()
    .toBuffer()

/** Every odd picture that ingest has a decided outcome for, by what it is. */
export async function oddImages(): Promise<Readonly<Record<string, Uint8Array>>> {
  const jpeg = await grain().jpeg().toBuffer()
  const png = await grain().png().toBuffer()
  const webp = await grain().webp().toBuffer()
  const gif = await grain().gif().toBuffer()
  const tiff = await grain().tiff().toBuffer()
  const half = (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)
  const background = { r: 0, g: 0, b: 0, alpha: 0 }
  const clear = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 4, background } })
  return {
    JPEG: jpeg,
    'progressive JPEG': await grain().jpeg({ progressive: true }).toBuffer(),
    'JPEG with bytes after its end': Buffer.concat([jpeg, Buffer.from('<!-- from our cache -->')]),
    'JPEG of grey': await grain().greyscale().jpeg().toBuffer(),
    'JPEG in CMYK': await grain().toColourspace('cmyk').jpeg().toBuffer(),
    'JPEG turned by EXIF orientation 6': await grain().withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    'JPEG with a Display P3 profile': await grain().withIccProfile('p3').jpeg().toBuffer(),
    PNG: png,
    'PNG of 16 bits': await grain().toColourspace('rgb16').png().toBuffer(),
    'PNG with a palette': await grain().png({ palette: true, colours: 16 }).toBuffer(),
    'PNG that is all clear': await clear(40, 40).png().toBuffer(),
    WebP: webp,
    'moving WebP': await sharp(await movingGif(3), { animated: true })
      .webp()
      .toBuffer(),
    AVIF: await grain().avif({ effort: 0 }).toBuffer(),
    TIFF: tiff,
    'TIFF of two pages': await sharp(await movingGif(2), { animated: true })
      .tiff()
      .toBuffer(),
    'moving GIF of 3 frames': await movingGif(3),
    'moving GIF of more frames than max_pages': await movingGif(12),
    'JPEG cut in the middle': half(jpeg),
    'PNG cut in the middle': half(png),
    'WebP cut in the middle': half(webp),
    'GIF cut in the middle': half(gif),
    'TIFF cut in the middle': half(tiff),
    'PNG with damaged data': Buffer.from(png).fill(7, 800, 1200),
    'JPEG mark and then text': Buffer.concat([
      Buffer.from('\xff\xd8\xff', 'latin1'),
      Buffer.alloc(500, 'text '),
    ]),
    'first three bytes of a JPEG': jpeg.subarray(0, 3),
    zeros: Buffer.alloc(500),
    HEIC: brandedBoxes('heic'),
    'AVIF brand without a picture': brandedBoxes('avif'),
    'JPEG XL': Buffer.concat([Buffer.from('\xff\x0a', 'latin1'), Buffer.alloc(100)]),
    BMP: Buffer.concat([Buffer.from('BM\x36\x10\0\0\0\0\0\0\x36\0\0\0', 'latin1'), Buffer.alloc(4096)]),
    'icon (ICO)': Buffer.concat([Buffer.from('\0\0\x01\0\x01\0', 'latin1'), Buffer.alloc(200)]),
    SVG: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>'),
    'SVG that names a file': Buffer.from(
      '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    ),
    'tracking pixel, a GIF of 1 x 1': await clear(1, 1).gif().toBuffer(),
    'PNG of 4 x 300, a line': await grain(4, 300).png().toBuffer(),
    'PNG of 60,000 x 60,000 in a few kilobytes': await claimingPng(60_000, 60_000),
    'PNG of 2,000 x 2,000, over max_pixels': await claimingPng(2000, 2000),
    'JPEG of 900 x 700, over max_image_area': await grain(900, 700).jpeg().toBuffer(),
    'JPEG of 400 x 20, over max_aspect_ratio': await grain(400, 20).jpeg().toBuffer(),
    'PNG of 16 bits, over max_decoded_bytes': await flat(700, 700).toColourspace('rgb16').png().toBuffer(),
    ...(await pictureBombs()),
  }
}
