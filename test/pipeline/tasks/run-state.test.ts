import { describe, expect, it } from 'vitest'
import { thisProcess } from '../../../src/base/process-identity.js'
import { runMetrics } from '../../../src/pipeline/tasks/run-metrics.js'
import { type RunState, runStateReader } from '../../../src/pipeline/tasks/run-state.js'
import { readStoredPipeline, storePipeline } from '../../../src/pipeline/tasks/stored-pipeline.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { parsePrometheusText } from '../../helpers/prometheus-text.js'
import { s3Server } from '../../helpers/s3-server.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'
import { type WatchedRun, watchedRun } from '../../helpers/watched-run.js'

const server = await s3Server()
let buckets = 0
const task = (stage: string, shard: string, done = 3, total = 12) => ({
  task: { stage, shard, since: new Date().toISOString(), done, total },
})
const stageOf = ({ stages }: RunState, name: string) => stages.find((stage) => stage.name === name)

describe.each([
  ['in a folder', async () => watchedRun()],
  ['in a bucket', async () => watchedRun(server.url(`run-${buckets++}`))],
])('the state of a run %s', (_, make) => {
  it('says what is done, under way, set aside and to do, and who works', async () => {
    const watched: WatchedRun = await make()
    const read = runStateReader(watched.run)
    const before = await read()
    expect(stageOf(before, 'gold')).toMatchObject({ total: 3, done: 3, underWay: 0, toDo: 0, workSeconds: 0 })
    expect(stageOf(before, 'chunk')).toMatchObject({ total: 3, done: 0, setAside: 0, toDo: 3 })
    expect(stageOf(before, 'teacher')).toMatchObject({ total: 1, done: 0, toDo: 1 })
    expect(before).toMatchObject({ pipeline: { name: 'small', hash: watched.hash }, isDone: false })
    expect(before.secondsLeft).toBeUndefined()

    // One works on a shard, one has set a shard aside and gone, one was killed in its shard.
    const failed = (shard: string, error: string) => ({ stage: 'chunk', shard, error })
    await watched.present('a', { ...task('chunk', '00000'), rate: 4 })
    const ended = new Date(Date.now() - 1000).toISOString()
    await watched.present('b', {
      ended,
      beat: ended,
      failed: [failed('00001', 'the first'), failed('00001', 'no such word'), failed('00000', 'once')],
    })
    await watched.present('c', {
      ...task('chunk', '00002'),
      started: thisProcess.started.replace(/\d+$/, '1'),
    })
    const during = await read()
    expect(stageOf(during, 'chunk')).toMatchObject({
      ...{ total: 3, done: 0, underWay: 1, setAside: 1, toDo: 1, rate: 4 },
    })
    expect(during.setAside).toEqual([{ stage: 'chunk', shard: '00001', error: 'no such word' }])
    expect(during.processes.map(({ state }) => state)).toEqual(['alive', 'ended', 'dead'])
    // Nothing of chunk and of the teacher was ever measured.
    expect(during.isAtLeast).toBe(true)

    await watched.chunk()
    const after = await read()
    expect(stageOf(after, 'chunk')).toMatchObject({ total: 3, done: 3, underWay: 0, setAside: 0, toDo: 0 })
    expect(after.setAside).toEqual([])
    expect(after.isDone).toBe(false)

    await watched.run.write('models/teacher/record.json', '{}')
    await watched.present('a')
    // What is done is looked at again only now and then; this one was not done.
    const end = await read()
    expect(stageOf(end, 'teacher')).toMatchObject({ done: 1, toDo: 0 })
    expect(end).toMatchObject({ isDone: true, isAtLeast: false, secondsLeft: 0 })
  })

  it('says how long it will take, by the records and those who work', async () => {
    const watched: WatchedRun = await make()
    await watched.chunk()
    // Each shard took ten seconds, and one of them is to be made again, of which a quarter is done.
    for (const shard of ['00000', '00001', '00002']) {
      const name = `gold/phrases/chunk/${shard}.json`
      const record = JSON.parse(Buffer.from((await watched.run.read(name)) ?? '').toString())
      if (shard === '00002') await watched.run.remove(name)
      else await watched.run.write(name, JSON.stringify({ ...record, seconds: 10 }))
    }
    await watched.present('a', task('chunk', '00002'))
    const one = await runStateReader(watched.run)()
    expect(stageOf(one, 'chunk')).toMatchObject({ workSeconds: 7.5, secondsLeft: 7.5 })
    await watched.present('b', {
      task: { stage: 'teacher', since: new Date().toISOString(), done: 5, total: 10 },
      rate: 0.5,
    })
    // A run that has others do its work is no worker.
    await watched.present('c', { kind: 'run' })
    const two = await runStateReader(watched.run)()
    expect(stageOf(two, 'teacher')).toMatchObject({ underWay: 1, workSeconds: 10, secondsLeft: 10 })
    expect(two.secondsLeft).toBeCloseTo((7.5 + 10) / 2)
  })
})

