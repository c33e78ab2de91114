import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { contactSheet } from '../../src/render/contact-sheet.js'
import { type Drawing, drawRegions } from '../../src/render/draw-regions.js'
import { palette } from '../../src/render/phrase-colours.js'
import type { Region } from '../../src/rows/rows.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const picture = async (width: number, height: number) =>
  new Uint8Array(
    await sharp({ create: { width, height, channels: 3, background: '#808080' } })
      .jpeg()
      .toBuffer(),
  )

const text = 'a red dog 🐕 & a <cat>'
function region(words: string, phrase: number, xyxy: Xyxy, origin = 'gold'): Region {
  const before = text.slice(0, text.indexOf(words))
  const start = [...before].length
  return { caption: 0, phrase, start, end: start + [...words].length, xyxy, score: 0.5, origin }
}

async function drawing(width: number, height: number, regions: Region[]): Promise<Drawing> {
  const captions = [{ text, kind: 'web' as const }]
  return { bytes: await picture(width, height), width, height, captions, regions, title: 'key' }
}

/** Pixels of a PNG, with how many of each colour there are below and above a line. */
async function pixels(png: Buffer) {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
  const at = (x: number, y: number) => {
    const place = (y * info.width + x) * info.channels
    return `#${data.subarray(place, place + 3).toString('hex')}`
  }
  const count = (colour: string, from: number, to: number) => {
    let found = 0
    for (let y = from; y < to; y++) for (let x = 0; x < info.width; x++) if (at(x, y) === colour) found++
    return found
  }
  return { ...info, at, count }
}

describe('a drawing', () => {
  it('has each box in its place and its phrase in the same colour below', async () => {
    const regions = [region('a red dog', 0, [60, 60, 260, 160]), region('a <cat>', 1, [400, 200, 600, 400])]
    const png = await pixels(await drawRegions(await drawing(640, 480, regions)))
    expect(png.width).toBe(640)
    regions.forEach(({ xyxy: [x1, y1, x2, y2] }, index) => {
      const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2]
      for (const place of [
        [x1, y],
        [x2, y],
        [x, y2],
      ] as const) {
        expect(png.at(...place)).toBe(palette[index])
      }
      expect(png.at(x, y)).not.toBe(palette[index])
      expect(png.count(palette[index], 480, png.height)).toBeGreaterThan(20)
    })
    expect(png.count(palette[2], 0, png.height)).toBe(0)
  })

  it('shows the score of what a teacher found, and none of gold', async () => {
    const one = await pixels(
      await drawRegions(await drawing(640, 480, [region('a red dog', 0, [60, 60, 260, 160])])),
    )
    const teacher = await pixels(
      await drawRegions(await drawing(640, 480, [region('a red dog', 0, [60, 60, 260, 160], 'toy')])),
    )
    expect(teacher.count(palette[0], 43, 58)).toBeGreaterThan(one.count(palette[0], 43, 58) + 300)
  })

  it('enlarges what is small, and takes what is narrow, transparent, grey or without boxes', async () => {
    const small = await pixels(
      await drawRegions(await drawing(128, 128, [region('a red dog', 0, [32, 32, 64, 64])])),
    )
    expect(small.width).toBe(384)
    expect(small.at(96, 140)).toBe(palette[0])
    expect((await pixels(await drawRegions(await drawing(10, 400, [])))).width).toBe(384)
    const large = await pixels(await drawRegions(await drawing(4000, 2000, [])))
    expect([large.width, large.height < 640]).toEqual([640, true])
    for (const background of ['#80808080', { r: 90, g: 90, b: 90, alpha: 0 }]) {
      const bytes = await sharp({ create: { width: 50, height: 50, channels: 4, background } })
        .png()
        .toBuffer()
      const given = { ...(await drawing(50, 50, [])), bytes: new Uint8Array(bytes) }
      expect((await pixels(await drawRegions(given))).channels).toBe(3)
    }
    const grey = await sharp({ create: { width: 50, height: 50, channels: 3, background: '#505050' } })
      .greyscale()
      .jpeg()
      .toBuffer()
    const given = { ...(await drawing(50, 50, [])), bytes: new Uint8Array(grey) }
    expect((await pixels(await drawRegions(given))).at(100, 100)).toBe('#505050')
  })

  it('has letters on a machine without fonts', async () => {
    const folder = await temporaryFolder()
    const config = join(folder, 'fonts.conf')
    await writeFile(config, `<fontconfig><dir>${folder}</dir><cachedir>${folder}</cachedir></fontconfig>`)
    // Without letters, every character is the same empty square.
    const script = `
      import { createHash } from 'node:crypto'
      import { drawRegions } from './src/render/draw-regions.ts'
      const bytes = Buffer.from('${Buffer.from(await picture(20, 20)).toString('base64')}', 'base64')
      for (const title of ['zebra', 'tiger']) {
        const png = await drawRegions({ bytes, width: 20, height: 20, captions: [], regions: [], title })
        console.log(createHash('sha256').update(png).digest('hex'))
      }`
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      { env: { ...process.env, FONTCONFIG_FILE: config } },
    )
    const [one, other] = stdout.trim().split('\n')
    expect(one).toMatch(/^[0-9a-f]{64}$/)
    expect(other).toMatch(/^[0-9a-f]{64}$/)
    expect(other).not.toBe(one)
  })

  it('takes any text, and makes room for all of it', async () => {
    const hostile = '"></text><script> \u0000\u000b\ud800 ]]> & \u202e'
    const long = `${'word '.repeat(60)}${'x'.repeat(200)}`
    const base = await drawing(300, 100, [])
    const height = async (words: string) =>
      (await pixels(await drawRegions({ ...base, title: words, captions: [{ text: words, kind: 'web' }] })))
        .height
    expect(await height(long)).toBeGreaterThan((await height(hostile)) + 10 * 20)
  })
})

describe('a contact sheet', () => {
  it('has the drawings in rows', async () => {
    const one = await drawing(640, 480, [region('a red dog', 0, [60, 60, 260, 160])])
    const sheet = async (count: number) =>
      pixels(await contactSheet(Array(count).fill(one), { columns: 2, side: 400 }))
    const [single, pair, three] = [await sheet(1), await sheet(2), await sheet(3)]
    expect([single.width, pair.width, three.width]).toEqual([424, 836, 836])
    expect(pair.height).toBe(single.height)
    expect(three.height - 12).toBe(2 * (single.height - 12))
    const colour = single.count(palette[0], 0, single.height)
    expect(three.count(palette[0], 0, three.height)).toBe(3 * colour)
    expect((await sheet(0)).height).toBe(12)
  })
})
