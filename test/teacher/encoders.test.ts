import { readFileSync } from 'node:fs'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { cropOf, openRegionScorer } from '../../src/teacher/region-scorer.js'
import { hashTextEncoder, openTextEncoder } from '../../src/teacher/text-encoder.js'
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

  it.each([
    ['1_Pooling/config.json', { pooling_mode_cls_token: true }, /pooling_mode_cls_token: only the mean/],
    ['1_Pooling/config.json', { pooling_mode: 'cls' }, /pooling_mode cls: only the mean/],
    ['1_Pooling/config.json', { pooling_mode: ['mean', 'max'] }, /pooling_mode mean, max: only the mean/],
    [
      'modules.json',
      [{ type: 'sentence_transformers.models.Transformer' }, { type: 'sentence_transformers.models.Dense' }],
      /modules\.json has a module Dense: only/,
    ],
    [
      'config_sentence_transformers.json',
      { prompts: { query: 'query: ' }, default_prompt_name: 'query' },
      /puts "query: " before every text/,
    ],
    ['sentence_bert_config.json', { max_seq_length: '128' }, /max_seq_length is "128", not a count/],
    ['sentence_bert_config.json', { max_seq_length: 0 }, /max_seq_length is 0, not a count above 0/],
    [
      'tokenizer.json',
      { normalizer: null, model: { type: 'WordPiece', vocab: {} } },
      /not the tokenizer of an uncased BERT/,
    ],
  ])('refuses a folder that makes vectors in another way: %s %j', async (name, content, message) => {
    const folder = await temporaryFolder()
    await cp(join(fixtures, 'sentence'), folder, { recursive: true })
    await mkdir(join(folder, '1_Pooling'))
    const before = await hashTextEncoder(folder)
    await writeFile(join(folder, name), JSON.stringify(content))
    await expect(openTextEncoder(folder)).rejects.toThrow(message)
    expect(await hashTextEncoder(folder)).not.toBe(before)
  })

  it('reads a folder that says that it does what is done', async () => {
    const folder = await temporaryFolder()
    await cp(join(fixtures, 'sentence'), folder, { recursive: true })
    await mkdir(join(folder, '1_Pooling'))
    const kinds = ['Transformer', 'Pooling', 'Normalize']
    const said = {
      '1_Pooling/config.json': { pooling_mode: ['mean'], include_prompt: true },
      'modules.json': kinds.map((kind) => ({ type: `sentence_transformers.models.${kind}` })),
      'config_sentence_transformers.json': { prompts: { query: 'query: ' }, default_prompt_name: null },
    }
    for (const [name, content] of Object.entries(said))
      await writeFile(join(folder, name), JSON.stringify(content))
    await (await openTextEncoder(folder)).close()
  })
})

describe('CLIP as a judge of regions', () => {
  it('gives the cosines that Python gives', async () => {
    const cases = (read('clip.json') as { xyxy: Xyxy; text: string; score: number }[]).map(
      ({ text, ...one }) => ({ ...one, texts: [text] }),
    )
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
      await expect(scorer.score(bytes.subarray(0, 40), cases, '000070001')).rejects.toThrow(
        /^the picture 000070001 cannot be decoded: /,
      )
    } finally {
      await scorer.close()
    }
  })

  it('says which half of a folder is missing', async () => {
    const folder = await temporaryFolder()
    await expect(openRegionScorer(folder)).rejects.toThrow(UserError)
    await expect(openRegionScorer(folder)).rejects.toThrow(/vision_model\.onnx/)
  })

  it.each([
    ['config.json', { model_type: 'siglip' }, /model_type is "siglip"; "clip" is the only/],
    ['config.json', { text_config: { max_position_embeddings: 'x' } }, /max_position_embeddings is "x"/],
    ['tokenizer_config.json', { pad_token: '<none>' }, /pad_token "<none>" is not in the vocabulary/],
    ['tokenizer_config.json', { pad_token: { content: '<none>' } }, /pad_token "<none>" is not in/],
  ])('refuses what %s does not say rightly: %j', async (name, change, message) => {
    const folder = await temporaryFolder()
    await cp(join(fixtures, 'clip'), folder, { recursive: true })
    const said = JSON.parse(await readFile(join(folder, name), 'utf8'))
    await writeFile(join(folder, name), JSON.stringify({ ...said, ...change }))
    await expect(openRegionScorer(folder)).rejects.toThrow(message)
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
