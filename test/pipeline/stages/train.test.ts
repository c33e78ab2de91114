import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { listHash } from '../../../src/base/hash.js'
import { UserError } from '../../../src/base/user-error.js'
import { hashStart } from '../../../src/model/model-folder.js'
import { hashSource } from '../../../src/pipeline/stages/hash-inputs.js'
import type { Dataset, StageOutput } from '../../../src/pipeline/stages/stage-context.js'
import { train } from '../../../src/pipeline/stages/train.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { putRunRecord } from '../../helpers/run-records.js'
import { putRows, stageAs, stageContext } from '../../helpers/stage-context.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { writeTinyModel } from '../../helpers/tiny-model-files.js'

/** A run with gold of two shards, labels of a web of one, and what was mined in the gold. */
async function newRun() {
  const run = openStorage(await temporaryFolder())
  const datasetOf = (name: string, shards: readonly string[]): Dataset => ({
    ...{ name, storage: openStorage(run.path(name)), shards },
  })
  const gold = datasetOf('gold', ['00000', '00001'])
  const web = datasetOf('web', ['00000'])
  await putRows(gold, 'images', 'gold')
  for (const family of ['phrases', 'grounding', 'negatives'] as const) await putRows(gold, family, 'gold')
  await putRows(gold, 'negatives', 'mined', 'other')
  await putRows(gold, 'negatives', 'more', 'other')
  await putRows(web, 'images', 'web', 'a cat')
  await putRows(web, 'phrases', 'words')
  await putRows(web, 'grounding', 'kept')
  const model = { folder: '/m', name: 'teacher', hash: 'of teacher' }
  const outputs: StageOutput[] = [
    { name: 'gold', dataset: gold, images: 'gold', phrases: 'gold', grounding: 'gold', missing: [] },
    { name: 'mined', dataset: gold, negatives: 'mined', missing: [] },
    { name: 'more', dataset: gold, negatives: 'more', missing: [] },
    { name: 'far', dataset: { ...web }, negatives: 'far', missing: [] },
    { name: 'web', dataset: web, images: 'web', missing: [] },
    { name: 'words', dataset: web, phrases: 'words', missing: [] },
    { name: 'kept', dataset: web, phrases: 'words', grounding: 'kept', boxLoss: true, missing: [] },
    { name: 'loose', dataset: web, phrases: 'words', grounding: 'kept', boxLoss: false, missing: [] },
    { name: 'teacher', model, missing: [] },
  ]
  const source = (dataset: Dataset, grounding: string, phrases: string, negatives?: string) =>
    hashSource({ storage: dataset.storage, shards: dataset.shards, grounding, phrases, negatives })
  await writeTinyModel(run.path('models/m'))
  /** Whether a stage is made already where its model was made of these inputs. */
  const isMadeOf = async (
    inputs: Readonly<Record<string, string>>,
    needs: readonly string[],
    config: object = {},
  ) => {
    await putRunRecord(run, 'models/m/record.json', {}, { inputs })
    const { context } = stageContext(run, outputs)
    return (await train.find(stageAs(train, 'm', needs, config), 'c', context)) !== undefined
  }
  return { run, outputs, gold, web, source, isMadeOf }
}

const digestOf = (texts: readonly string[]) => {
  const hash = listHash()
  for (const text of texts) hash.add(text)
  return hash.digest()
}

