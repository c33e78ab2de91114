import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { evaluateConfig } from '../../src/evaluate/config.js'
import { evaluateModel } from '../../src/evaluate/evaluate-model.js'
import { readModelConfig } from '../../src/model/model-folder.js'
import { promptParameter } from '../../src/model/network/glip.js'
import { openTeacher } from '../../src/teacher/open-teacher.js'
import { chooseShots } from '../../src/train/samples/choose-samples.js'
import { openSamples } from '../../src/train/samples/read-samples.js'
import type { SampleSource } from '../../src/train/samples/sample.js'
import { trainModel } from '../../src/train/train-model.js'
import { readSafetensors } from '../../src/weights/safetensors.js'
import { config, names, squares } from '../helpers/squares.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

describe('few-shot pictures', () => {
  const shown = fc.array(fc.subarray(['a', 'b', 'c', 'd'], { minLength: 1 }), { maxLength: 40 })

  it('show each category as often as asked, where so many pictures do, and none is taken in vain', () => {
    fc.assert(
      fc.property(shown, fc.integer({ min: 1, max: 5 }), fc.constantFrom(3, 30, 300), (all, shots, seed) => {
        const pictures = all.map((categories, index) => ({ key: String(index), categories }))
        const keys = chooseShots(pictures, shots, seed)
        expect(new Set(keys).size).toBe(keys.length)
        const chosen = keys.map((key) => pictures[Number(key)].categories)
        for (const category of ['a', 'b', 'c', 'd']) {
          const there = all.filter((own) => own.includes(category)).length
          const taken = chosen.filter((own) => own.includes(category)).length
          expect(taken).toBeGreaterThanOrEqual(Math.min(shots, there))
        }
        chosen.forEach((own, index) => {
          const before = (category: string) =>
            chosen.slice(0, index).filter((other) => other.includes(category)).length
          expect(own.some((category) => before(category) < shots)).toBe(true)
        })
        expect(chooseShots(pictures, shots, seed)).toEqual(keys)
      }),
    )
  })

  it('are other ones for another seed', () => {
    const pictures = Array.from({ length: 60 }, (_, index) => ({ key: String(index), categories: ['a'] }))
    const sets = [3, 30, 300].map((seed) => chooseShots(pictures, 5, seed).toSorted().join())
    expect(new Set(sets).size).toBe(3)
  })

  it('are what is trained on, with the names of all', async () => {
    const source = await squares(20)
    const all = await openSamples(source, 1)
    const few = await openSamples(source, 1, { tune: 'full', shots: 1, shot_seed: 3 })
    expect(all.size).toBe(20)
    expect(few.size).toBeLessThanOrEqual(2)
    expect(few.categories).toEqual(names)
    const keys = await Promise.all(Array.from({ length: few.size }, async (_, at) => (await few.at(at)).key))
    const again = await openSamples(source, 1, { tune: 'full', shots: 1, shot_seed: 3 })
    expect(await Promise.all(keys.map(async (_, at) => (await again.at(at)).key))).toEqual(keys)
    // The picture that names no categories is not one of prompt tuning's.
    expect((await openSamples(source, 1, { tune: 'prompt', shot_seed: 3 })).size).toBe(19)
  })
})

describe('prompt tuning', () => {
  let source: SampleSource
  let base: string
  beforeAll(async () => {
    source = await squares(12)
    base = await temporaryFolder()
    await trainModel({
      name: 'base',
      folder: base,
      config: config({ steps: 10, learning_rate: 0.002 }),
      sources: [source],
      texts: [],
    })
  })

  it('learns an offset for one prompt and nothing else, and lowers the loss', async () => {
    const folder = await temporaryFolder()
    const losses: number[] = []
    const more = {
      tune: 'prompt',
      steps: 16,
      learning_rate: 0.05,
      weight_decay: 0.25,
      ema: 0,
      schedule: 'step',
    }
    const task = { name: 'tuned', folder, config: config(more), sources: [source], texts: [], init: base }
    await trainModel({ ...task, onProgress: ({ loss }) => losses.push(loss) })
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
    expect(mean(losses.slice(-4))).toBeLessThan(0.97 * mean(losses.slice(0, 4)))

    const [before, after] = await Promise.all(
      [base, folder].map((path) => readSafetensors(join(path, 'model.safetensors'))),
    )
    const kept = new Set(before.tensors.keys())
    expect([...after.tensors.keys()].filter((name) => !kept.has(name))).toEqual([promptParameter])
    for (const [name, { data }] of before.tensors) expect(after.tensors.get(name)?.data, name).toEqual(data)
    expect(after.tensors.get(promptParameter)?.data.some((value) => Math.abs(value) > 1e-3)).toBe(true)
    expect((await readModelConfig(folder)).prompt).toEqual(names)
    expect(await readFile(join(folder, 'metrics.jsonl'), 'utf8')).toMatch(/"step":16/)

    const teacher = await openTeacher(folder)
    try {
      expect(teacher.prompt).toEqual(names)
      const set = { storage: source.storage, shards: source.shards, stage: 'gold' }
      const scores = await evaluateModel(
        teacher,
        set,
        evaluateConfig.parse({ names_a_prompt: 1 }),
        names.slice(1),
      )
      expect(scores.categories).toBe(2)
      expect(scores.ap).toBeGreaterThanOrEqual(0)
      expect(scores.recall1).toBe(-1)
      await expect(evaluateModel(teacher, set, evaluateConfig.parse({}), ['owl'])).rejects.toThrow(
        /prompt-tuned for blue square, green square, red square; it does not know "owl"/,
      )
      const picture = { width: 4, height: 4, data: new Uint8Array(48), scale: 1 }
      const options = { floor: 0, nms: 1, max_boxes: 1 }
      await expect(teacher.detect([{ picture, text: 'an owl', phrases: [[0, 6]] }], options)).rejects.toThrow(
        /can be asked for "blue square\. green square\. red square" alone/,
      )
    } finally {
      await teacher.close()
    }
  })

  it('is refused without a model to tune, and for more names than fit', async () => {
    const task = { name: 'x', folder: await temporaryFolder(), sources: [source], texts: [] }
    await expect(trainModel({ ...task, config: config({ tune: 'prompt' }) })).rejects.toThrow(
      /name the model to tune/,
    )
    await expect(
      trainModel({ ...task, config: config({ tune: 'prompt', max_tokens: 6 }), init: base }),
    ).rejects.toThrow(/3 category names take 10 tokens, and a prompt has 6/)
  })

  it('counts steps in epochs where these are asked for', async () => {
    const task = { name: 'x', folder: await temporaryFolder(), sources: [source], texts: [], init: base }
    const { steps } = await trainModel({ ...task, config: config({ epochs: 0.5, steps: 99 }) })
    expect(steps).toBe(Math.ceil(6 / 4))
  })
})

describe('boxes that are kept out of regression', () => {
  it('train words alone', async () => {
    const source = await squares(8)
    const folder = await temporaryFolder()
    const lines: Record<string, number>[] = []
    const settings = config({ box_loss: { squares: false } })
    await trainModel({
      name: 'x',
      folder,
      config: settings,
      sources: [source],
      texts: [],
      onProgress: (line) => lines.push(line),
    })
    for (const line of lines) {
      expect(line.regression).toBe(0)
      expect(line.classification).toBeGreaterThan(0)
    }
    const wrong = config({ box_loss: { circles: false } })
    await expect(
      trainModel({ name: 'x', folder, config: wrong, sources: [source], texts: [] }),
    ).rejects.toThrow(/box_loss: "circles" is not a source of this training; it has: squares/)
  })
})
