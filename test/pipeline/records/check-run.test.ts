import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { asidePath } from '../../../src/base/files/write-file-atomic.js'
import { thisProcess } from '../../../src/base/process-identity.js'
import type { Finding } from '../../../src/catalog/finding.js'
import { checkRun, type RunCheckOptions } from '../../../src/pipeline/records/check-run.js'
import { modelLock } from '../../../src/pipeline/records/model-store.js'
import { acquireLock } from '../../../src/storage/lock.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import type { Storage } from '../../../src/storage/storage.js'
import { putRunRecord, runRecord } from '../../helpers/run-records.js'
import { s3Server } from '../../helpers/s3-server.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const server = await s3Server()
const newRun = async () => openStorage(await temporaryFolder())

async function check(run: Storage, options: Partial<RunCheckOptions> = {}) {
  const findings: Finding[] = []
  const made = await checkRun(run, {
    ...{ deep: false, mend: false },
    onFinding: (finding) => {
      expect(finding.what).not.toBe('')
      findings.push(finding)
    },
    ...options,
  })
  return { ...made, findings }
}

/** What was found, in a line each. */
async function found(run: Storage, options: Partial<RunCheckOptions> = {}): Promise<string[]> {
  const { findings } = await check(run, options)
  return findings.map(({ kind, name, mended }) => `${kind} ${name}${mended === undefined ? '' : ', mended'}`)
}

/** What is half written by a process that is gone. */
async function leaveHalfWritten(run: Storage, name: string): Promise<string> {
  const path = asidePath(run.path(name)).replace(/t\d+(-[0-9a-f]{8}\.aside)$/, 't1$1')
  expect(path).not.toContain(`-${thisProcess.started}-`)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, 'half')
  return path.slice(run.path('').replace(/\/$/, '').length + 1)
}

