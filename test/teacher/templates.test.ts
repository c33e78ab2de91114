import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { longs, Session, type Value } from '../../src/graph/session.js'
import { readClipTokenizer } from '../../src/teacher/folder/clip-tokenizer.js'
import { openTeacher } from '../../src/teacher/open-teacher.js'
import { openRegionScorer } from '../../src/teacher/region-scorer.js'
import type { PhraseDetection, Query } from '../../src/teacher/teacher.js'
import { templatesOf, templatesSchema } from '../../src/words/prompt-templates.js'
import { pictures } from './pictures.js'
import { all, ask, folder } from './python-answers.js'

const templates = ['a photo of a {}', 'art of the {}', 'itap of a {}']
const logit = (share: number) => Math.log(share / (1 - share))
const sigmoid = (value: number) => 1 / (1 + Math.exp(-value))

/** Boxes by their place: a model that reads words alone in two ways finds the same. */
const byPlace = (boxes: readonly PhraseDetection[]) =>
  new Map(boxes.map(({ xyxy, score }) => [xyxy.map((side) => side.toFixed(2)).join(), score]))

describe('prompt templates', () => {
  it('without a place for the phrase are refused in words', () => {
    const { error } = templatesSchema.safeParse(['a photo'])
    expect(error?.message).toContain('expected {} where the phrase stands')
  })

  it.each(['owlvit', 'owlv2'])('of %s: the logits of all are averaged, box by box', async (name) => {
    const teacher = await openTeacher(folder(name), { threads: 1 })
    try {
      expect(teacher.takesTemplates).toBe(true)
      const query = ask(pictures[0], ['remote control', 'cat'])
      const [together] = await teacher.detect([query], { ...all, templates })
      const apart: Query[] = templates.map((template) =>
        ask(
          pictures[0],
          ['remote control', 'cat'].map((phrase) => template.replace('{}', phrase)),
        ),
      )
      const single = await teacher.detect(apart, all)
      for (const phrase of [0, 1]) {
        const parts = single.map((boxes) => byPlace(boxes.filter((box) => box.phrase === phrase)))
        const own = byPlace((together ?? []).filter((box) => box.phrase === phrase))
        expect(own.size).toBeGreaterThan(4)
        for (const [place, score] of own) {
          const logits = parts.map((part) => logit(part.get(place) as number))
          const mean = logits.reduce((sum, value) => sum + value, 0) / logits.length
          expect(score, place).toBeCloseTo(sigmoid(mean), 5)
        }
      }
      // One that is the phrase itself changes nothing; signs and capitals count for nothing.
      const [plain] = await teacher.detect([query], all)
      const [same] = await teacher.detect([query], { ...all, templates: ['{}.'] })
      expect(same).toEqual(plain)
      expect(together).not.toEqual(plain)
    } finally {
      await teacher.close()
    }
  })

  it('of CLIP: the embeddings of all are averaged and made unit long', async () => {
    const { width, height, data } = pictures[0]
    const bytes = await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer()
    const clip = join(import.meta.dirname, '../filter/fixtures/clip')
    const scorer = await openRegionScorer(clip)
    const session = await Session.open(join(clip, 'onnx/text_model.onnx'), {})
    const tokenizer = (await readClipTokenizer(clip, 0))(16)
    try {
      const xyxy: Xyxy = [0, 0, width, height]
      const texts = templates.map((template) => template.replace('{}', 'dog'))
      const [[together], [apart]] = await Promise.all([
        scorer.score(bytes, [{ xyxy, texts }]),
        scorer.cosines(bytes, [{ xyxy, texts }], 0),
      ])
      // |mean| of unit vectors, from what the model itself says of the texts.
      const vectors: number[][] = []
      for (const text of texts) {
        const { ids, mask } = tokenizer.encode(text)
        const feeds = { input_ids: longs(ids, [1, ids.length]), attention_mask: longs(mask, [1, ids.length]) }
        const given = Object.fromEntries(session.inputs.map(({ name }) => [name, feeds[name as 'input_ids']]))
        const embedded = (await session.run(given)).text_embeds as Value
        const vector = [...(embedded.data as Float32Array)]
        vectors.push(vector.map((value) => value / Math.hypot(...vector)))
      }
      const mean = vectors[0].map(
        (_, at) => vectors.reduce((sum, vector) => sum + vector[at], 0) / texts.length,
      )
      const meanCosine = apart.reduce((sum, cosine) => sum + cosine, 0) / texts.length
      expect(together).toBeCloseTo(Math.max(0, meanCosine / Math.hypot(...mean)), 5)
    } finally {
      await scorer.close()
      await session.close()
    }
  })

  it('that are named best are the seven of CLIP', () => {
    expect(templatesOf('best')).toHaveLength(7)
    expect(templatesOf('best')?.every((template) => template.includes('{}'))).toBe(true)
    expect(templatesOf(undefined)).toBeUndefined()
  })
})