describe('the state of a run', () => {
  it('is read by lists, not by a read a shard', async () => {
    const watched = await watchedRun(server.url('many'))
    const shards = Array.from({ length: 30 }, (_, n) => String(n).padStart(5, '0'))
    const info = JSON.parse(Buffer.from((await watched.run.read('gold/dataset.json')) ?? '').toString())
    await watched.run.write('gold/dataset.json', JSON.stringify({ ...info, shards }))
    const record = (await watched.run.read('gold/images/00000.json')) ?? new Uint8Array()
    for (const shard of shards.slice(0, 29)) await watched.run.write(`gold/images/${shard}.json`, record)
    const read = runStateReader(watched.run)
    const recordReads = () => server.requests.filter((line) => /images\/\d+\.json/.test(line)).length
    server.requests.length = 0
    expect(stageOf(await read(), 'gold')).toMatchObject({ total: 30, done: 29 })
    // Some records say how long a shard takes; they are read once.
    expect(recordReads()).toBe(8)
    server.requests.length = 0
    await read()
    expect(recordReads()).toBe(0)
    // The pipeline, the dataset (is it there, and what does it say), the teacher's record.
    const reads = server.requests.filter((line) => !line.includes('list-type'))
    expect(reads.length).toBeLessThanOrEqual(6)
  })

  it('is that of the pipeline whose process said something last', async () => {
    const watched = await watchedRun()
    const small = await readStoredPipeline(watched.run, watched.hash)
    const other = await storePipeline(watched.run, { ...small, name: 'other' })
    const read = runStateReader(watched.run)
    // Stored last.
    expect((await read()).pipeline.name).toBe('other')
    await watched.present('a', { ended: new Date().toISOString() })
    expect((await read()).pipeline.name).toBe('small')
    await watched.present('b', { pipeline: other, beat: new Date(Date.now() - 60_000).toISOString() })
    expect((await read()).pipeline.name).toBe('other')
    // One that is not there is no pipeline.
    await watched.present('c', { pipeline: 'f'.repeat(64) })
    expect((await read()).pipeline.name).toBe('other')
  })

  it('is none where no run was', async () => {
    const run = openStorage(await temporaryFolder())
    await expect(runStateReader(run)()).rejects.toThrow('has no run to watch')
  })

  it('is told as metrics, anew each time', async () => {
    const watched = await watchedRun()
    const read = runStateReader(watched.run)
    const metrics = runMetrics()
    await watched.present('a', { ...task('chunk', '00000'), rate: 4 })
    metrics.set(await read())
    const valuesOf = async (name: string) =>
      Object.fromEntries(
        (parsePrometheusText(await metrics.registry.text()).get(name)?.samples ?? []).map(
          ({ labels, value }) => [Object.values(labels).join(' '), value],
        ),
      )
    expect(await valuesOf('groundmill_run_tasks')).toMatchObject({
      ...{ 'gold done': 3, 'chunk done': 0, 'chunk under_way': 1, 'chunk to_do': 2, 'teacher to_do': 1 },
    })
    expect(await valuesOf('groundmill_run_rate')).toMatchObject({ chunk: 4 })
    expect(await valuesOf('groundmill_run_processes')).toEqual({ 'worker alive': 1 })
    await watched.run.remove('.groundmill/workers/a.json')
    metrics.set(await read())
    expect(await valuesOf('groundmill_run_processes')).toEqual({})
    expect(await valuesOf('groundmill_run_tasks')).toMatchObject({ 'chunk under_way': 0, 'chunk to_do': 3 })
  })
})
