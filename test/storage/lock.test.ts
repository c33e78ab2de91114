import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { thisProcess } from '../../src/base/process-identity.js'
import { UserError } from '../../src/base/user-error.js'
import { acquireLock, LockedError, withLock } from '../../src/storage/lock.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { compiledProgram } from '../helpers/compiled.js'
import { s3Server } from '../helpers/s3-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const server = await s3Server()
const folder = await temporaryFolder()
const script = compiledProgram('storage/compete')
const dead = spawnSync(process.execPath, ['-e', '']).pid
const children = new Set<ChildProcess>()
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
})

function start(url: string, args: readonly string[], options: readonly string[] = []): ChildProcess {
  const child = spawn(process.execPath, [...options, script, url, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  return child
}

/** Has several processes count at once, each so far. */
async function countAtOnce(url: string, how: string, processes: number, times: number, options?: string[]) {
  const all = Array.from({ length: processes }, () => start(url, [how, String(times)], options))
  for (const ended of await Promise.all(all.map((child) => once(child, 'exit')))) expect(ended[0]).toBe(0)
  const bytes = await openStorage(url).read('a/count.json')
  return Number(Buffer.from(bytes ?? []).toString())
}

const kinds = {
  'a folder': {
    open: (name: string) => openStorage(`${folder}/${name}`),
    setAge: async (name: string, key: string, age: number) => {
      const written = (Date.now() - age) / 1000
      await utimes(`${folder}/${name}/${key}`, written, written)
    },
  },
  'a bucket': {
    open: (name: string) => openStorage(server.url(name)),
    setAge: (name: string, key: string, age: number) => server.setAge(`${name}/${key}`, age),
  },
}

describe.each(Object.entries(kinds))('swaps in %s', (_, { open }) => {
  it('replace what was read, and nothing else', async () => {
    const storage = open('swap')
    expect(await storage.readVersioned('x')).toBeUndefined()
    expect(await storage.swap('x', 'one', undefined)).toBe(true)
    expect(await storage.swap('x', 'two', undefined)).toBe(false)
    const one = await storage.readVersioned('x')
    expect(Buffer.from(one?.bytes ?? []).toString()).toBe('one')
    expect(await storage.swap('x', 'two', one?.version)).toBe(true)
    expect(await storage.swap('x', 'three', one?.version)).toBe(false)
    await storage.remove('x')
    expect(await storage.swap('x', 'three', one?.version)).toBe(false)
    expect(await storage.exists('x')).toBe(false)
    const swaps = [1, 2, 3, 4, 5].map((number) => storage.swap('x', String(number), undefined))
    expect((await Promise.all(swaps)).filter(Boolean)).toHaveLength(1)
    const listed = []
    for await (const { name, size } of storage.listFiles('.')) listed.push([name, size])
    expect(listed).toEqual([['x', 1]])
  })

  it('of several processes at once are all counted', async () => {
    expect(await countAtOnce(open('swaps').url, 'swap', 3, 15)).toBe(45)
  })
})

describe.each(Object.entries(kinds))('a lock in %s', (_, { open: at, setAge }) => {
  it('is held by one, who is named to the next, and is free after', async () => {
    const storage = at('one')
    const lock = await acquireLock(storage, 'a/x.lock', { what: 'exporting', wait: false })
    const second = acquireLock(storage, 'a/x.lock', { what: 'exporting', wait: false })
    await expect(second).rejects.toThrow(LockedError)
    await expect(second).rejects.toThrow(UserError)
    await expect(second).rejects.toThrow(
      new RegExp(
        `x\\.lock.* is taken: process ${process.pid} on ${thisProcess.host} is exporting there since 20`,
      ),
    )
    const waiting = withLock(storage, 'a/x.lock', 'waiting', async () => 'came')
    await lock.release()
    await lock.release()
    expect(await waiting).toBe('came')
    expect(await storage.list('.')).toEqual([])
    await expect(
      withLock(storage, 'a/x.lock', 'failing', () => Promise.reject(new Error('no'))),
    ).rejects.toThrow('no')
    expect(await storage.list('.')).toEqual([])
    const stop = new AbortController()
    const held = await acquireLock(storage, 'a/x.lock', { what: 'exporting', wait: false })
    const given = acquireLock(storage, 'a/x.lock', { what: 'waiting', wait: true, signal: stop.signal })
    setTimeout(() => stop.abort(), 20)
    await expect(given).rejects.toThrow(/abort/)
    await held.release()
  })

  it('lets one process at a time work', async () => {
    expect(await countAtOnce(at('count').url, 'lock', 3, 8)).toBe(24)
  })

  it('of a killed process is taken over by one of several; of a stopped one it is not', async () => {
    const storage = at('killed')
    const child = start(storage.url, ['hold'])
    await once(child.stdout as NonNullable<typeof child.stdout>, 'data')
    child.kill('SIGSTOP')
    // However long ago that was.
    await setAge('killed', 'a/count.lock', 3_600_000)
    const take = () => acquireLock(storage, 'a/count.lock', { what: 'taking over', wait: false })
    await expect(take()).rejects.toThrow(new RegExp(`process ${child.pid} on .* is holding on`))
    child.kill('SIGKILL')
    await once(child, 'exit')
    const all = await Promise.allSettled(Array.from({ length: 6 }, take))
    const taken = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    expect(taken).toHaveLength(1)
    for (const one of all) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(LockedError)
    await taken[0]?.release()
    expect(await storage.list('.')).toEqual([])
  })

  it('of another machine is taken over when it was not renewed for two minutes, by the clock of the store', async () => {
    const storage = at('far')
    const owner = {
      host: 'far',
      pid: 1,
      started: '01234567t1',
      token: 'x',
      what: 'training',
      since: 'noon',
      beat: 3,
    }
    const take = () => acquireLock(storage, 'm/x.lock', { what: 'mending', wait: false })
    const named = JSON.stringify(owner)
    const odd = [{ host: 'a\nb' }, { what: 'a'.repeat(500) }].map((one) =>
      JSON.stringify({ ...owner, ...one }),
    )
    for (const text of [named, 'no JSON', ...odd]) {
      await storage.write('m/x.lock', text)
      await setAge('far', 'm/x.lock', 100_000)
      await expect(take()).rejects.toThrow(text === named ? 'process 1 on far is training' : 'cannot be read')
      await setAge('far', 'm/x.lock', 130_000)
      await (await take()).release()
    }
    // A process that is there, and not in this container.
    const here = { ...owner, ...thisProcess, started: `01234567${thisProcess.started.slice(8)}` }
    await storage.write('m/x.lock', JSON.stringify(here))
    await expect(take()).rejects.toThrow(LockedError)
    // One of the same number that began at another time: this one lives, that one is gone.
    await storage.write('m/x.lock', JSON.stringify({ ...here, started: `${thisProcess.started}0` }))
    await (await take()).release()
  })

  it('that was lost is not given up for another one', async () => {
    const storage = at('lost')
    const lock = await acquireLock(storage, 'x.lock', { what: 'sleeping', wait: false })
    const other = JSON.stringify({ ...thisProcess, token: 'y', what: 'z', since: 'noon', beat: 0 })
    await storage.write('x.lock', other)
    const now = performance.now
    performance.now = () => now.call(performance) + 70_000
    try {
      await lock.release()
    } finally {
      performance.now = now
    }
    expect(Buffer.from((await storage.read('x.lock')) ?? []).toString()).toBe(other)
  })
})

describe('the lock under which a folder swaps', () => {
  const storage = openStorage(`${folder}/inner`)
  const aside = (host: string, pid: number | undefined, started: string) =>
    `x.${host}-${pid}-${started}-01234567.aside`

  it('is taken away from the dead, and their new file before it', async () => {
    const owners = [
      [aside(thisProcess.host, dead, thisProcess.started), 0],
      [aside('far', 1, '01234567t1'), 130_000],
      ['', 130_000],
    ] as const
    for (const [token, age] of owners) {
      await storage.write('x', 'old')
      await writeFile(storage.path('x.swap.aside'), token)
      if (token) await writeFile(storage.path(token), 'half')
      const written = (Date.now() - age) / 1000
      await utimes(storage.path('x.swap.aside'), written, written)
      const before = (await storage.readVersioned('x'))?.version
      const swaps = [1, 2, 3, 4].map((number) => storage.swap('x', `new ${number}`, before))
      expect((await Promise.all(swaps)).filter(Boolean)).toHaveLength(1)
      expect(await readdir(storage.path('.'))).toEqual(['x'])
    }
  })

  it('of one who died as it was given up goes with the next who sweeps, though nobody swaps that file again', async () => {
    const own = openStorage(`${folder}/swept`)
    await own.write('x', 'new')
    const names = async () => (await readdir(own.path('.'))).sort()
    const lock = async (token: string) => {
      await writeFile(own.path('x.swap.aside'), token)
      await own.sweep('.')
      return (await names()).includes('x.swap.aside')
    }
    expect(await lock(aside(thisProcess.host, dead, thisProcess.started))).toBe(false)
    expect(await lock(aside(thisProcess.host, thisProcess.pid, thisProcess.started))).toBe(true)
    expect(await lock(aside('far', 1, '01234567t1'))).toBe(true)
    expect(await lock('')).toBe(true)
    // What only ends like one, and is long, is not read.
    await own.remove('x.swap.aside')
    await writeFile(own.path('large.aside'), 'a'.repeat(100_000))
    await own.sweep('.')
    expect(await names()).toEqual(['large.aside', 'x'])
  })

  it('is waited for where its owner lives', async () => {
    await storage.write('x', 'old')
    const before = (await storage.readVersioned('x'))?.version
    await writeFile(storage.path('x.swap.aside'), aside('far', 1, '01234567t1'))
    const swap = storage.swap('x', 'new', before)
    const first = await Promise.race([swap, new Promise((resolve) => setTimeout(resolve, 300, 'waiting'))])
    expect(first).toBe('waiting')
    await storage.remove('x.swap.aside')
    expect(await swap).toBe(true)
  })

  it('is a copy where the file system has no links', async () => {
    const patch = `import fs from 'node:fs/promises'
      import { syncBuiltinESMExports } from 'node:module'
      fs.link = async () => { throw Object.assign(new Error('no links'), { code: 'ENOTSUP' }) }
      syncBuiltinESMExports()`
    const options = ['--import', `data:text/javascript,${encodeURIComponent(patch)}`]
    expect(await countAtOnce(`${folder}/unlinked`, 'swap', 3, 20, options)).toBe(60)
    expect(await countAtOnce(`${folder}/unlinked-lock`, 'lock', 3, 8, options)).toBe(24)
    expect(await readdir(`${folder}/unlinked-lock/a`)).toEqual(['count.json'])
    expect(await readFile(`${folder}/unlinked-lock/a/count.json`, 'utf8')).toBe('24')
  })
})

describe('a swap in a bucket', () => {
  it('that was sent twice since its answer was lost is one', async () => {
    const storage = openStorage(server.url('again'))
    await storage.write('x', 'one')
    const before = (await storage.readVersioned('x'))?.version
    server.fail(1, /^PUT .*again\/x/, 'lose')
    expect(await storage.swap('x', 'two', before)).toBe(true)
    expect(Buffer.from((await storage.read('x')) ?? []).toString()).toBe('two')
    server.fail(1, /^PUT .*again\/y/, 'lose')
    expect(await storage.create('y', 'new')).toBe(true)
    expect(await storage.create('y', 'new')).toBe(false)
  })
})

describe('a store that has no conditional puts', () => {
  it('is looked at first', async () => {
    const storage = openStorage(server.url('plain'))
    server.setConditional(false)
    const warnings: string[] = []
    const listen = (warning: Error) => void warnings.push(warning.message)
    process.on('warning', listen)
    try {
      expect(await storage.swap('x', 'one', undefined)).toBe(true)
      expect(await storage.swap('x', 'two', undefined)).toBe(false)
      const one = await storage.readVersioned('x')
      expect(await storage.swap('x', 'two', one?.version)).toBe(true)
      expect(await storage.swap('x', 'three', one?.version)).toBe(false)
      await withLock(storage, 'x.lock', 'working', async () => {})
      await new Promise((resolve) => setTimeout(resolve, 10))
      expect(warnings).toEqual([expect.stringContaining('has no conditional puts')])
    } finally {
      process.off('warning', listen)
      server.setConditional(true)
    }
  })
})
