import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { evaluateConfig } from '../../src/evaluate/config.js'
import { categoriesOf, evaluateModel, isWindowAnswers } from '../../src/evaluate/evaluate-model.js'
import type { GroundingRow, ImageRow, Phrase, PhraseRow } from '../../src/rows/rows.js'
import { rowParts } from '../../src/shards/row-parts.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Query, Teacher } from '../../src/teacher/teacher.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

/** Where things are in every picture, in its own pixels. */
const places: Record<string, Xyxy> = { dog: [0, 0, 80, 40], cat: [100, 20, 180, 100], owl: [20, 60, 60, 100] }
const categories = 'cat. dog. owl'
const sentence = 'a dog and a cat, far away'

function phrase(caption: number, text: string, word: string): Phrase {
  const start = text.indexOf(word)
  return { caption, text: word, start, end: start + word.length, head: word }
}
const phrases = [
  phrase(0, sentence, 'dog'),
  phrase(0, sentence, 'cat'),
  phrase(0, sentence, 'far away'),
  ...Object.keys(places).map((word) => phrase(1, categories, word)),
]

const storage = openStorage(await temporaryFolder())
const set = { storage, shards: ['00000'], stage: 'gold' }
const bytes = await sharp({ create: { width: 200, height: 100, channels: 3, background: '#888' } })
  .jpeg()
  .toBuffer()
const keys = Array.from({ length: 70 }, (_, index) => `${index}`.padStart(9, '0'))
await putShard(
  storage,
  'images',
  null,
  '00000',
  keys.map(
    (key): ImageRow => ({
      key,
      image: { bytes, path: null },
      width: 200,
      height: 100,
      captions: [
        { text: sentence, kind: 'gold' },
        { text: categories, kind: 'categories' },
      ],
      url: null,
      sha256: '',
      phash: '',
      license: null,
      meta: null,
    }),
  ),
)
await putShard(
  storage,
  'phrases',
  'gold',
  '00000',
  keys.map((key): PhraseRow => ({ key, phrases })),
)
await putShard(
  storage,
  'grounding',
  'gold',
  '00000',
  keys.map(
    (key): GroundingRow => ({
      key,
      regions: phrases.flatMap(({ caption, start, end, text }, index) =>
        places[text]
          ? [{ caption, phrase: index, start, end, xyxy: places[text], score: 1, origin: 'gold' }]
          : [],
      ),
    }),
  ),
)

/** Answers from what it is told, in the pixels of the picture that it is given. */
function teacherThatSays(answer: (word: string) => Xyxy | undefined): Teacher & { prompts: string[] } {
  const prompts: string[] = []
  return {
    name: 'told',
    hash: '0',
    pictureSide: 100,
    batch: 8,
    parallel: 1,
    tokensOf: (text) => text.split(' ').length,
    maxTokens: 8,
    prompts,
    async detect(queries: readonly Query[]) {
      prompts.push(...queries.map(({ text }) => text))
      return queries.map(({ picture, text, phrases: spans }) =>
        spans.flatMap(([start, end], index) => {
          const box = answer(text.slice(start, end))
          if (!box) return []
          const xyxy = box.map((value) => (value * picture.width) / 200) as unknown as Xyxy
          return [{ phrase: index, xyxy, score: 0.9 }]
        }),
      )
    },
    async close() {},
  }
}

