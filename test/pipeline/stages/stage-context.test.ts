import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { hashModel } from '../../../src/model/model-folder.js'
import { isMadeModel, pinModel, pinnedFiles } from '../../../src/pipeline/records/pinned-model.js'
import { hashOfFile, hashSource } from '../../../src/pipeline/stages/hash-inputs.js'
import { kinds } from '../../../src/pipeline/stages/kinds.js'
import { kindOf, type Stage } from '../../../src/pipeline/stages/pipeline-config.js'
import {
  modelOf,
  needed,
  outputOf,
  runOf,
  type StageOf,
  type StageOutput,
} from '../../../src/pipeline/stages/stage-context.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { putRows, stageContext } from '../../helpers/stage-context.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { writeTinyModel } from '../../helpers/tiny-model-files.js'

const stage = (needs: readonly string[], config: object = {}): StageOf<object> => ({
  ...{ name: 'x', uses: 'teach', needs },
  with: config,
})

const outputs: readonly StageOutput[] = [
  { name: 'words', phrases: 'words', missing: [] },
  { name: 'boxes', phrases: 'words', grounding: 'boxes', boxLoss: false, missing: [] },
  { name: 'others', phrases: 'words', grounding: 'others', missing: [] },
]

describe('what a stage needs', () => {
  const { context } = stageContext(undefined, outputs)

  it('is what one of those that it needs gives, all of it', () => {
    expect(needed(stage(['words', 'boxes']), context, ['phrases', 'grounding'], 'boxes')).toBe(outputs[1])
    // What is needed for something else does not count.
    expect(needed(stage(['boxes', 'others']), context, ['grounding'], 'boxes', ['others'])).toBe(outputs[1])
    // What is false is there.
    expect(needed(stage(['words', 'boxes']), context, ['boxLoss'], 'boxes')).toBe(outputs[1])
  })

  it('is refused where none gives it, or several do', () => {
    expect(() => needed(stage(['words']), context, ['grounding'], 'gold')).toThrow(
      new UserError('Stage "x" (teach) needs a stage that gives gold.'),
    )
    expect(() => needed(stage(['words', 'boxes', 'others']), context, ['grounding'], 'gold')).toThrow(
      new UserError(
        'Stage "x" (teach) takes gold from one stage, and needs several that give it: boxes, others.',
      ),
    )
    expect(() => needed(stage(['none']), context, ['grounding'], 'gold')).toThrow('"none" has not run')
    expect(outputOf(context, 'words')).toBe(outputs[0])
    expect(() => outputOf(context, 'none')).toThrow(UserError)
  })

  it('may be a run, which a command has none of', async () => {
    const run = openStorage(await temporaryFolder())
    expect(runOf(stageContext(run, []).context)).toBe(run)
    expect(() => runOf(context)).toThrow('without one')
  })
})

describe('the kind of a stage', () => {
  it('is found by what it uses', () => {
    for (const kind of kinds) expect(kindOf({ uses: kind.name } as Stage)).toBe(kind)
  })

  it.each([
    ['ingest', { format: 'tsv', path: 'a' }, 'shard'],
    ['chunk', {}, 'shard'],
    ['teach', { model: 'm' }, 'shard'],
    ['dedup', {}, 'in order'],
    ['mine', {}, 'all'],
    ['filter', { rules: [{ rule: 'score', min: 0.5 }] }, 'shard'],
    ['filter', { rules: [{ rule: 'frequency_score', rare: 0.3, common: 0.4, frequent: 0.5 }] }, 'all'],
  ] as const)('%s with %j needs of the stages before: %s', (uses, config, edge) => {
    const kind = kindOf({ uses } as Stage)
    if (kind.makes !== 'shards') throw new Error(`${uses} makes shards`)
    expect(kind.edge(kind.schema.parse(config))).toBe(edge)
  })

  it.each([
    ['train', {}, 'models/x/record.json'],
    ['average', { from: 'a', to: 'b', weight: 0.5 }, 'models/x/record.json'],
    ['evaluate', {}, 'evaluations/x.json'],
    ['audit', { truth: 't' }, 'audits/x.json'],
    ['export', { format: 'coco' }, 'exports/x/export.json'],
    ['export', { format: 'coco', out: 'elsewhere' }, undefined],
  ] as const)('%s with %j leaves the record %s', (uses, config, record) => {
    const kind = kindOf({ uses } as Stage)
    if (kind.makes !== 'one') throw new Error(`${uses} makes one thing`)
    expect(kind.record({ ...stage([]), with: kind.schema.parse(config) } as never)).toBe(record)
  })
})

