import { readFileSync } from 'node:fs'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { cropOf, openRegionScorer } from '../../src/teacher/region-scorer.js'
import { openTextEncoder } from '../../src/teacher/text-encoder.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { picture } from './pictures.js'

const fixtures = join(import.meta.dirname, '../filter/fixtures')
const read = (name: string) => JSON.parse(readFileSync(join(fixtures, name), 'utf8'))

describe('a sentence encoder', () => {
  it('gives the vectors that Python gives, whatever is asked for together', async () => {
    const { texts, vectors } = read('sentence.json') as { texts: string[]; vectors: number[][] }
    const encoder = await openTextEncoder(join(fixtures, 'sentence'))
    try {
      for (const asked of [texts, texts.toReversed(), texts.slice(0, 1), [...texts, ...texts]]) {
        const found = await encoder.embed(asked)
        asked.forEach((text, index) => {
          const expected = vectors[texts.indexOf(text)]
          found[index].forEach((value, at) => {
            expect(Math.abs(value - expected[at]), `${text} ${at}`).toBeLessThan(2e-5)
          })
        })
      }
      expect(await encoder.embed([])).toEqual([])
    } finally {
      await encoder.close()
    }
  })

  it('refuses a folder that pools in another way', async () => {
    const folder = await temporaryFolder()
    await cp(join(fixtures, 'sentence'), folder, { recursive: true })
    await cp(join(fixtures, 'sentence/onnx'), join(folder, '1_Pooling'), { recursive: true })
    await writeFile(join(folder, '1_Pooling/config.json'), '{"pooling_mode_cls_token": true}')
    await expect(openTextEncoder(folder)).rejects.toThrow(/pooling_mode_cls_token: only the mean/)
  })
})

describe('CLIP as a judge of regions', () => {
  it('gives the cosines that Python gives', async () => {
    const cases = read('clip.json') as { xyxy: Xyxy; text: string; score: number }[]
    const { width, height, data } = picture(0)
    const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer()
    const scorer = await openRegionScorer(join(fixtures, 'clip'))
    try {
      const scores = await scorer.score(bytes, cases)
      scores.forEach((score, index) => {
        expect(Math.abs(score - cases[index].score), `${index}: ${score}`).toBeLessThan(1e-4)
      })
      expect(new Set(cases.map(({ score }) => score)).size).toBeGreaterThan(8)
      expect(await scorer.score(bytes, [])).toEqual([])
    } finally {
      await scorer.close()
    }
  })

  it('says which half of a folder is missing', async () => {
    const folder = await temporaryFolder()
    await expect(openRegionScorer(folder)).rejects.toThrow(UserError)
    await expect(openRegionScorer(folder)).rejects.toThrow(/vision_model\.onnx/)
  })

  it('cuts out whole pixels, one at least', () => {
    const whole = picture(1)
    const { width, height, data } = cropOf(whole, [2.5, 3.2, 5.1, 4.9])
    expect([width, height]).toEqual([4, 2])
    expect([...data.subarray(0, 3)]).toEqual([
      ...whole.data.subarray((3 * whole.width + 2) * 3).subarray(0, 3),
    ])
    expect(cropOf(whole, [whole.width + 5, -9, whole.width + 9, -3])).toMatchObject({ width: 1, height: 1 })
  })
})
