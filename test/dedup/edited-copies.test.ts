import { createHash } from 'node:crypto'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { drawnPicture, edits, plainPictures } from '../../bench/edited-copies.js'
import { random } from '../../src/base/random.js'
import { dedupConfig } from '../../src/dedup/config.js'
import { createCopyIndex } from '../../src/dedup/copy-index.js'
import { createDeduper } from '../../src/dedup/deduper.js'
import { bearsOut, isSamePicture } from '../../src/dedup/same-picture.js'
import { ingestConfig } from '../../src/ingest/config.js'
import { fingerprint } from '../../src/ingest/image/fingerprint.js'
import { normaliseImage } from '../../src/ingest/image/normalise-image.js'
import { fingerprintLayout, packFingerprint, readFingerprint } from '../../src/rows/fingerprint.js'

/** As an ingest stage makes it. */
async function printOf(picture: Buffer): Promise<Uint32Array> {
  const made = await normaliseImage(picture, 'p', ingestConfig.parse({}).image)
  return readFingerprint(made.fingerprint) as Uint32Array
}

const count = 20
let pictures: Buffer[] = []
let prints: Uint32Array[] = []
beforeAll(async () => {
  pictures = await Promise.all(Array.from({ length: count }, (_, seed) => drawnPicture(seed)))
  prints = await Promise.all(pictures.map(printOf))
})

function indexOf(mirrored = true) {
  const index = createCopyIndex(count, mirrored)
  for (const [at, print] of prints.entries()) index.add(print, 100 + at)
  return index
}

describe('edited copies', () => {
  it.each(Object.entries(edits))('are found: %s', async (name, edit) => {
    const index = indexOf()
    const edited = await Promise.all(pictures.map((picture, at) => edit(picture, random(name, at))))
    const found = (await Promise.all(edited.map(printOf))).map((print) => index.find(print))
    // Of another picture none.
    expect(found.filter((number, at) => number !== -1 && number !== 100 + at)).toEqual([])
    expect(found.filter((number) => number !== -1).length).toBeGreaterThanOrEqual(0.9 * count)
  })

  it('do not include mirror images where those are no copies', async () => {
    const flopped = await printOf(await sharp(pictures[3]).flop().jpeg().toBuffer())
    expect(indexOf().find(flopped)).toBe(103)
    expect(indexOf(false).find(flopped)).toBe(-1)
    expect(indexOf(false).find(prints[3]!)).toBe(103)
  })

  it('are not seen in different pictures, plain ones neither', async () => {
    const sets = [prints]
    // Screens of one program are too much alike.
    const { 'screens of one program': _, ...plain } = plainPictures
    for (const draw of Object.values(plain))
      sets.push(await Promise.all(Array.from({ length: 12 }, async (_, seed) => printOf(await draw(seed)))))
    for (const set of sets) {
      set.forEach((print, at) => {
        for (const other of set.slice(0, at)) expect(isSamePicture(print, other, true)).toBe(false)
      })
    }
  })

  it('are known by four keypoints as they were, or by many that have changed', () => {
    // So many of the keypoints are left, each with so many bits turned over.
    const draw = random('evidence')
    const codes = Array.from({ length: fingerprintLayout.keypoints }, () => draw.integer(2 ** 32))
    const withCodes = (codeOf: (at: number) => number) =>
      prints[0]!.map((word, at) => (at < 2 * codes.length && at % 2 === 0 ? codeOf(at / 2) : word))
    const picture = withCodes((at) => codes[at]!)
    const left = (count: number, bits: number) =>
      withCodes((at) => (at < count ? codes[at]! ^ (2 ** bits - 1) : draw.integer(2 ** 32)))
    const isKnown = (count: number, bits: number) => isSamePicture(picture, left(count, bits), true)
    expect([isKnown(4, 0), isKnown(3, 0)]).toEqual([true, false])
    expect([isKnown(10, 6), isKnown(9, 6)]).toEqual([true, false])
    expect(isKnown(16, 7)).toBe(false)
    // Of an edge there are many that look alike, and count as one.
    const edge = withCodes((at) => codes[at % 3]!)
    expect(isSamePicture(edge, edge, true)).toBe(false)
    // Near hashes want three fifths of them.
    expect([bearsOut(picture, left(10, 6)), bearsOut(picture, left(9, 0))]).toEqual([true, false])
  })

  it('are named by the first of them', () => {
    const index = createCopyIndex(3, true)
    for (const [number, at] of [0, 1, 1].entries()) index.add(prints[at]!, number)
    expect(index.find(prints[1]!)).toBe(1)
    expect(index.size).toBe(3)
    expect(() => index.add(prints[0]!, 4)).toThrow('made for 3 pictures')
  })

  it('are found among many that look alike in part, and many tables', () => {
    // Each shares all keypoints but its colours with the last one: codes that too many have are not remembered.
    const capacity = 300_000
    const index = createCopyIndex(capacity, true)
    const draw = random('many')
    const odd = Uint32Array.from(prints[0]!)
    odd.fill(0, 2 * fingerprintLayout.keypoints)
    for (let number = 0; number < 200; number++) index.add(odd, number)
    const word = () => draw.integer(2 ** 32)
    const others = Array.from({ length: 500 }, () =>
      Uint32Array.from({ length: fingerprintLayout.words }, () => word() | 1),
    )
    for (const [at, other] of others.entries()) index.add(other, 1000 + at)
    expect(others.map((other) => index.find(other))).toEqual(others.map((_, at) => 1000 + at))
    expect(index.find(prints[0]!)).toBe(-1)
    expect(index.find(odd)).toBe(0)
  })
})

