import { describe, expect, it } from 'vitest'
import { hashJson } from '../../../src/base/hash.js'
import { UserError } from '../../../src/base/user-error.js'
import { pictureMetric } from '../../../src/evaluate/compare/picture-metrics.js'
import type { PictureOutcomes } from '../../../src/evaluate/picture-outcomes.js'
import type { Promotion } from '../../../src/pipeline/promotion/promotion.js'
import { notePromotion } from '../../../src/pipeline/records/note-promotion.js'
import { promote } from '../../../src/pipeline/stages/promote.js'
import type { StageContext, StageOutput } from '../../../src/pipeline/stages/stage-context.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import type { Storage } from '../../../src/storage/storage.js'
import { onlyPhrases } from '../../helpers/any-outcomes.js'
import { putRunRecord } from '../../helpers/run-records.js'
import { stageAs, stageContext } from '../../helpers/stage-context.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const images = 60
const student = 'round-1-student'
const mean = 'round-1-mean-50'

/** Pictures with a phrase each, of which the first ones are found. */
function found(count: number): PictureOutcomes {
  const image = [...Array(images).keys()]
  return onlyPhrases(images, { image, rank: image.map((at) => (at < count ? 0 : -1)) })
}

async function putEvaluation(
  run: Storage,
  model: string,
  set: string,
  count: number,
  { setHash = 'pictures', configHash = 'c', without = false } = {},
) {
  const outcomes = found(count)
  const recall = pictureMetric('recall1', outcomes).over(new Int32Array(images).fill(1))
  const name = `evaluations/${model}-on-${set}`
  await putRunRecord(
    run,
    `${name}.json`,
    { [`${name}.outcomes.json`]: JSON.stringify(outcomes) },
    {
      configHash,
      inputs: { set: setHash, model },
      result: { ap: 0, ap50: 0, recall1: recall, recall5: recall, recall10: recall },
      ...(without && { files: {} }),
    },
  )
}

const putModel = (run: Storage, name: string) =>
  putRunRecord(
    run,
    `models/${name}/record.json`,
    { [`models/${name}/README.md`]: `# ${name}\n`, [`models/${name}/model.onnx`]: name },
    { stage: name, inputs: { gold: 'g' }, result: { last: { loss: 1.5 } } },
  )

/** A run in which a student has learned much, and a mean of it and its teacher less. */
async function newRun(): Promise<Storage> {
  const run = openStorage(await temporaryFolder())
  for (const name of [student, mean]) await putModel(run, name)
  for (const [model, counts] of Object.entries({ start: [10, 30], [student]: [40, 25], [mean]: [30, 30] }))
    for (const [at, set] of ['novel', 'known'].entries())
      await putEvaluation(run, model, set, counts[at] as number)
  return run
}

const modelNamed = (name: string): StageOutput => ({
  name,
  config: { of: name },
  model: { folder: `/models/${name}`, name, hash: `hash of ${name}` },
  missing: [],
})
const labels = { pictures: 3, kinds: [] } as never
const outputs: readonly StageOutput[] = [
  ...['start', student, mean].map(modelNamed),
  { name: 'round-1-label', config: { floor: 1 }, missing: [] },
  { name: 'round-1-checked', config: { judge: 'network' }, missing: [] },
  { name: 'round-1-filter', config: { rules: [] }, missing: [] },
  { name: 'scores', labels, missing: [] },
]

const stageWith = (config: object = {}, needs = ['start', 'scores']) =>
  stageAs(promote, 'round-1-promote', needs, {
    ...{ set: 'novel', student, means: [mean], sets: ['novel', 'known'], resamplings: 200 },
    judging: ['round-1-checked'],
    ...config,
  })

const go = (run: Storage, config: object = {}, changes: Partial<StageContext> = {}) =>
  promote.run(stageWith(config), hashJson(config), stageContext(run, outputs, changes).context)

const json = async (run: Storage, name: string) =>
  JSON.parse(Buffer.from((await run.read(name)) ?? []).toString('utf8'))

const withOutput = (output: StageOutput) => ({
  outputs: new Map([...outputs, output].map((one) => [one.name, one])),
})

