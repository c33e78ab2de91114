import { describe, expect, it } from 'vitest'
import { hashBytes } from '../../../src/base/hash.js'
import {
  findRunRecord,
  parseRunRecord,
  type RunOnceOptions,
  readRunRecord,
  runOnce,
} from '../../../src/pipeline/records/run-record.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { runRecord } from '../../helpers/run-records.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const newRun = async () => openStorage(await temporaryFolder())
const task = { stage: 'a', configHash: 'c', inputs: { x: '1', y: '2' } }
const name = 'evaluations/a.json'
const file = 'evaluations/a.outcomes.json'

describe('what leaves a record and files', () => {
  it('has their hashes in the record, and is made again where the one that is asked for is gone or another', async () => {
    const run = await newRun()
    const make = (options: RunOnceOptions<object> = { file }, changes: Partial<typeof task> = {}) =>
      runOnce<object>(
        run,
        name,
        { ...task, ...changes },
        async ({ leave, note, lost }) => {
          expect(lost.aborted).toBe(false)
          await leave(file, 'answers')
          note({ 'elsewhere/b': 'its hash' })
          return { ap: 1 }
        },
        options,
      )
    const { record, skipped } = await make()
    expect(skipped).toBe(false)
    expect(record.files).toEqual({ [file]: hashBytes('answers'), 'elsewhere/b': 'its hash' })
    expect(await readRunRecord(run, name)).toEqual(record)
    expect(Buffer.from((await run.read(file)) ?? []).toString()).toBe('answers')
    expect((await make()).skipped).toBe(true)
    // The order of inputs is no difference.
    expect((await make({ file }, { inputs: { y: '2', x: '1' } })).skipped).toBe(true)
    await run.write(file, 'others')
    expect((await make()).skipped).toBe(false)
    await run.remove(file)
    expect((await make({})).skipped).toBe(true)
    expect((await make()).skipped).toBe(false)
    expect((await make({ file: 'evaluations/b' }).catch((error) => error)).message).toContain(
      'was left without evaluations/b',
    )
    // Who knows what must be there says so.
    expect((await make({ file: 'none', isThere: async () => true })).skipped).toBe(true)
    expect((await make({ isThere: async ({ result }) => 'other' in result })).skipped).toBe(false)
    expect((await make({ isResult: () => false })).skipped).toBe(false)
    expect((await make({ isResult: () => true })).skipped).toBe(true)
    expect((await make({}, { configHash: 'd' })).skipped).toBe(false)
    expect(await findRunRecord(run, name, { ...task, inputs: { x: '1' } })).toBeUndefined()
    expect(await findRunRecord(run, 'none.json', task)).toBeUndefined()
  })

  it('leaves neither where there is no run, and works all the same', async () => {
    const left: boolean[] = []
    const make = () =>
      runOnce(undefined, name, task, async ({ leave, lost }) => {
        await leave(file, 'answers')
        left.push(lost.aborted)
        return { ap: 1 }
      })
    for (let time = 0; time < 2; time++)
      expect(await make()).toMatchObject({ skipped: false, record: { ...task, result: { ap: 1 } } })
    expect((await make()).record).not.toHaveProperty('order')
    expect(left).toEqual([false, false, false])
  })

  it('has a lock of its own or another', async () => {
    const run = await newRun()
    const locks: string[] = []
    const make = (record: string, options = {}) =>
      runOnce(
        run,
        record,
        task,
        async () => {
          locks.push(...(await run.list('.')).filter((one) => one.endsWith('.lock')))
          return {}
        },
        options,
      )
    await make('audits/a.json.json')
    await make('models/m/record.json', { lock: 'models/m.lock' })
    expect(locks).toEqual(['audits/a.json.lock', 'models/m.lock'])
  })

  it('stands behind those that were there, and keeps its place where it is made again of the same', async () => {
    const run = await newRun()
    let version = 0
    const make = async (stage: string, configHash = 'c', folder = 'audits') => {
      const inputs = { version: String(version++) }
      const { record } = await runOnce(
        run,
        `${folder}/${stage}.json`,
        { stage, configHash, inputs },
        async () => ({}),
      )
      return record.order
    }
    expect(await make('b')).toBe(1)
    expect(await make('a')).toBe(2)
    expect(await make('b')).toBe(1)
    expect(await make('b', 'd')).toBe(3)
    expect(await make('c', 'c', 'rounds')).toBe(1)
    // What is no record has no place, nor have files beside them.
    const far = JSON.stringify(runRecord({ order: 70 }))
    await run.write('audits/x.outcomes.json', far)
    await run.write('audits/x.txt', far)
    await run.write('audits/y.json', '{')
    await run.write('audits/old.json', JSON.stringify(runRecord()))
    expect(await make('d')).toBe(4)
    expect(await make('old')).toBe(5)
    // A model has none: others lie in folders of their own.
    expect(await make('record', 'c', 'models/m')).toBeUndefined()
  })
})

describe('the record of a run', () => {
  const read = (value: unknown) => parseRunRecord(Buffer.from(JSON.stringify(value)))

  it('names files below its run alone', () => {
    for (const files of [{ 'a/b.json': 'h' }, {}, { '..a/b..': 'h' }] as Record<string, string>[])
      expect(read(runRecord({ files }))).toEqual(runRecord({ files }))
    for (const one of ['../a', 'a/../b', '/a', 'a//b', './a', 'a\\b', 'a\u0000', '', 'a/'])
      expect(read(runRecord({ files: { a: 'h', [one]: 'h' } })), one).toMatch(/^it is no record: /)
  })

  it('is none where something of it is', () => {
    expect(parseRunRecord(Buffer.from('{'))).toMatch(/^it is not JSON: /)
    for (const changes of [{ seconds: 'x' }, { order: -1 }, { result: 7 }, { inputs: { a: 1 } }])
      expect(read({ ...runRecord(), ...changes }), JSON.stringify(changes)).toMatch(/^it is no record: /)
  })
})
