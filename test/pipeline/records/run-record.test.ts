import { describe, expect, it } from 'vitest'
import { thisProcess } from '../../../src/base/process-identity.js'
import { readRunRecord, runOnce } from '../../../src/pipeline/records/run-record.js'
import { acquireLock, LockedError } from '../../../src/storage/lock.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import { s3Server } from '../../helpers/s3-server.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const server = await s3Server()
const folder = await temporaryFolder()
const name = 'audits/a.json'
const task = { stage: 'a', configHash: 'c', inputs: { x: '1' } }

describe.each([
  ['a folder', (place: string) => openStorage(`${folder}/${place}`)],
  ['a bucket', (place: string) => openStorage(server.url(place))],
])('what leaves one record in %s', (_, open) => {
  it('is made by one of several at once, who is named to the others', async () => {
    const storage = open('once')
    let made = 0
    const gates: (() => void)[] = []
    const work = async () => {
      made++
      await new Promise<void>((resolve) => gates.push(resolve))
      return { by: 'done' }
    }
    const first = runOnce(storage, name, task, work)
    while (gates.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    const second = runOnce(storage, name, task, work)
    await expect(second).rejects.toThrow(LockedError)
    await expect(second).rejects.toThrow(`process ${process.pid} on ${thisProcess.host} is making "a"`)
    gates[0]?.()
    expect(await first).toMatchObject({ skipped: false, record: { result: { by: 'done' } } })
    expect(await runOnce(storage, name, task, work)).toMatchObject({ skipped: true })
    expect(made).toBe(1)
    expect(await storage.list('.')).toEqual([name])
  })

  it('is found without the lock of who was killed when it was made; one of who lives stays', async () => {
    const storage = open('killed')
    const work = async () => ({ by: 'done' })
    await runOnce(storage, name, task, work)
    const lock = name.replace('.json', '.lock')
    const owner = { ...thisProcess, token: '0', what: 'making "a"', since: new Date().toISOString(), beat: 0 }
    await storage.write(lock, JSON.stringify({ ...owner, started: owner.started.replace(/\d+$/, '1') }))
    expect(await runOnce(storage, name, task, work)).toMatchObject({ skipped: true })
    expect(await storage.list('.')).toEqual([name])
    await storage.write(lock, JSON.stringify(owner))
    expect(await runOnce(storage, name, task, work)).toMatchObject({ skipped: true })
    expect(await storage.list('.')).toEqual([name, lock].sort())
  })

  it('is not recorded by who lost its lock, or whose inputs have changed', async () => {
    const storage = open('lost')
    const lock = 'audits/a.lock'
    const other = JSON.stringify({ ...thisProcess, token: 'y', what: 'z', since: 'noon', beat: 0 })
    const lost = runOnce(storage, name, task, async () => {
      // Another process takes the lock over, makes it and is through.
      await storage.write(lock, other)
      await storage.write(
        name,
        JSON.stringify({ ...task, result: { by: 'theirs' }, seconds: 0, createdAt: '' }),
      )
      await storage.remove(lock)
      return { by: 'mine' }
    })
    await expect(lost).rejects.toThrow('was written by another process while "a" was made')
    expect((await readRunRecord(storage, name))?.result).toEqual({ by: 'theirs' })
    const changed = { ...task, configHash: 'd' }
    const inputsNow = async () => ({ x: '2' })
    await expect(
      runOnce(storage, name, changed, async () => ({ by: 'mine' }), { inputsNow }),
    ).rejects.toThrow('What "a" is made of was changed by another process meanwhile')
    expect((await readRunRecord(storage, name))?.result).toEqual({ by: 'theirs' })
    await runOnce(storage, name, changed, async () => ({ by: 'mine' }), {
      inputsNow: async () => ({ x: '1' }),
    })
    expect((await readRunRecord(storage, name))?.result).toEqual({ by: 'mine' })
    expect(await storage.list('.')).toEqual([name])
  })

  it('is found where another process made it just before', async () => {
    const storage = open('before')
    const own = openStorage(storage.url)
    const create = own.create.bind(own)
    own.create = async (file, bytes) => {
      const made = { ...task, result: { by: 'theirs' }, seconds: 0, createdAt: '' }
      await storage.write(name, JSON.stringify(made))
      return create(file, bytes)
    }
    const found = await runOnce(own, name, task, async () => ({ by: 'mine' }))
    expect(found).toMatchObject({ skipped: true, record: { result: { by: 'theirs' } } })
  })

  it('leaves its lock free when it fails', async () => {
    const storage = open('fails')
    await expect(runOnce(storage, name, task, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    const lock = await acquireLock(storage, 'audits/a.lock', { what: 'trying', wait: false })
    await lock.release()
    expect(await storage.list('.')).toEqual([])
  })
})