describe('a stage that promotes', () => {
  it('offers the candidate that it promotes, and tells of it in the record of the round and the report', async () => {
    const run = await newRun()
    const { context } = stageContext(run, outputs)
    expect(await promote.find(stageWith(), 'c', context)).toBeUndefined()
    const made = await promote.run(stageWith(), 'c', context)
    expect(made.skipped).toBe(false)
    expect(made.offers).toEqual({ model: modelNamed(student).model, missing: [] })
    const { result, inputs, stage } = await json(run, 'rounds/1.json')
    expect(stage).toBe('round-1-promote')
    expect(result).toEqual(made.result)
    expect(result.lineage).toEqual({
      inputs: { gold: 'g' },
      losses: { loss: 1.5 },
      stages: {
        'round-1-label': { floor: 1 },
        'round-1-checked': { judge: 'network' },
        'round-1-filter': { rules: [] },
        [student]: { of: student },
        [mean]: { of: mean },
      },
    })
    expect(Object.keys(result.scores)).toEqual(['novel', 'known'])
    expect(inputs).toMatchObject({
      teacher: 'hash of start',
      [student]: `hash of ${student}`,
      [mean]: `hash of ${mean}`,
    })
    const report = await json(run, 'report.json')
    expect(report).toMatchObject({ round: 1, teacher: 'start', student, promoted: true, labels })
    for (const name of [student, mean]) {
      const { promotion } = await json(run, `models/${name}/record.json`)
      expect(promotion.next.name).toBe(student)
      expect(promotion.scores).toBeUndefined()
    }
    // It is found done.
    expect(await promote.find(stageWith(), 'c', context)).toEqual(made.offers)
    expect((await promote.run(stageWith(), 'c', context)).skipped).toBe(true)
    expect(promote.record(stageWith({ round: 3 }))).toBe('rounds/3.json')
  })

  it('offers the teacher where nobody is better, and a mean where it is', async () => {
    const run = await newRun()
    const stays = await go(run, { margin: 0.9 })
    expect(stays.offers.model?.name).toBe('start')
    const guarded = await go(run, { guards: [{ set: 'known' }] })
    expect(guarded.offers.model?.name).toBe(mean)
    expect((await json(run, 'report.json')).promotion.next.name).toBe(mean)
    const alone = await go(run, { means: [] })
    expect(Object.keys((await json(run, 'rounds/1.json')).result.scores.novel)).toEqual([
      'teacher',
      'student',
    ])
    expect(alone.offers.model?.name).toBe(student)
  })

  it('decides anew where a model, its answers or the way they were asked for has changed', async () => {
    const run = await newRun()
    await go(run)
    expect((await go(run)).skipped).toBe(true)
    const other = (name: string) =>
      withOutput({ ...modelNamed(name), model: { folder: '', name, hash: 'another' } })
    for (const name of ['start', student, mean]) {
      const before = await json(run, 'rounds/1.json')
      expect((await go(run, {}, other(name))).skipped, name).toBe(false)
      expect((await go(run)).skipped).toBe(false)
      expect((await json(run, 'rounds/1.json')).inputs).toEqual(before.inputs)
    }
    await putEvaluation(run, mean, 'known', 30, { configHash: 'd' })
    expect((await go(run)).skipped).toBe(false)
    await putEvaluation(run, student, 'known', 26)
    expect((await go(run)).skipped).toBe(false)
    // Of an older version, which did not name its files.
    await putEvaluation(run, student, 'known', 26, { without: true })
    expect((await go(run)).skipped).toBe(false)
    expect((await go(run)).skipped).toBe(true)
    // What is damaged is no decision.
    const record = await json(run, 'rounds/1.json')
    await run.write('rounds/1.json', JSON.stringify({ ...record, result: { round: 1 } }))
    const { context } = stageContext(run, outputs)
    expect(await promote.find(stageWith(), hashJson({}), context)).toBeUndefined()
    expect((await go(run)).skipped).toBe(false)
  })

  it('writes no report of a round over that of a later one, unless it is decided anew', async () => {
    const run = await newRun()
    await go(run)
    const own = await run.read('report.json')
    const later = JSON.stringify({ round: 2 })
    await run.write('report.json', later)
    await run.write('rounds/2.json', '{}')
    const reported = async () => Buffer.from((await run.read('report.json')) ?? []).toString()
    expect((await go(run)).skipped).toBe(true)
    expect(await reported()).toBe(later)
    // The later one is void.
    expect((await go(run, { margin: 0.9 })).skipped).toBe(false)
    expect(JSON.parse(await reported())).toMatchObject({ round: 1, promoted: false })
    await go(run)
    await run.remove('rounds/2.json')
    for (const text of [later, '{', 'null', '{"round": "2"}', '{"round": 2.5}', '{"round": 1}', '{}', '']) {
      await run.write('report.json', text)
      await run.write('rounds/2.5.json', '{}')
      expect((await go(run)).skipped).toBe(true)
      expect(Buffer.from(await reported()), text).toEqual(Buffer.from(own ?? []))
    }
  })

  it('looks again where another process has written a report meanwhile', async () => {
    const run = await newRun()
    await go(run)
    await run.remove('report.json')
    const own = openStorage(run.url)
    const swap = own.swap.bind(own)
    let times = 0
    own.swap = async (name, bytes, before) => {
      if (name === 'report.json' && times++ === 0) {
        await run.write('report.json', JSON.stringify({ round: 2 }))
        await run.write('rounds/2.json', '{}')
      }
      return swap(name, bytes, before)
    }
    await go(own)
    expect(await json(run, 'report.json')).toEqual({ round: 2 })
    expect(times).toBe(1)
  })

  it('tells of the decision also where it does not know how the student was trained', async () => {
    const run = await newRun()
    await putRunRecord(run, `models/${student}/record.json`, {}, { inputs: { gold: 'h' } })
    await go(run)
    const lineage = async () => (await json(run, 'rounds/1.json')).result.lineage
    expect(await lineage()).toMatchObject({ inputs: { gold: 'h' }, losses: {} })
    await run.remove(`models/${student}/record.json`)
    await expect(go(run, { margin: 0.1 })).rejects.toThrow(`there is no models/${student}/record.json`)
    expect(await lineage()).toMatchObject({ inputs: {}, losses: {} })
  })

  it('is refused where it is written by hand, or what it needs makes no model', async () => {
    const run = await newRun()
    const refused = async (config: object, changes: Partial<StageContext> = {}, needs?: string[]) => {
      const { context } = stageContext(run, outputs, changes)
      const error = await promote.run(stageWith(config, needs), 'c', context).catch((thrown) => thrown)
      expect(error).toBeInstanceOf(UserError)
      return (error as Error).message
    }
    expect(await refused({ student: undefined })).toContain('not written by hand')
    expect(await refused({ student: 'scores' })).toContain('"scores" is not a stage that makes a model')
    expect(await refused({ means: ['round-1-label'] })).toContain('"round-1-label" is not')
    expect(await refused({ student: 'none' })).toContain('"none" has not run')
    expect(await refused({}, {}, ['scores'])).toContain('a teacher')
  })

  it('is refused where answers are missing, damaged, or of other pictures', async () => {
    const run = await newRun()
    const refused = async () => {
      const error = await go(run).catch((thrown) => thrown)
      expect(error).toBeInstanceOf(UserError)
      return (error as Error).message
    }
    const name = `evaluations/${mean}-on-known`
    const whole = await json(run, `${name}.json`)
    await run.remove(`${name}.json`)
    expect(await refused()).toContain(`There is no evaluation of ${mean} on known`)
    await run.write(`${name}.json`, JSON.stringify({ ...whole, result: { ap: 'x' } }))
    expect(await refused()).toContain(`There is no evaluation of ${mean} on known`)
    await putEvaluation(run, mean, 'known', 30, { setHash: 'others' })
    expect(await refused()).toContain(`start and ${mean} were not evaluated on the same pictures of known`)
    await run.write(`${name}.json`, JSON.stringify(whole))
    await run.write(`${name}.outcomes.json`, JSON.stringify(found(1)))
    expect(await refused()).toContain(`${name}.outcomes.json is damaged`)
    await run.remove(`${name}.outcomes.json`)
    expect(await refused()).toContain(`${name}.outcomes.json is missing`)
    // Of older versions, whose records name no files.
    await run.write(`${name}.json`, JSON.stringify({ ...whole, files: undefined }))
    await run.write(`${name}.outcomes.json`, '{"images": 1}')
    expect(await refused()).toContain('does not hold what became of answers')
    await run.write(`${name}.outcomes.json`, '{')
    expect(await refused()).toContain('not JSON')
    await run.write(`${name}.outcomes.json`, JSON.stringify(found(30)))
    expect((await go(run)).skipped).toBe(false)
  })
})