describe('the evaluation of a model', () => {
  it('is 1 for one that knows, at any size of picture and split of the names over prompts', async () => {
    const names = await categoriesOf(set)
    expect(names).toEqual(['cat', 'dog', 'owl'])
    const teacher = teacherThatSays((word) => places[word])
    const config = evaluateConfig.parse({ names_a_prompt: 2 })
    const progress: [number, number][] = []
    const found = await evaluateModel(teacher, set, config, names, {
      onProgress: (...at) => progress.push(at),
    })
    expect(found).toMatchObject({ ap: 1, ap50: 1, ar100: 1, recall1: 1, images: 70, categories: 3 })
    expect(new Set(teacher.prompts)).toEqual(new Set([sentence, 'cat. dog', 'owl']))
    expect(progress).toEqual([16, 32, 48, 64, 70].map((done) => [done, 70]))
  })

  it('says how often a model sees what is not there', async () => {
    const names = [...(await categoriesOf(set)), 'elk']
    const told = (elk: Xyxy | undefined) => teacherThatSays((word) => (word === 'elk' ? elk : places[word]))
    const config = evaluateConfig.parse({})
    const honest = await evaluateModel(told(undefined), set, config, names)
    expect(honest).toMatchObject({ il_mcc: expect.closeTo(1, 6), false_presence: 0 })
    expect(honest.cgf1).toBeCloseTo(1, 3)
    const liar = told([20, 60, 60, 100])
    expect(await evaluateModel(liar, set, config, names)).toMatchObject({
      ...{ il_mcc: 0, cgf1: 0, pmf1: expect.closeTo(1, 3), false_presence: 1 },
    })
    // Its boxes score 0.9: nothing of them is there for who asks for more.
    const unsure = await evaluateModel(liar, set, { ...config, presence_score: 0.91 }, names)
    expect(unsure).toMatchObject({ ap: 1, pmf1: 0, false_presence: 0 })
  })

  it('stops between two prompts when it is interrupted', async () => {
    const abort = new AbortController()
    const teacher = teacherThatSays((word) => {
      if (word === 'cat') abort.abort()
      return places[word]
    })
    const config = evaluateConfig.parse({ names_a_prompt: 2 })
    const names = await categoriesOf(set)
    await expect(evaluateModel(teacher, set, config, names, { signal: abort.signal })).rejects.toThrow(
      /abort/i,
    )
    expect(teacher.prompts).not.toContain('owl')
  })

  it('goes on behind the pictures whose answers were kept, with the same scores', async () => {
    const kept = openStorage(await temporaryFolder())
    const config = evaluateConfig.parse({ names_a_prompt: 2 })
    const names = await categoriesOf(set)
    /** It is wrong about every third owl. */
    const teacher = () => {
      let owls = 0
      return teacherThatSays((word) => places[word === 'owl' && owls++ % 3 === 0 ? 'dog' : word])
    }
    const calm = teacher()
    const outcomes: unknown[] = []
    const expected = await evaluateModel(calm, set, config, names, {
      onOutcomes: (all) => outcomes.push(all),
    })
    const parts = () =>
      rowParts(kept, 'evaluations/scores.json', { configHash: 'c', inputs: {} }, isWindowAnswers, 0)
    const abort = new AbortController()
    const first = evaluateModel(teacher(), set, config, names, {
      ...{ parts: parts(), signal: abort.signal },
      onProgress: (images) => images === 48 && abort.abort(),
    })
    await expect(first).rejects.toThrow(/abort/i)
    const again = teacher()
    // Which owls it is wrong about goes on where it was.
    for (let picture = 0; picture < 48; picture++)
      await again.detect([{ picture: { width: 1 } as never, text: 'owl', phrases: [[0, 3]] }], {} as never)
    const before = again.prompts.length
    const found = await evaluateModel(again, set, config, names, {
      ...{ parts: parts(), onOutcomes: (all) => outcomes.push(all) },
    })
    expect(found).toEqual(expected)
    expect(outcomes[1]).toEqual(outcomes[0])
    expect(again.prompts.length - before).toBe((calm.prompts.length / 70) * 22)
  })

  it('refuses gold of other pictures, for its names as for its boxes', async () => {
    const other = { storage: openStorage(await temporaryFolder()), shards: ['00000'], stage: 'gold' }
    const image = { bytes, path: null }
    const captions = [{ text: categories, kind: 'categories' as const }]
    const rest = { url: null, sha256: '', phash: '', license: null, meta: null }
    const images: ImageRow[] = ['a', 'b'].map((key) => ({
      key,
      image,
      width: 200,
      height: 100,
      captions,
      ...rest,
    }))
    await putShard(other.storage, 'images', null, '00000', images)
    const own = [phrase(0, categories, 'dog')]
    const gold = (keys: readonly string[]) => keys.map((key) => ({ key, phrases: own }))
    await putShard(other.storage, 'phrases', 'gold', '00000', gold(['a']))
    const message = (family: string, row: number) =>
      `shard 00000 of ${family} "gold" does not match its images from row ${row} on: run stage "gold" again.`
    await expect(categoriesOf(other)).rejects.toThrow(message('phrases', 1))
    await putShard(other.storage, 'phrases', 'gold', '00000', gold(['a', 'b']))
    expect(await categoriesOf(other)).toEqual(['dog'])
    const none = ['b', 'a'].map((key) => ({ key, regions: [] }))
    await putShard(other.storage, 'grounding', 'gold', '00000', none)
    const config = evaluateConfig.parse({})
    const teacher = teacherThatSays((word) => places[word])
    await expect(evaluateModel(teacher, other, config, ['dog'])).rejects.toThrow(message('grounding', 0))
    const astray = { caption: 0, phrase: 1, start: 0, end: 3, score: 1, origin: 'gold' }
    const regions = ['a', 'b'].map((key) => ({ key, regions: [{ ...astray, xyxy: [0, 0, 9, 9] as const }] }))
    await putShard(other.storage, 'grounding', 'gold', '00000', regions)
    await expect(evaluateModel(teacher, other, config, ['dog'])).rejects.toThrow(
      'of grounding "gold" does not match its phrases "gold" from row 0 on',
    )
  })

  it('tells names apart, and counts only those asked for', async () => {
    const swapped: Record<string, Xyxy> = { dog: places.cat, cat: places.dog, owl: places.owl }
    const config = evaluateConfig.parse({})
    const wrong = await evaluateModel(
      teacherThatSays((word) => swapped[word]),
      set,
      config,
      await categoriesOf(set),
    )
    expect(wrong.ap).toBeCloseTo(1 / 3, 12)
    expect(wrong.recall1).toBe(0)
    const owls = await evaluateModel(
      teacherThatSays((word) => swapped[word]),
      set,
      config,
      ['owl'],
    )
    expect(owls).toMatchObject({ ap: 1, categories: 1 })
  })

  it('takes from a detector of fixed labels, which proposes every box for every phrase, what the label names', async () => {
    const told = teacherThatSays(() => undefined)
    const detector: Teacher = {
      ...told,
      detect: async (queries) =>
        queries.map(({ picture, phrases: spans }) =>
          spans.flatMap((_, phrase) =>
            Object.entries(places).map(([label, box]) => {
              const xyxy = box.map((value) => (value * picture.width) / 200) as unknown as Xyxy
              return { phrase, xyxy, score: 0.9, label }
            }),
          ),
        ),
    }
    const found = await evaluateModel(detector, set, evaluateConfig.parse({}), await categoriesOf(set))
    expect(found).toMatchObject({ ap: 1, recall1: 1 })
  })
})