describe('a run that is checked', () => {
  it('has its records counted, and its models; nothing is found where all is right', async () => {
    const run = await newRun()
    await putRunRecord(run, 'models/m/record.json', { 'models/m/model.onnx': 'm', 'models/m/a/b.txt': 'b' })
    await putRunRecord(run, 'models/student/record.json', { 'models/student/model.onnx': 'n' })
    await putRunRecord(run, 'evaluations/e.json', { 'evaluations/e.outcomes.json': '{}' })
    // Of another folder, which is not looked through.
    await putRunRecord(run, 'audits/a.json', { 'web/pictures': 'x' })
    await putRunRecord(run, 'rounds/1.json')
    await run.write('report.json', '{"round": 1}')
    await run.write('rounds.json', '[]')
    const progress: number[][] = []
    const all = await check(run, {
      deep: true,
      mend: true,
      onProgress: (...of) => progress.push(of),
    })
    expect(all).toEqual({ records: 5, models: 2, findings: [] })
    expect(progress).toEqual([1, 2, 3, 4, 5].map((done) => [done, 5]))
    expect(await check(await newRun())).toEqual({ records: 0, models: 0, findings: [] })
  })

  it('has no records but those that lie where stages leave them', async () => {
    const run = await newRun()
    await putRunRecord(run, 'models/m/record.json')
    for (const name of [
      'evaluations/models/other/record.json',
      'rounds/audits/x.json',
      'models/m/deep/record.json',
      'models/m/record.json.txt',
      'audits/x.jsonl',
      'audits/deep/x.json',
      'audits/x.outcomes.json',
      'audits/evaluations/x.outcomes.json',
      'evaluations/x.outcomes.json.bak',
      'exports/boxes/export.json',
      'web/dataset.json',
    ])
      await run.write(name, 'no record')
    expect(await check(run, { mend: true })).toEqual({ records: 1, models: 1, findings: [] })
  })

  it('lacks a file that a record names: the record is removed where it is mended', async () => {
    const run = await newRun()
    await putRunRecord(run, 'models/m/record.json', { 'models/m/model.onnx': 'm', 'models/m/other': 'o' })
    await putRunRecord(run, 'audits/a.json', { 'audits/kept': 'k' })
    await run.remove('models/m/model.onnx')
    expect(await found(run, { deep: true })).toEqual(['missing models/m/model.onnx'])
    expect(await run.exists('models/m/record.json')).toBe(true)
    expect(await found(run, { mend: true })).toEqual(['missing models/m/model.onnx, mended'])
    expect(await run.list('.')).toEqual(['audits/a.json', 'audits/kept', 'models/m/other'])
    expect(await found(run)).toEqual(['foreign models/m/'])
  })

  it('has other bytes than a record says, which a deep check alone finds', async () => {
    const run = await newRun()
    await putRunRecord(run, 'models/m/record.json', { 'models/m/a': 'a', 'models/m/b': 'b' })
    await putRunRecord(run, 'models/n/record.json', { 'models/n/a': 'a' })
    await run.write('models/m/a', 'b')
    await run.write('models/m/b', 'a')
    expect(await found(run)).toEqual([])
    const { findings } = await check(run, { deep: true, mend: true })
    expect(findings.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'wrong models/m/a',
      'wrong models/m/b',
    ])
    expect(findings.every(({ mended }) => mended !== undefined)).toBe(true)
    expect(await run.list('.')).toEqual(['models/m/a', 'models/m/b', 'models/n/a', 'models/n/record.json'])
  })

  it('has a record that is none', async () => {
    const run = await newRun()
    await run.write('rounds/1.json', '{')
    await run.write('rounds/2.json', '{}')
    await putRunRecord(run, 'rounds/3.json')
    expect(await found(run)).toEqual(['wrong rounds/1.json', 'wrong rounds/2.json'])
    expect(await found(run, { mend: true })).toEqual([
      'wrong rounds/1.json, mended',
      'wrong rounds/2.json, mended',
    ])
    expect(await run.list('.')).toEqual(['rounds/3.json'])
  })

  it('is told of in the order of its names, whatever that of its folders is', async () => {
    const run = await newRun()
    const names = [
      'audits/b.json',
      'evaluations/a.json',
      'models/m/record.json',
      'rounds/1.json',
      'rounds/2.json',
    ]
    for (const name of [...names].reverse()) await run.write(name, '{')
    const models = [3, 1, 2, 5, 4].map((at) => `models/${at}x/`)
    for (const name of models) await run.write(`${name}notes.txt`, 'mine')
    for (const at of [3, 1, 2, 5, 4]) await run.write(`evaluations/${at}.outcomes.json`, '{}')
    // Folders are read in no order.
    const own = openStorage(run.url)
    const listFiles = own.listFiles.bind(own)
    own.listFiles = async function* (prefix, where) {
      const files = []
      for await (const file of listFiles(prefix, where)) files.push(file)
      yield* files.sort((a, b) => (a.name < b.name ? 1 : -1))
    }
    expect(await found(own)).toEqual([
      ...names.map((name) => `wrong ${name}`),
      ...[1, 2, 3, 4, 5].map((at) => `left over evaluations/${at}.outcomes.json`),
      ...[...models].sort().map((name) => `foreign ${name}`),
    ])
  })

  it('lacks what was removed while it was looked at, which is nothing to be told of', async () => {
    const run = await newRun()
    await putRunRecord(run, 'audits/a.json', { 'audits/file': 'f' })
    await run.write('report.json', '{}')
    const own = openStorage(run.url)
    own.readVersioned = async () => undefined
    expect(await check(own, { deep: true, mend: true })).toEqual({ records: 1, models: 0, findings: [] })
  })

  it('has reports that are none, which the next round writes anew', async () => {
    const run = await newRun()
    await run.write('report.json', '{')
    await run.write('rounds.json', 'null')
    expect(await found(run, { mend: true })).toEqual(['wrong report.json', 'wrong rounds.json'])
    await run.write('report.json', '7')
    await run.write('rounds.json', '{}')
    expect(await found(run)).toEqual(['wrong report.json'])
    // Of a name alone nobody reads a report.
    await run.remove('report.json')
    await run.write('models/report.json', '7')
    expect(await found(run)).toEqual([])
  })

  it('has answers that no record names', async () => {
    const run = await newRun()
    await putRunRecord(run, 'evaluations/e.json', { 'evaluations/e.outcomes.json': '{}' })
    await putRunRecord(run, 'evaluations/old.json', {})
    for (const name of ['old', 'gone', 'json']) await run.write(`evaluations/${name}.outcomes.json`, '{}')
    const left = ['gone', 'json', 'old'].map((name) => `left over evaluations/${name}.outcomes.json`)
    expect(await found(run)).toEqual(left)
    const lock = await acquireLock(run, 'evaluations/json.lock', { what: 'trying', wait: false })
    expect(await found(run, { mend: true })).toEqual([
      'busy evaluations/json.lock',
      `${left[0]}, mended`,
      left[1],
      `${left[2]}, mended`,
    ])
    await lock.release()
    expect(await run.list('.')).toEqual([
      'evaluations/e.json',
      'evaluations/e.outcomes.json',
      'evaluations/json.outcomes.json',
      'evaluations/old.json',
    ])
    expect(await found(run, { mend: true })).toEqual([`${left[1]}, mended`])
  })

  it('has models that are not finished, those that were replaced, and strangers', async () => {
    const run = await newRun()
    await putRunRecord(run, 'models/m/record.json')
    await run.write('models/a.partial/checkpoint.safetensors', 'c')
    // Records in them are of before, and say nothing.
    await run.write('models/a.partial/record.json', '{')
    await run.write('models/m.replaced/record.json', '{')
    await run.write('models/m.replaced/deep/model.onnx', 'm')
    await run.write('models/gone.replaced/model.onnx', 'm')
    await run.write('models/x/notes.txt', 'mine')
    // A file is no model.
    await run.write('models/notes.txt', 'mine')
    const all = await check(run)
    expect([all.records, all.models]).toEqual([1, 1])
    expect(all.findings.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'busy models/a.partial/',
      'left over models/gone.replaced/',
      'left over models/m.replaced/',
      'foreign models/x/',
    ])
    expect(all.findings.every(({ mended }) => mended === undefined)).toBe(true)
    const lock = await acquireLock(run, modelLock('models/m'), { what: 'trying', wait: false })
    expect(await found(run, { mend: true })).toContain('left over models/m.replaced/')
    await lock.release()
    // What has replaced it is there for one of them.
    expect((await found(run, { mend: true })).slice(1, 3)).toEqual([
      'left over models/gone.replaced/',
      'left over models/m.replaced/, mended',
    ])
    expect((await readdir(run.path('models'))).sort()).toEqual([
      'a.partial',
      'gone.replaced',
      'm',
      'notes.txt',
      'x',
    ])
  })

  it('has no folders that were replaced in a bucket: objects of such a name stay', async () => {
    const run = openStorage(server.url('replaced'))
    await putRunRecord(run, 'models/m/record.json')
    await run.write('models/m.replaced/model.onnx', 'm')
    expect(await found(run, { mend: true })).toEqual(['left over models/m.replaced/'])
    expect(await run.exists('models/m.replaced/model.onnx')).toBe(true)
  })

  it('has what killed processes have left, in its own folders and not in those of its datasets', async () => {
    const run = await newRun()
    const own: string[] = []
    for (const name of ['report.json', 'exports/boxes', 'models/m.partial/deep/model.onnx', 'audits/a.json'])
      own.push(await leaveHalfWritten(run, name))
    const others = [
      await leaveHalfWritten(run, 'web/images/00000.parquet'),
      await leaveHalfWritten(run, 'exports/boxes/labels.json'),
    ]
    const left = own.map((name) => `left over ${name}`)
    expect((await found(run)).sort()).toEqual([...left].sort())
    const mended = await found(run, { mend: true })
    expect(mended.sort()).toEqual(left.map((line) => `${line}, mended`).sort())
    expect(await found(run)).toEqual([])
    for (const name of others) expect(await run.exists(name)).toBe(true)
  })

  it('is left as it is where a stage makes something there', async () => {
    for (const [record, lock, other] of [
      ['models/m/record.json', modelLock('models/m'), 'models/m/record.lock'],
      ['audits/a.json', 'audits/a.lock', 'audits.lock'],
      ['audits/a.json.json', 'audits/a.json.lock', 'audits/a.lock.json'],
    ] as const) {
      const run = await newRun()
      await run.write(record, '{')
      const held = await acquireLock(run, lock, { what: 'trying', wait: false })
      expect(await found(run, { mend: true })).toEqual([`busy ${lock}`, `wrong ${record}`])
      expect(await run.exists(record), record).toBe(true)
      await held.release()
      // Another lock than that of the record is no hindrance.
      const foreign = await acquireLock(run, other, { what: 'trying', wait: false })
      expect(await found(run, { mend: true })).toContain(`wrong ${record}, mended`)
      await foreign.release()
    }
  })

  it('is told of nothing where a record was made anew while its files were looked at', async () => {
    const run = await newRun()
    await putRunRecord(run, 'audits/a.json', { 'audits/file': 'f' })
    await run.remove('audits/file')
    const own = openStorage(run.url)
    own.exists = async () => {
      await putRunRecord(run, 'audits/a.json')
      return false
    }
    expect(await found(own, { mend: true })).toEqual([])
    expect(await run.exists('audits/a.json')).toBe(true)
    own.exists = async () => {
      await run.remove('audits/a.json')
      return false
    }
    await putRunRecord(run, 'audits/a.json', { 'audits/file': 'f' })
    await run.remove('audits/file')
    expect(await found(own, { mend: true })).toEqual([])
  })

  it('keeps a record that was made anew, and the answers that it names, before the lock was free', async () => {
    const run = await newRun()
    await run.write('audits/a.json', '{')
    await run.write('evaluations/e.outcomes.json', '{}')
    const own = openStorage(run.url)
    const create = own.create.bind(own)
    own.create = async (name, bytes) => {
      if (name === 'audits/a.lock') await putRunRecord(run, 'audits/a.json')
      else await putRunRecord(run, 'evaluations/e.json', { 'evaluations/e.outcomes.json': '{}' })
      return create(name, bytes)
    }
    expect(await found(own, { mend: true })).toEqual([
      'wrong audits/a.json',
      'left over evaluations/e.outcomes.json',
    ])
    expect(await run.list('.')).toEqual([
      'audits/a.json',
      'evaluations/e.json',
      'evaluations/e.outcomes.json',
    ])
  })

  it('is checked no further where it is told to end, or its store fails', async () => {
    const run = await newRun()
    await run.write('audits/a.json', JSON.stringify(runRecord()))
    await run.write('audits/b.json', '{')
    await expect(check(run, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    const own = openStorage(run.url)
    own.create = () => Promise.reject(new Error('the disk is full'))
    await expect(check(own, { mend: true })).rejects.toThrow('the disk is full')
  })
})
