import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, it } from 'vitest'
import type { Xyxy } from '../../../src/boxes/xyxy.js'
import type { Phrase } from '../../../src/rows/rows.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { openRegionScorer } from '../../../src/teacher/region-scorer.js'
import { clip } from '../../../src/verify/judges/clip.js'
import { picture } from '../../teacher/pictures.js'

const folder = join(import.meta.dirname, '../../filter/fixtures/clip')
const { width, height, data } = picture(0)
const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
  .png()
  .toBuffer()
const cases = JSON.parse(readFileSync(`${folder}.json`, 'utf8')) as {
  xyxy: Xyxy
  text: string
  score: number
}[]
const [one] = cases as [(typeof cases)[0]]

it('what is in a box is embedded once for many texts', async () => {
  const scorer = await openRegionScorer(folder)
  try {
    const texts = [...new Set(cases.map(({ text }) => text))]
    const regions = [...new Set(cases.map(({ xyxy }) => xyxy.join()))].map((name) => ({
      xyxy: name.split(',').map(Number) as unknown as Xyxy,
      texts,
    }))
    const cosines = await scorer.cosines(bytes, regions, 0)
    for (const { xyxy, text, score } of cases) {
      const region = regions.findIndex((one) => one.xyxy.join() === xyxy.join())
      const found = cosines[region]?.[texts.indexOf(text)] ?? Number.NaN
      expect(Math.abs(Math.max(0, found) - score)).toBeLessThan(1e-4)
    }
    const wider = await scorer.cosines(bytes, regions, 1)
    expect(wider).not.toEqual(cosines)
    // The box that a wider one is cut from.
    const [x1, y1, x2, y2] = one.xyxy
    const [x, y] = [(x2 - x1) / 2, (y2 - y1) / 2]
    const same = await scorer.cosines(bytes, [{ xyxy: [x1 - x, y1 - y, x2 + x, y2 + y], texts }], 0)
    expect(same[0]).toEqual((await scorer.cosines(bytes, [{ xyxy: one.xyxy, texts }], 1))[0])
  } finally {
    await scorer.close()
  }
})

it('CLIP judges a box by how likely its phrase is among other phrases of its caption and neutral texts', async () => {
  const config = clip.schema.parse({
    judge: 'clip',
    model: folder,
    template: '{}',
    neutral: ['nothing'],
    context: 0,
  })
  await clip.check(config)
  const judge = await clip.open(config, {
    ...{ storage: openStorage('/nowhere'), model: { folder, name: 'tiny-clip', hash: 'h' } },
  })
  const phrase = (text: string, caption: number, start: number, head: string): Phrase => ({
    ...{ caption, text, start, end: start + text.length, head },
  })
  const phrases = [
    phrase('a cat', 0, 0, 'cat'),
    phrase('a dog', 0, 10, 'dog'),
    // Of another caption, of the same thing, or of the same words.
    phrase('the roof', 1, 0, 'roof'),
    phrase('the cat', 0, 20, 'cat'),
    phrase('cat', 0, 2, 'feline'),
  ]
  const questions = [0, 1, 2].map((at) => ({
    ...{ phrase: at, words: phrases[at] as Phrase },
    boxes: [{ xyxy: one.xyxy, score: 0.5, label: null }],
  }))
  const scorer = await openRegionScorer(folder)
  try {
    const asked = { key: 'k', bytes, width, height, captions: [], phrases, questions }
    const { verdicts } = await judge.judge(asked)
    expect(verdicts.map(({ phrase, judge }) => [phrase, judge])).toEqual(
      [0, 1, 2].map((at) => [at, 'tiny-clip']),
    )
    const texts = ['a cat', 'a dog', 'the roof', 'nothing', 'the cat', 'cat']
    const [[cat, dog, roof, nothing, theCat, bare] = []] = await scorer.cosines(
      bytes,
      [{ xyxy: one.xyxy, texts }],
      0,
    )
    const softmax = (first = 0, ...others: readonly (number | undefined)[]) =>
      Math.exp(100 * first) /
      [first, ...others].reduce<number>((sum, of) => sum + Math.exp(100 * (of ?? 0)), 0)
    expect(verdicts[0]?.probability).toBeCloseTo(softmax(cat, dog, nothing), 5)
    expect(verdicts[1]?.probability).toBeCloseTo(softmax(dog, cat, theCat, bare, nothing), 5)
    expect(verdicts[2]?.probability).toBeCloseTo(softmax(roof, nothing), 5)
    for (const { verdict, probability } of verdicts)
      expect(verdict).toBe(probability >= 0.5 ? 'accept' : 'reject')
    expect(await judge.judge({ ...asked, questions: [] })).toEqual({ verdicts: [] })
  } finally {
    await scorer.close()
    await judge.close()
  }
})