describe('a promotion that is noted at a model', () => {
  const comparison = {
    ...{ set: 'novel', metric: 'ap', teacher: 0.25, candidate: 0.5, difference: 0.25 },
    ...{ interval: [0.125, 0.375], level: 0.05, above: 1, images, differing: 30 },
  }
  const candidate = { ...comparison, name: student, hash: 'b', passes: true }
  const guard = {
    ...comparison,
    set: 'known',
    interval: null,
    lower_by: 0.1,
    by_interval: false,
    holds: true,
  }
  const promotion = {
    ...{ round: 2, promoted: true, reason: 'so it is', margin: 0.05, level: 0.1, resamplings: 300, seed: 7 },
    teacher: { name: 'start', hash: 'a', score: 0.25 },
    next: { name: student, hash: 'b' },
    candidates: [
      { ...candidate, guards: [guard, { ...guard, by_interval: true, interval: [-0.125, 0] }] },
      { ...candidate, name: mean, hash: 'c', guards: [] },
    ],
  } as unknown as Promotion
  const text = async (run: Storage, name: string) => Buffer.from((await run.read(name)) ?? []).toString()

  it('stands on its card with all that was compared', async () => {
    const run = await newRun()
    await notePromotion(run, `models/${student}`, promotion)
    const card = await text(run, `models/${student}/README.md`)
    expect(
      card.startsWith(`# ${student}\n\n## Promotion\n\nRound 2: this model is the next teacher. so it is.\n`),
    ).toBe(true)
    expect(card.split('\n').filter((line) => /^[|-]/.test(line))).toEqual([
      "| model | set | metric | teacher | model's | difference | interval | demanded |",
      '| --- | --- | --- | --- | --- | --- | --- | --- |',
      `| ${student} | novel | ap | 25.0 | 50.0 | 25.0 | 12.5 to 37.5 | above 5.0 |`,
      `| ${student} | known | ap | 25.0 | 50.0 | 25.0 | none | at most 10.0 less |`,
      `| ${student} | known | ap | 25.0 | 50.0 | 25.0 | -12.5 to 0.0 | all of the interval at most 10.0 less |`,
      `| ${mean} | novel | ap | 25.0 | 50.0 | 25.0 | 12.5 to 37.5 | above 5.0 |`,
      '- `start`: a',
      `- \`${student}\`: b`,
      `- \`${mean}\`: c`,
    ])
    expect(card).toMatch(/at level 0\.1, .*\(300\nresamplings, seed 7\)/s)
    await notePromotion(run, `models/${mean}`, promotion)
    expect(await text(run, `models/${mean}/README.md`)).toContain(
      'Round 2: this model is not the next teacher.',
    )
  })

  it('is noted once, and nothing is written where it is noted already', async () => {
    const run = await newRun()
    await notePromotion(run, `models/${student}`, promotion)
    const record = await text(run, `models/${student}/record.json`)
    const own = openStorage(run.url)
    own.write = () => Promise.reject(new Error('written'))
    own.swap = () => Promise.reject(new Error('swapped'))
    await notePromotion(own, `models/${student}`, promotion)
    await expect(notePromotion(own, `models/${student}`, { ...promotion, round: 3 })).rejects.toThrow(
      'written',
    )
    // Another one takes its place.
    await notePromotion(run, `models/${student}`, { ...promotion, round: 3 })
    expect((await text(run, `models/${student}/README.md`)).match(/## Promotion/g)).toHaveLength(1)
    expect(await text(run, `models/${student}/record.json`)).not.toBe(record)
    await notePromotion(run, `models/${student}`, promotion)
    expect(await text(run, `models/${student}/record.json`)).toBe(record)
  })

  it('names no files in a record that named none, and others stay as they are named', async () => {
    const run = await newRun()
    const before = await json(run, `models/${student}/record.json`)
    await notePromotion(run, `models/${student}`, promotion)
    const { files } = await json(run, `models/${student}/record.json`)
    const [card, model] = [`models/${student}/README.md`, `models/${student}/model.onnx`]
    expect(files[model]).toBe(before.files[model])
    expect(files[card]).not.toBe(before.files[card])
    await putRunRecord(run, `models/${mean}/record.json`)
    await notePromotion(run, `models/${mean}`, promotion)
    expect(await json(run, `models/${mean}/record.json`)).not.toHaveProperty('files')
  })

  it('is noted in the record that another process has written meanwhile', async () => {
    const run = await newRun()
    const own = openStorage(run.url)
    const swap = own.swap.bind(own)
    let times = 0
    own.swap = async (name, bytes, before) => {
      if (times++ === 0) await putRunRecord(run, `models/${student}/record.json`, {}, { seconds: 77 })
      return swap(name, bytes, before)
    }
    await notePromotion(own, `models/${student}`, promotion)
    expect(await json(run, `models/${student}/record.json`)).toMatchObject({
      seconds: 77,
      promotion: { round: 2 },
    })
  })

  it('is noted nowhere where there is no model, or its record is none', async () => {
    const run = await newRun()
    await expect(notePromotion(run, 'models/none', promotion)).rejects.toThrow('there is no models/none/')
    await run.remove(`models/${mean}/record.json`)
    await expect(notePromotion(run, `models/${mean}`, promotion)).rejects.toThrow('/record.json')
    await run.write(`models/${student}/record.json`, '{}')
    await expect(notePromotion(run, `models/${student}`, promotion)).rejects.toThrow(UserError)
  })
})