describe('the model of a stage', () => {
  async function tinyFolder(name: string) {
    const folder = join(await temporaryFolder(), name)
    await writeTinyModel(folder)
    return folder
  }

  it('is that of a stage which it names, or of the one that it needs', async () => {
    const model = { folder: '/m', name: 'trained', hash: 'h' }
    const all = [
      { name: 'trained', model, missing: [] },
      { name: 'other', model: { ...model, name: 'other' }, missing: [] },
    ]
    const { context } = stageContext(undefined, all)
    expect(await modelOf(stage(['trained']), context)).toBe(model)
    expect(await modelOf(stage(['other'], { model: 'trained' }), context)).toBe(model)
    await expect(modelOf(stage(['trained', 'other']), context)).rejects.toThrow(UserError)
  })

  it('is a folder, of whose files a run keeps the hashes unless a stage has made it', async () => {
    const folder = await tinyFolder('owl')
    const run = openStorage(await temporaryFolder())
    const hash = await hashModel(folder)
    const owl = { folder, name: 'owl', hash, isForeign: true }
    // A command has no run.
    expect(await modelOf(stage([], { model: folder }), stageContext(undefined, []).context)).toEqual(owl)
    const { context } = stageContext(run, [])
    expect(await modelOf(stage([], { model: `${folder}/` }), context)).toEqual({
      ...owl,
      folder: `${folder}/`,
    })
    const pinned = await pinnedFiles(run, hash)
    expect(Object.keys(pinned ?? {}).sort()).toContain('model.onnx')
    const [name = ''] = await run.list('.groundmill/models')
    const kept = await run.read(name)
    // It may lie elsewhere now: what was kept first stays.
    await pinModel(run, hash, '/elsewhere', {})
    expect(await run.read(name)).toEqual(kept)
    expect(JSON.parse(Buffer.from(kept ?? []).toString())).toMatchObject({ folder: `${folder}/` })

    const made = await tinyFolder('made')
    await writeFile(join(made, 'model.onnx'), 'another')
    expect(await isMadeModel(made)).toBe(false)
    await writeFile(join(made, 'record.json'), '{}')
    expect(await isMadeModel(made)).toBe(true)
    const other = await modelOf(stage([], { model: made }), context).catch(() => undefined)
    expect(await pinnedFiles(run, other?.hash ?? 'none')).toBeUndefined()
    expect(await run.list('.groundmill/models')).toEqual([name])
  })
})

describe('hashes of what a stage is made of', () => {
  it('are those that the records of shards name', async () => {
    const storage = openStorage(await temporaryFolder())
    const dataset = { name: 'web', storage, shards: ['00000', '00001'] }
    await putRows(dataset, 'images', 'web')
    await putRows(dataset, 'phrases', 'words')
    await expect(hashOfFile(storage, 'phrases', 'none', '00000')).rejects.toThrow(UserError)
    const [one, other] = await Promise.all(
      dataset.shards.map((shard) => hashOfFile(storage, 'phrases', 'words', shard)),
    )
    expect(one).toMatch(/^[0-9a-f]{64}$/)
    expect(other).not.toBe(one)
  })

  it('are other ones where anything of a source has changed', async () => {
    const storage = openStorage(await temporaryFolder())
    const dataset = { name: 'web', storage, shards: ['00000', '00001'] }
    const source = { storage, shards: dataset.shards, grounding: 'kept', phrases: 'words' }
    const found: string[] = []
    const isNew = async (changed: Partial<typeof source> & { negatives?: string } = {}) => {
      const hash = await hashSource({ ...source, ...changed })
      const known = found.includes(hash)
      found.push(hash)
      return !known
    }
    await putRows(dataset, 'images', 'web')
    await putRows(dataset, 'phrases', 'words')
    await putRows(dataset, 'grounding', 'kept')
    expect(await isNew()).toBe(true)
    expect(await isNew()).toBe(false)
    expect(await isNew({ shards: ['00001', '00000'] })).toBe(true)
    expect(await isNew({ shards: ['00000'] })).toBe(true)
    await putRows(dataset, 'images', 'web', 'a cat')
    expect(await isNew()).toBe(true)
    await putRows(dataset, 'phrases', 'words', 'a cat')
    expect(await isNew()).toBe(true)
    // Of a stage that has mined none yet nothing is known.
    expect(await isNew({ negatives: 'mined' })).toBe(false)
    await putRows(dataset, 'negatives', 'mined')
    expect(await isNew()).toBe(false)
    expect(await isNew({ negatives: 'mined' })).toBe(true)
    await putRows({ ...dataset, shards: ['00001'] }, 'grounding', 'kept', 'x')
    await expect(hashSource({ ...source, grounding: 'none' })).rejects.toThrow(UserError)
  })
})