describe('what a model is trained on', () => {
  it('are the sources of all that it needs, with their own negatives or those that were mined', async () => {
    const { gold, web, source, isMadeOf } = await newRun()
    const [own, mined] = [await source(gold, 'gold', 'gold'), await source(gold, 'gold', 'gold', 'mined')]
    const kept = await source(web, 'kept', 'words')
    expect(own).not.toBe(mined)
    expect(await isMadeOf({ gold: own, kept }, ['gold', 'teacher', 'kept'])).toBe(true)
    expect(await isMadeOf({ gold: own }, ['gold', 'kept'])).toBe(false)
    expect(await isMadeOf({ gold: mined, kept }, ['gold', 'mined', 'kept'])).toBe(true)
    // Those of another dataset say nothing of it.
    expect(await isMadeOf({ gold: own }, ['gold', 'far'])).toBe(true)
  })

  it('are boxes that train no regression where a source or the stage says so', async () => {
    const { web, source, isMadeOf } = await newRun()
    const loose = await source(web, 'kept', 'words')
    const isMade = (inputs: object, config: object = {}) => isMadeOf({ loose, ...inputs }, ['loose'], config)
    expect(await isMade({ 'box_loss loose': 'false' })).toBe(true)
    expect(await isMade({})).toBe(false)
    expect(await isMade({ 'box_loss loose': 'true' }, { box_loss: { loose: true } })).toBe(true)
    expect(await isMade({ 'box_loss loose': 'false' }, { box_loss: { other: true } })).toBe(true)
  })

  it('are captions for the vocabulary, of datasets one after another', async () => {
    const { gold, outputs, source, isMadeOf } = await newRun()
    const of = await source(gold, 'gold', 'gold')
    const [one, both] = [digestOf(['a cat']), digestOf(['a cat', 'a dog', 'a dog'])]
    const vocabulary = { 'vocabulary web': one, 'vocabulary gold': both }
    const isMade = (inputs: object, names: readonly string[], needs = ['gold']) =>
      isMadeOf({ gold: of, ...inputs }, needs, { vocabulary: names })
    expect(await isMade(vocabulary, ['web', 'gold'])).toBe(true)
    expect(await isMade(vocabulary, ['gold', 'web'])).toBe(false)
    // Captions may come from what has no boxes.
    expect(await isMade({ 'vocabulary web': one }, ['web'], ['gold', 'web'])).toBe(true)
    // A shard whose pictures are not there has none.
    const web = outputs.find(({ name }) => name === 'web')?.dataset
    Object.assign(outputs.find(({ name }) => name === 'web') as object, {
      dataset: { ...web, shards: ['00000', '00007'] },
    })
    expect(await isMade({ 'vocabulary web': one }, ['web'])).toBe(true)
    await expect(isMade({}, ['teacher'])).rejects.toThrow('vocabulary: "teacher" is not an ingest stage')
    await expect(isMade({}, ['none'])).rejects.toThrow(UserError)
  })

  it('is no dataset that it is validated on, which counts all the same', async () => {
    const { run, outputs, gold, source, isMadeOf } = await newRun()
    const of = await source(gold, 'gold', 'gold')
    outputs.push({ ...outputs[0]!, name: 'held' })
    const isMade = (inputs: object, config: object) =>
      isMadeOf({ gold: of, ...inputs }, ['gold', 'held'], config)
    const validate = { set: 'held' }
    expect(await isMade({ 'validate held': of }, { validate })).toBe(true)
    expect(await isMade({}, { validate })).toBe(false)
    expect(await isMade({ held: of }, {})).toBe(true)
    const looks = (needs: readonly string[], set: string) =>
      train.looks?.(stageAs(train, 'm', needs, { validate: { set } }), stageContext(run, outputs).context)
    expect(() => looks(['gold', 'held'], 'held')).not.toThrow()
    expect(() => looks(['gold'], 'held')).toThrow(
      'validate: "held" is not a dataset with boxes that it needs',
    )
    expect(() => looks(['gold', 'words'], 'words')).toThrow('validate: "words" is not a dataset with boxes')
  })

  it('starts from a stage or a folder', async () => {
    const { run, gold, source, isMadeOf } = await newRun()
    const of = await source(gold, 'gold', 'gold')
    expect(await isMadeOf({ gold: of, init: 'of teacher' }, ['gold'], { init: 'teacher' })).toBe(true)
    expect(await isMadeOf({ gold: of }, ['gold'], { init: 'teacher' })).toBe(false)
    const folder = join(run.path('start'))
    await writeTinyModel(folder)
    const init = await hashStart(folder)
    expect(await isMadeOf({ gold: of, init }, ['gold'], { init: folder })).toBe(true)
  })

  it('is refused where it has no boxes, is not whole, or is said twice', async () => {
    const { run, outputs } = await newRun()
    const refused = async (needs: readonly string[], missing: Record<string, string[]> = {}) => {
      const { context } = stageContext(
        run,
        outputs.map((output) => ({ ...output, missing: missing[output.name] ?? [] })),
      )
      return train.run(stageAs(train, 'm', needs), 'c', context).then(
        () => undefined,
        (error: unknown) => error as Error,
      )
    }
    for (const needs of [[], ['teacher'], ['mined']]) {
      const error = await refused(needs)
      expect(error, needs.join()).toBeInstanceOf(UserError)
      expect(error?.message).toContain('needs an ingest stage with boxes')
    }
    for (const name of ['web', 'words']) {
      expect(await refused(['gold', name])).toBeInstanceOf(UserError)
      expect((await refused(['gold', name]))?.message).toContain(`cannot train on "${name}"`)
    }
    // Trying again may mend it.
    const lost = await refused(['gold', 'kept'], { kept: ['00000', '00003'] })
    expect(lost).not.toBeInstanceOf(UserError)
    expect(lost?.message).toContain('without 2 shards of "kept" that failed: 00000, 00003.')
    expect((await refused(['gold', 'mined'], { mined: ['00001'] }))?.message).toContain('of "mined"')
    const twice = await refused(['gold', 'mined', 'more'])
    expect(twice).toBeInstanceOf(UserError)
    expect(twice?.message).toContain('takes negatives of "gold" from one stage')
    expect(twice?.message).toContain('mined, more')
  })
})
