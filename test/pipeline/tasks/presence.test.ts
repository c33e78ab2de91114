import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { thisProcess } from '../../../src/base/process-identity.js'
import { openPresence, type PresenceAbout } from '../../../src/pipeline/tasks/presence.js'
import type { PresenceRecord } from '../../../src/pipeline/tasks/presence-record.js'
import {
  deadAfterMs,
  othersAtWork,
  presenceFolder,
  readPresences,
  removeEnded,
} from '../../../src/pipeline/tasks/read-presences.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import type { Storage } from '../../../src/storage/storage.js'
import { s3Server } from '../../helpers/s3-server.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const about: PresenceAbout = { kind: 'worker', pipeline: 'p'.repeat(64), writeMs: 20 }
const folder = async () => openStorage(await temporaryFolder())
const record = (change: Partial<PresenceRecord> = {}): PresenceRecord => ({
  ...thisProcess,
  kind: 'worker',
  pipeline: 'p',
  since: new Date().toISOString(),
  beat: new Date().toISOString(),
  rows: 0,
  tasks: { made: 0, skipped: 0, failed: 0 },
  rate: 0,
  failed: [],
  ...change,
})
const put = (run: Storage, name: string, text: string | PresenceRecord) =>
  run.write(`${presenceFolder}/${name}.json`, typeof text === 'string' ? text : JSON.stringify(text))

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await delay(10)
  }
}

describe('the presence of a process', () => {
  it('says what is done, and is gone at the end', async () => {
    const server = await s3Server()
    for (const run of [await folder(), openStorage(server.url('run'))]) {
      const presence = openPresence(run, about)
      presence.update({ task: { stage: 'label', shard: '00000', done: 0, total: 40 } })
      presence.update({ task: { stage: 'label', shard: '00000', done: 10, total: 40 } })
      const found = await until(async () => (await readPresences(run)).find(({ task }) => task?.done === 10))
      expect(found).toMatchObject({
        ...thisProcess,
        state: 'alive',
        kind: 'worker',
        task: { stage: 'label', shard: '00000', total: 40 },
        rows: 10,
      })
      presence.update({ ended: { stage: 'label', shard: '00000' }, outcome: 'made', rows: 40 })
      presence.update({ ended: { stage: 'label', shard: '00001' }, outcome: 'skipped' })
      const idle = await until(async () =>
        (await readPresences(run)).find(({ tasks }) => tasks.skipped === 1),
      )
      expect(idle).toMatchObject({ rows: 40, tasks: { made: 1, skipped: 1, failed: 0 } })
      expect(idle.task).toBeUndefined()
      await presence.close()
      expect(await run.list(presenceFolder)).toEqual([])
    }
  })

  it('leaves why tasks were set aside, which the next whole run takes away', async () => {
    const run = await folder()
    const slice = openPresence(run, { ...about, kind: 'slice' })
    for (let shard = 0; shard < 120; shard++)
      slice.update({ ended: { stage: 'label', shard: `${shard}` }, outcome: 'failed', error: `no ${shard}` })
    slice.update({ ended: { stage: 'label', shard: '119' }, outcome: 'failed', error: 'x'.repeat(5000) })
    await slice.close()
    const [left] = await readPresences(run)
    expect(left).toMatchObject({ state: 'ended', tasks: { failed: 121 } })
    expect(left?.failed).toHaveLength(100)
    expect(left?.failed.at(-1)).toEqual({ stage: 'label', shard: '119', error: 'x'.repeat(1000) })
    expect(left?.failed.filter(({ shard }) => shard === '119')).toHaveLength(1)
    const whole = openPresence(run, { ...about, kind: 'run' })
    await whole.close()
    expect(await readPresences(run)).toEqual([])
  })

  it('never disturbs the work where it cannot be written, and says so once', async () => {
    const run = await folder()
    const told: string[] = []
    let tries = 0
    const broken: Storage = {
      ...run,
      write: async () => {
        tries++
        throw new Error('no such bucket')
      },
      remove: async () => {
        throw new Error('no such bucket')
      },
    }
    const presence = openPresence(broken, { ...about, onNotice: (text) => told.push(text) })
    await until(async () => {
      presence.update({ task: { stage: 'label', shard: '00000' } })
      return tries > 2 ? tries : undefined
    })
    await presence.close()
    expect(told).toEqual(['who works on this run cannot be noted down: no such bucket'])
  })

  it('writes no oftener than it may, and one at a time', async () => {
    const run = await folder()
    let [writes, atOnce, most] = [0, 0, 0]
    const slow: Storage = {
      ...run,
      async write(...args) {
        writes++
        most = Math.max(most, ++atOnce)
        await delay(60)
        await run.write(...args)
        atOnce--
      },
    }
    const presence = openPresence(slow, { ...about, writeMs: 30 })
    const start = performance.now()
    // As long as it takes, on a slow machine.
    while (writes < 5) {
      presence.update({ task: { stage: 'label', done: writes } })
      await delay(1)
    }
    // A write takes at least 60 ms, and the next one waits for it.
    expect(performance.now() - start).toBeGreaterThan(4 * 59)
    await presence.close()
    expect(most).toBe(1)
  })
})

