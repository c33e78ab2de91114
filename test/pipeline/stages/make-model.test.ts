import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DamagedModelError } from '../../../src/model/hash-model-files.js'
import { hashModel } from '../../../src/model/model-folder.js'
import { modelLock } from '../../../src/pipeline/records/model-store.js'
import { findModel, makeModel, modelRecord } from '../../../src/pipeline/stages/make-model.js'
import { acquireLock, LockedError } from '../../../src/storage/lock.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { stageContext } from '../../helpers/stage-context.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { writeTinyModel } from '../../helpers/tiny-model-files.js'

const stage = { name: 'm', uses: 'train', needs: [], with: {} }
const task = { configHash: 'c', inputs: { gold: 'g' } }

async function setUp(signal?: AbortSignal) {
  const run = openStorage(await temporaryFolder())
  const { context } = stageContext(run, [], { signal })
  const make = (given: Parameters<typeof makeModel>[1] = task) =>
    makeModel(stage, given, context, async (folder) => {
      await writeTinyModel(folder)
      return { steps: 3 }
    })
  return { run, context, make }
}

describe('a stage that makes a model', () => {
  it('makes it once, and offers its folder with its hash', async () => {
    const { run, context, make } = await setUp()
    expect(modelRecord('m')).toBe('models/m/record.json')
    expect(await findModel(stage, task, context)).toBeUndefined()
    const made = await make()
    const folder = run.path('models/m')
    const model = { folder, name: 'm', hash: await hashModel(folder) }
    expect(made).toEqual({ offers: { model, missing: [] }, result: { steps: 3 }, skipped: false })
    const record = JSON.parse(Buffer.from((await run.read(modelRecord('m'))) ?? []).toString())
    expect(record).toMatchObject({ stage: 'm', ...task, result: { steps: 3 } })
    expect(Object.keys(record.files)).toContain('models/m/model.onnx')
    expect(record).not.toHaveProperty('inputsNow')
    expect(await make()).toEqual({ ...made, skipped: true })
    expect(await findModel(stage, task, context)).toEqual({ model, missing: [] })
    expect(await findModel(stage, { ...task, configHash: 'd' }, context)).toBeUndefined()
    expect(await run.list('.')).not.toContain(modelLock('models/m'))
  })

  it('makes it again where it has lost a file, and never without a word where one is damaged', async () => {
    const { run, context, make } = await setUp()
    await make()
    await rm(run.path('models/m/model.onnx'))
    expect(await findModel(stage, task, context)).toBeUndefined()
    expect((await make()).skipped).toBe(false)
    await writeFile(run.path('models/m/model.safetensors'), 'wEights')
    await expect(findModel(stage, task, context)).rejects.toThrow(DamagedModelError)
    await expect(make()).rejects.toThrow(DamagedModelError)
  })

  it('leaves none where it is told to end, though the work went on to its own', async () => {
    const stop = new AbortController()
    const { run, context } = await setUp(stop.signal)
    const stopped = makeModel(stage, task, context, async (folder, signal) => {
      await writeTinyModel(folder)
      expect(signal.aborted).toBe(false)
      stop.abort(new Error('enough'))
      expect(signal.aborted).toBe(true)
      return {}
    })
    await expect(stopped).rejects.toThrow('enough')
    expect(await run.exists('models/m')).toBe(false)
    // The next one goes on from what is there.
    expect(await run.exists('models/m.partial/model.onnx')).toBe(true)
  })

  it('makes none while another process does, nor of what has changed meanwhile', async () => {
    const { run, make } = await setUp()
    const lock = await acquireLock(run, modelLock('models/m'), { what: 'making', wait: false })
    await expect(make()).rejects.toThrow(LockedError)
    await lock.release()
    await expect(make({ ...task, inputsNow: async () => ({ gold: 'h' }) })).rejects.toThrow(
      'was changed by another process',
    )
    expect(await run.exists(modelRecord('m'))).toBe(false)
    expect((await make({ ...task, inputsNow: async () => task.inputs })).skipped).toBe(false)
  })

  it('says so where its model is taken away as soon as it is made', async () => {
    const { run, make } = await setUp()
    const inputsNow = async () => {
      await rm(join(run.path('models/m'), 'model.onnx'))
      return task.inputs
    }
    await expect(make({ ...task, inputsNow })).rejects.toThrow(
      `${run.path('models/m')} was replaced or removed while "m" was made.`,
    )
  })
})
