import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { mostMemory } from '../../src/pictures/decode-cost.js'
import { decodeInProcess } from '../../src/pictures/decode-process.js'
import { decodeSafely } from '../../src/pictures/decode-safely.js'
import type { DecodeWork } from '../../src/pictures/decode-work.js'
import { decodePicture, pictureWork } from '../../src/pictures/picture.js'
import { readMetadata } from '../../src/pictures/read-metadata.js'
import { runBounded } from '../helpers/bounded.js'
import { compiledProgram } from '../helpers/compiled.js'
import { claimingPng, grain } from '../helpers/odd-images.js'
import { scansJpeg } from '../helpers/picture-bombs.js'

/** Work that another process finds without a file. */
const workOf = (run: string): DecodeWork<null, unknown> => ({
  module: `data:text/javascript,export const work = { run: ${encodeURIComponent(run)} }`,
  name: 'work',
  run: () => Promise.reject(new Error('not here')),
})

describe('pictures that are made to take the machine', () => {
  it('do not take it', async () => {
    const { code, out } = await runBounded([compiledProgram('pictures/decode-bombs')], {
      megabytes: 600,
      seconds: 60,
    })
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      'JPEG of 4,000 empty scans': 'too_many_scans',
      'JPEG of 100 scans': '90 x 60',
      'JPEG whose EXIF points at itself 5,000 times': '64 x 64',
      'PNG with texts of 100 MB in 100 kB': '64 x 64',
      'moving WebP of 4,000 frames': 'too_many_pages',
      'TIFF of 30,000 tags that each fill the file': 'decode_error',
      'AVIF of 3,000 x 3,000 that claims 64 x 64': 'decode_error',
    })
  })

  it('at once have no more memory than the budget', async () => {
    // 28 megapixels of 7 bytes: ten have room in 2 GB.
    const bytes = await claimingPng(5300, 5300)
    const memory = 5300 * 5300 * 7
    let running = 0
    let most = 0
    const work: DecodeWork<null, void> = {
      module: import.meta.url,
      name: 'none',
      async run() {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setTimeout(resolve, 20))
        running--
      },
    }
    await Promise.all(Array.from({ length: 25 }, () => decodeSafely(work, bytes, null)))
    expect(running).toBe(0)
    expect(most).toBe(Math.floor(mostMemory / memory))
  })

  it('ask for more memory than all may have', async () => {
    await expect(decodePicture(await claimingPng(20_000, 20_000), 99, 'a/b')).rejects.toThrow(
      'the picture a/b cannot be decoded: 20000 x 20000 pixels, 2800 MB of memory to decode them, 2000 allowed',
    )
    await expect(decodePicture(scansJpeg(80, 80, 101), 99)).rejects.toMatchObject({
      reason: 'too_many_scans',
      message: '101 scans, 100 allowed',
    })
    await expect(decodePicture(Buffer.from('<svg width="9" height="9"></svg>'), 99)).rejects.toThrow(
      'not a picture of a known format',
    )
  })
})

describe('a process that decodes', () => {
  const allow = async () => 0

  it('gives what is given here', async () => {
    const bytes = await grain(300, 200).jpeg({ progressive: true }).toBuffer()
    const options = { maxSide: 100 }
    const here = await pictureWork.run(bytes, await readMetadata(bytes), options)
    const there = await decodeInProcess(pictureWork, bytes, options, async ({ width, height }) => {
      expect([width, height]).toEqual([300, 200])
      return 0
    })
    expect(Buffer.compare(here.data, there.data)).toBe(0)
    expect({ ...there, data: null }).toEqual({ ...here, data: null })
  })

  it('is ended where it takes too long, and another takes its place', async () => {
    const bomb = scansJpeg(3000, 3000, 20_000)
    await expect(
      decodeInProcess(pictureWork, bomb, { maxSide: 99 }, async () => 1e9, 0.2),
    ).rejects.toMatchObject({ reason: 'decode_timeout', message: expect.stringContaining('0.2 seconds') })
  })

  it('is ended where it takes more memory than it may', async () => {
    const hog =
      'async () => { for (const held = [];; held.push(Buffer.alloc(5e6, 1))) await new Promise(setImmediate) }'
    const bytes = await grain().png().toBuffer()
    await expect(decodeInProcess(workOf(hog), bytes, null, allow)).rejects.toMatchObject({
      reason: 'too_much_memory',
    })
  })

  it('tells of a decoder that ends on the way, and of what is thrown', async () => {
    const bytes = await grain().png().toBuffer()
    await expect(
      decodeInProcess(workOf('async () => { throw new Error("no such thing") }'), bytes, null, allow),
    ).rejects.toThrow('no such thing')
    await expect(decodeInProcess(workOf('() => process.exit(7)'), bytes, null, allow)).rejects.toThrow(
      'its decoder ended with code 7',
    )
    const picture = await decodeInProcess(pictureWork, bytes, { maxSide: 99 }, allow)
    expect(picture.width).toBe(80)
  })

  it('decodes nothing that its limits refuse', async () => {
    const refuse = () => Promise.reject(new Error('refused'))
    const bytes = await sharp({ create: { width: 9, height: 9, channels: 3, background: '#c33' } })
      .png()
      .toBuffer()
    await expect(decodeInProcess(pictureWork, bytes, { maxSide: 99 }, refuse)).rejects.toThrow('refused')
  })
})