describe('a fingerprint', () => {
  it('is read as it was written, and nothing else is one', () => {
    const colours = Uint8Array.from({ length: 48 }, (_, at) => 5 * at)
    const text = packFingerprint(
      [{ x: 9.25, y: 54.75, code: 0xfedcba98, mirrored: true, unsure: [1, 17, 31] }],
      colours,
    )
    const words = readFingerprint(text) as Uint32Array
    expect([...words.slice(0, 3)]).toEqual([0xfedcba98, 0xfc43_db25, 0])
    expect(new Uint8Array(words.buffer, 4 * 32)).toEqual(colours)
    const longer = `${text.slice(0, -1)}A`
    for (const other of ['', null, undefined, text.slice(4), longer, '*'.repeat(text.length)])
      expect(readFingerprint(other)).toBeUndefined()
  })

  it('is the same as ever', () => {
    // Stored ones are compared with those of later versions: what of this changes makes all of them useless.
    const made = createHash('sha256')
    for (const [width, height, channels] of [
      [256, 192, 3],
      [256, 256, 1],
      [72, 64, 3],
      [64, 50, 3],
      [500, 333, 3],
    ] as const) {
      const draw = random(width, height)
      const data = new Uint8Array(width * height * channels)
      for (let shape = 0; shape < 60; shape++) {
        const [x, y, radius] = [draw.integer(width), draw.integer(height), 2 + draw.integer(width / 8)]
        const colour = Array.from({ length: channels }, () => draw.integer(256))
        for (let at = 0; at < width * height; at++)
          if (((at % width) - x) ** 2 + (Math.floor(at / width) - y) ** 2 < radius ** 2)
            data.set(colour, channels * at)
      }
      made.update(fingerprint({ data, width, height, channels }))
    }
    expect(made.digest('hex')).toBe('98cc2901315aed7770f0eebce67e938985f2f961b4b37fa62492b21653bff0ef')
  })

  it('of one colour has no keypoints, and is like no other', () => {
    const flat = (grey: number) =>
      readFingerprint(
        fingerprint({ data: new Uint8Array(40 * 30).fill(grey), width: 40, height: 30, channels: 1 }),
      ) as Uint32Array
    expect(
      flat(9)
        .slice(0, 32)
        .every((word) => word === 0),
    ).toBe(true)
    expect(isSamePicture(flat(9), flat(9), true)).toBe(false)
  })
})

describe('judging', () => {
  const judged = (at: number, print: string | null) => ({
    ...{ url: null, sha256: String(at), phash: 'f'.repeat(16), fingerprint: print },
  })

  it('says how many could not be compared, which by their hashes are', () => {
    const deduper = createDeduper(4, dedupConfig.parse({}), [])
    expect(deduper.judge(judged(0, null), 0)).toBeUndefined()
    expect(deduper.judge(judged(1, null), 1)).toEqual({ reason: 'near_duplicate', of: 0 })
    expect(deduper.withoutFingerprint).toBe(2)
    const plain = createDeduper(4, dedupConfig.parse({ edited: false }), [])
    plain.judge(judged(0, null), 0)
    expect(plain.withoutFingerprint).toBe(0)
  })
})