describe('who is present', () => {
  it('takes away what a worker that was killed was writing, where a whole run ends', async () => {
    const path = await temporaryFolder()
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'exit')
    const left = (pid: number) => `a.json.${thisProcess.host}-${pid}-${thisProcess.started}-0123abcd.aside`
    const names = [left(child.pid as number), left(thisProcess.pid)]
    await mkdir(join(path, presenceFolder), { recursive: true })
    for (const name of names) await writeFile(join(path, presenceFolder, name), '{')
    await openPresence(openStorage(path), { ...about, kind: 'run' }).close()
    expect(await readdir(join(path, presenceFolder))).toEqual(names.slice(1))
  })

  it('tells the living from the dead, here and elsewhere', async () => {
    const run = await folder()
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'exit')
    const now = Date.now()
    const at = (age: number) => new Date(now - age).toISOString()
    await put(run, 'a', record())
    await put(run, 'b', record({ pid: child.pid as number }))
    await put(run, 'c', record({ host: 'elsewhere', beat: at(1000) }))
    await put(run, 'd', record({ host: 'elsewhere', beat: at(deadAfterMs + 1000) }))
    await put(run, 'e', record({ ended: at(0) }))
    await put(run, 'f', record({ beat: at(deadAfterMs + 1000) }))
    const states = Object.fromEntries(
      (await readPresences(run, now)).map(({ file, state }) => [file.slice(-6, -5), state]),
    )
    expect(states).toEqual({ a: 'alive', b: 'dead', c: 'alive', d: 'dead', e: 'ended', f: 'silent' })
  })

  it('is of others where they work by another pipeline, and not of a worker of a queue that waits', async () => {
    const run = await folder()
    const worker = { kind: 'queue-worker', pipeline: 'other' } as const
    await put(run, 'a', record())
    await put(run, 'b', record(worker))
    expect(await othersAtWork(run, 'p')).toBe(undefined)
    const task = { stage: 'web', shard: '00000', since: new Date().toISOString(), done: 0, total: 0 }
    await put(run, 'b', record({ ...worker, task }))
    expect(await othersAtWork(run, 'p')).toContain(`process ${thisProcess.pid} on `)
    await put(run, 'b', record({ ...worker, kind: 'run' }))
    expect(await othersAtWork(run, 'p')).toContain(`process ${thisProcess.pid} on `)
  })

  it('is of nobody who is no more, and names who it is', async () => {
    const run = await folder()
    await put(run, 'a', record({ pipeline: 'other', ended: new Date().toISOString() }))
    const long = new Date(Date.now() - deadAfterMs - 1000).toISOString()
    await put(run, 'b', record({ pipeline: 'other', host: 'elsewhere', beat: long }))
    await put(run, 'c', record())
    expect(await othersAtWork(run, 'p')).toBe(undefined)
    const [since, beat] = ['2026-01-02T03:04:05.000Z', new Date().toISOString()]
    await put(run, 'd', record({ pipeline: 'other', host: 'elsewhere', pid: 7, since, beat }))
    expect(await othersAtWork(run, 'p')).toBe(`process 7 on elsewhere (since ${since})`)
    // One that is silent may still work.
    await run.remove(`${presenceFolder}/d.json`)
    await put(run, 'e', record({ pipeline: 'other', beat: long }))
    expect(await othersAtWork(run, 'p')).toContain(`process ${thisProcess.pid} on `)
  })

  it('stays where it may still work, when what others have left is removed', async () => {
    const run = await folder()
    const long = new Date(Date.now() - deadAfterMs - 1000).toISOString()
    await put(run, 'alive', record())
    await put(run, 'silent', record({ beat: long }))
    await put(run, 'ended', record({ ended: long }))
    await put(run, 'dead', record({ host: 'elsewhere', beat: long }))
    await run.write(`${presenceFolder}/notes.txt`, JSON.stringify(record()))
    expect(await readPresences(run)).toHaveLength(4)
    await removeEnded(run)
    expect(await run.list(presenceFolder)).toEqual(
      ['alive.json', 'notes.txt', 'silent.json'].map((name) => `${presenceFolder}/${name}`),
    )
  })

  it('is taken for dead after two minutes, to the millisecond', async () => {
    const run = await folder()
    const beat = '2026-01-02T03:04:05.000Z'
    await put(run, 'a', record({ host: 'elsewhere', beat }))
    const stateAt = async (age: number) => (await readPresences(run, Date.parse(beat) + age))[0]?.state
    expect([await stateAt(deadAfterMs - 1), await stateAt(deadAfterMs)]).toEqual(['alive', 'dead'])
  })

  it('leaves out what is none', async () => {
    const run = await folder()
    await put(run, 'half', '{"host": "a')
    await put(run, 'other', '[]')
    await put(run, 'odd', JSON.stringify({ ...record(), rows: 'many' }))
    await put(
      run,
      'long',
      JSON.stringify({ ...record(), failed: Array(101).fill({ stage: 'a', error: '' }) }),
    )
    await put(run, 'good', record())
    expect((await readPresences(run)).map(({ file }) => file)).toEqual([`${presenceFolder}/good.json`])
  })
})
