import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { hashModel } from '../../../src/model/model-folder.js'
import { average } from '../../../src/pipeline/stages/average.js'
import { evaluate } from '../../../src/pipeline/stages/evaluate.js'
import { hashSource } from '../../../src/pipeline/stages/hash-inputs.js'
import type { Dataset, StageOutput } from '../../../src/pipeline/stages/stage-context.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { putRunRecord } from '../../helpers/run-records.js'
import { putRows, stageAs, stageContext } from '../../helpers/stage-context.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { writeTinyModel } from '../../helpers/tiny-model-files.js'

const modelNamed = (name: string): StageOutput => ({
  name,
  model: { folder: `/models/${name}`, name, hash: `hash of ${name}` },
  missing: [],
})

describe('a stage that scores a model', () => {
  async function newRun() {
    const run = openStorage(await temporaryFolder())
    const goldNamed = async (name: string, text: string) => {
      const dataset: Dataset = { name, storage: openStorage(run.path(name)), shards: ['00000'] }
      for (const family of ['images', 'phrases', 'grounding'] as const)
        await putRows(dataset, family, name, text)
      const output = { name, dataset, images: name, phrases: name, grounding: name, missing: [] }
      const hash = await hashSource({ ...dataset, phrases: name, grounding: name })
      return { output, hash }
    }
    const [novel, gold] = [await goldNamed('novel', 'a dog'), await goldNamed('gold', 'a cat')]
    const outputs = [novel.output, gold.output, modelNamed('student')]
    return { run, novel, gold, outputs }
  }

  it('finds its scores made of the same model and pictures, with the answers beside them', async () => {
    const { run, novel, gold, outputs } = await newRun()
    const scores = { ap: 0, ap50: 0, recall1: 0, recall5: 0, recall10: 0 }
    const isFound = async (
      inputs: Readonly<Record<string, string>>,
      config: object = {},
      { file = '{}', result = scores as object, given = run as typeof run | undefined } = {},
    ) => {
      const files = { 'evaluations/scores.outcomes.json': '{}' }
      await putRunRecord(run, 'evaluations/scores.json', files, { inputs, result: result as never })
      await run.write('evaluations/scores.outcomes.json', file)
      const stage = stageAs(evaluate, 'scores', ['novel', 'student'], config)
      return evaluate.find(stage, 'c', stageContext(given, outputs).context)
    }
    const inputs = { model: 'hash of student', set: novel.hash }
    expect(await isFound(inputs)).toEqual({ missing: [] })
    expect(await isFound({ ...inputs, model: 'x' })).toBeUndefined()
    expect(await isFound({ ...inputs, set: gold.hash })).toBeUndefined()
    expect(await isFound({ ...inputs, unseen_in: gold.hash }, { unseen_in: 'gold' })).toEqual({ missing: [] })
    expect(await isFound(inputs, { unseen_in: 'gold' })).toBeUndefined()
    expect(await isFound(inputs, {}, { file: '{"other": 1}' })).toBeUndefined()
    expect(await isFound(inputs, {}, { result: { ap: 'x' } })).toBeUndefined()
    // A command that keeps none finds none.
    const { context } = stageContext(undefined, outputs)
    expect(
      await evaluate.find(stageAs(evaluate, 'scores', ['novel', 'student']), 'c', context),
    ).toBeUndefined()
  })

  it('needs pictures that an ingest stage has made, and a stage whose categories are unseen', async () => {
    const { run, outputs } = await newRun()
    const { context } = stageContext(run, outputs)
    for (const [needs, config] of [
      [['student'], {}],
      [['novel'], {}],
      [['novel', 'student'], { unseen_in: 'none' }],
      [['novel', 'gold', 'student'], {}],
    ] as const)
      await expect(
        evaluate.find(stageAs(evaluate, 'scores', needs, config), 'c', context),
        needs.join(),
      ).rejects.toThrow(UserError)
  })
})

describe('a stage that makes a mean of models', () => {
  it('finds it made of the same two, stages or folders', async () => {
    const run = openStorage(await temporaryFolder())
    await writeTinyModel(run.path('models/mean'))
    const folder = join(await temporaryFolder(), 'start')
    await writeTinyModel(folder, 'another')
    const { context } = stageContext(run, [modelNamed('teacher'), modelNamed('student')])
    const isFound = async (inputs: Readonly<Record<string, string>>, from: string, to = 'student') => {
      await putRunRecord(run, 'models/mean/record.json', {}, { inputs })
      const stage = stageAs(average, 'mean', [], { from, to, weight: 0.5 })
      return (await average.find(stage, 'c', context)) !== undefined
    }
    const [teacher, student] = ['hash of teacher', 'hash of student']
    expect(await isFound({ from: teacher, to: student }, 'teacher')).toBe(true)
    expect(await isFound({ from: student, to: teacher }, 'teacher')).toBe(false)
    expect(await isFound({ from: await hashModel(folder), to: student }, folder)).toBe(true)
    expect(await isFound({ from: teacher, to: await hashModel(folder) }, 'teacher', folder)).toBe(true)
    await expect(isFound({}, '/none')).rejects.toThrow()
  })
})
