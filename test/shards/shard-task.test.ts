import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { families, filePath, recordPath, shardObject } from '../../src/rows/family-path.js'
import { readCommit } from '../../src/shards/commit.js'
import type { WriteFamily } from '../../src/shards/shard-files.js'
import { runShardTask, type ShardOutput, type ShardTask } from '../../src/shards/shard-task.js'
import { sweepShards } from '../../src/shards/sweep-shards.js'
import { statsBuilder } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { compiledProgram } from '../helpers/compiled.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const taskIn = (storage: Storage): ShardTask => ({
  storage,
  stage: 'chunk',
  shard: '00000',
  configHash: 'c1',
  inputs: { images: 'i1' },
})

const statsOf = (head: string) => {
  const stats = statsBuilder()
  stats.tally('heads', head)
  return stats.build()
}

async function chunkOnce(write: WriteFamily): Promise<ShardOutput> {
  const file = await write('phrases', [{ key: 'a', phrases: [] }])
  const sums = { unit: 'captions', in: 3, out: 2, rejected: { no_phrase: 1 } }
  return { files: { phrases: file }, ...sums, stats: statsOf('__proto__') }
}

/** What ingest of gold does: four families in one task. */
async function ingestGold(task: ShardTask) {
  return runShardTask(task, 'images', async (write) => {
    const { configHash } = task
    const key = `${configHash}-0`
    const rejects = [{ key: null, url: configHash, reason: 'bad', detail: '' }]
    const image = {
      key,
      image: { bytes: Buffer.from(configHash), path: null },
      width: 1,
      height: 1,
      captions: [],
      url: null,
      sha256: '',
      phash: '',
      license: null,
      meta: null,
    }
    const files = {
      images: await write('images', [image]),
      rejects: await write('rejects', rejects),
      phrases: await write('phrases', [{ key, phrases: [] }]),
      grounding: await write('grounding', [{ key, regions: [] }]),
    }
    return { files, unit: 'pairs', in: 2, out: 1, rejected: { bad: 1 }, stats: statsOf(configHash) }
  })
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/**
 * The configuration hash of what can be seen of a shard in each family; throws where a record speaks of other
 * bytes.
 */
async function visible(storage: Storage, stage: string): Promise<Record<string, string>> {
  const seen: Record<string, string> = {}
  for (const family of families) {
    const record = await readCommit(storage, family, stage, '00000')
    if (!record) continue
    seen[family] = record.configHash
    for (const file of Object.values(record.files)) {
      expect(sha256(await readFile(storage.path(file.path)))).toBe(file.sha256)
    }
  }
  return seen
}

async function filesOf(storage: Storage): Promise<Record<string, string>> {
  const names = (await readdir(storage.path('.'), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.json'))
    .map((entry) => join(entry.parentPath, entry.name))
  const hashes = names.map(async (name) => [
    name.slice(storage.path('.').length),
    sha256(await readFile(name)),
  ])
  return Object.fromEntries((await Promise.all(hashes)).sort())
}

describe('a shard task', () => {
  it('runs once for the same configuration and inputs, and again for others', async () => {
    const storage = openStorage(await temporaryFolder())
    const task = taskIn(storage)
    let runs = 0
    const run = (changed: Partial<ShardTask>) =>
      runShardTask({ ...task, ...changed }, 'phrases', (write) => {
        runs++
        return chunkOnce(write)
      })
    const first = await run({})
    expect(first.skipped).toBe(false)
    expect(await run({})).toEqual({ record: first.record, skipped: true })
    expect(runs).toBe(1)
    const others: Partial<ShardTask>[] = [
      { configHash: 'c2' },
      { configHash: 'c2', inputs: { images: 'i2' } },
      { configHash: 'c2', inputs: { images: 'i2', model: 'm' } },
      { configHash: 'c2', inputs: { model: 'm' } },
    ]
    for (const changed of others) expect((await run(changed)).skipped).toBe(false)
    expect(runs).toBe(5)
    expect(await readCommit(storage, 'phrases', 'chunk', '00000')).toMatchObject({
      stage: 'chunk',
      family: 'phrases',
      configHash: 'c2',
      inputs: { model: 'm' },
      in: 3,
      out: 2,
      rejected: { no_phrase: 1 },
    })
  })

  it('leaves what there was when its work fails or it is stopped, and no file', async () => {
    const storage = openStorage(await temporaryFolder())
    const task = taskIn(storage)
    const fail = async (write: WriteFamily) => {
      await chunkOnce(write)
      throw new Error('no')
    }
    await expect(runShardTask(task, 'phrases', fail)).rejects.toThrow('no')
    expect(await visible(storage, 'chunk')).toEqual({})
    expect(await filesOf(storage)).toEqual({})
    await runShardTask(task, 'phrases', chunkOnce)
    const whole = await filesOf(storage)
    await expect(runShardTask({ ...task, configHash: 'c3' }, 'phrases', fail)).rejects.toThrow('no')
    const stopping = new AbortController()
    const stopped = { ...task, configHash: 'c4', signal: stopping.signal }
    const work = async (write: WriteFamily) => {
      const output = await chunkOnce(write)
      stopping.abort()
      return output
    }
    await expect(runShardTask(stopped, 'phrases', work)).rejects.toThrow(/abort/i)
    expect(await visible(storage, 'chunk')).toEqual({ phrases: 'c1' })
    expect(await filesOf(storage)).toEqual(whole)
  })

  it('refuses counts that do not add up, a missing file, and families of unequal length', async () => {
    const storage = openStorage(await temporaryFolder())
    const attempt = (change: (output: ShardOutput, write: WriteFamily) => Promise<Partial<ShardOutput>>) =>
      runShardTask(taskIn(storage), 'phrases', async (write) => {
        const output = await chunkOnce(write)
        return { ...output, ...(await change(output, write)) }
      })
    await expect(attempt(async () => ({ in: 4 }))).rejects.toThrow(
      'stage chunk, shard 00000: 4 captions in, 2 out and 1 rejected do not add up',
    )
    await expect(attempt(async () => ({ files: {} }))).rejects.toThrow('there is no file of phrases')
    const longer = async ({ files }: ShardOutput, write: WriteFamily) => {
      const rows = ['a', 'b'].map((key) => ({ key, regions: [] }))
      return {
        files: { ...files, grounding: await write('grounding', rows) },
      }
    }
    await expect(attempt(longer)).rejects.toThrow('2 rows of grounding beside 1 of phrases')
    expect(await visible(storage, 'chunk')).toEqual({})
  })

  it('does not share a name with another stage of its dataset', async () => {
    const storage = openStorage(await temporaryFolder())
    const gold = { ...taskIn(storage), stage: 'gold' }
    await ingestGold(gold)
    const teach = () => runShardTask(gold, 'proposals', () => Promise.reject(new Error('not reached')))
    await expect(teach()).rejects.toThrow(/the stage "gold" already made the images of shard 00000/)
    const before = await visible(storage, 'gold')
    expect(before).toEqual({ images: 'c1', phrases: 'c1', grounding: 'c1', rejects: 'c1' })
  })

  it('clears away what an earlier run made and it does not', async () => {
    const storage = openStorage(await temporaryFolder())
    const task = { ...taskIn(storage), stage: 'gold' }
    await ingestGold(task)
    await runShardTask({ ...task, configHash: 'c2' }, 'images', async (write) => {
      const images = await write('images', [])
      return { files: { images }, unit: 'pairs', in: 0, out: 0, rejected: {}, stats: statsOf('none') }
    })
    expect(await visible(storage, 'gold')).toEqual({ images: 'c2' })
    for (const family of ['phrases', 'grounding', 'rejects']) expect(await storage.list(family)).toEqual([])
  })
})

describe('a shard task that dies', () => {
  /** Storage that is cut off before the given change of it. */
  function dyingStorage(url: string, changes: number): Storage {
    const storage = openStorage(url)
    let left = changes
    const alive = async () => {
      if (left-- <= 0) throw new Error('dead')
    }
    return {
      ...storage,
      write: (...given) => alive().then(() => storage.write(...given)),
      swap: (...given) => alive().then(() => storage.swap(...given)),
      async writeAside(...given) {
        await alive()
        const aside = await storage.writeAside(...given)
        return { ...aside, place: (name) => alive().then(() => aside.place(name)) }
      },
      // Of a process that dies its lock is taken over; here it lives on.
      remove: (name) =>
        (name.endsWith('.lock') ? Promise.resolve() : alive()).then(() => storage.remove(name)),
    }
  }

  it('before any change of the disk, leaves the old shard or the new one whole, and no file for good', async () => {
    const url = await temporaryFolder()
    const task = { ...taskIn(openStorage(url)), stage: 'gold' }
    const all = (hash: string) => ({ images: hash, phrases: hash, grounding: hash, rejects: hash })
    await ingestGold(task)
    const old = await filesOf(task.storage)
    const fresh = { ...task, configHash: 'c2', storage: openStorage(await temporaryFolder()) }
    await ingestGold(fresh)
    const undisturbed = await filesOf(fresh.storage)

    const seen: string[] = []
    for (let changes = 0; ; changes++) {
      const dying = dyingStorage(url, changes)
      const died = await ingestGold({ ...task, configHash: 'c2', storage: dying }).then(
        () => false,
        (error: Error) => error.message === 'dead',
      )
      const state = await visible(task.storage, 'gold')
      seen.push(state.images ?? 'none')
      if (!died) {
        expect(state).toEqual(all('c2'))
        break
      }
      expect([all('c1'), all('c2')]).toContainEqual(state)

      await ingestGold({ ...task, configHash: 'c2' })
      expect(await visible(task.storage, 'gold')).toEqual(all('c2'))
      await sweepShards(task.storage, 'images', 'gold')
      expect(await filesOf(task.storage)).toEqual(undisturbed)
      await ingestGold(task)
      expect(await filesOf(task.storage)).toEqual(old)
    }
    // The shard is never away: the new one takes the place of the old in one change.
    const first = seen.indexOf('c2')
    expect(seen).toEqual([
      ...Array<string>(first).fill('c1'),
      ...Array<string>(seen.length - first).fill('c2'),
    ])
    expect(first).toBeGreaterThan(8)
    expect(seen.length - first).toBeGreaterThan(4)
  })

  it('by SIGKILL in the middle of a file, leaves nothing that is seen, and no litter after the next run', async () => {
    const url = await temporaryFolder()
    const storage = openStorage(url)
    const script = compiledProgram('shards/write-until-killed')
    const child = spawn(process.execPath, [script, url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const asides = async () =>
      (await readdir(storage.path('phrases/chunk'))).filter((name) => /aside/.test(name))
    expect(await asides()).toHaveLength(1)
    expect(await storage.list('phrases')).toEqual([])
    expect(await visible(storage, 'chunk')).toEqual({})
    expect((await runShardTask(taskIn(storage), 'phrases', chunkOnce)).skipped).toBe(false)
    await sweepShards(storage, 'phrases', 'chunk')
    expect(await asides()).toEqual([])
    expect(await visible(storage, 'chunk')).toEqual({ phrases: 'c1' })
  })
})

describe('a commit record', () => {
  it('of a family beside another exists only with the other', async () => {
    const storage = openStorage(await temporaryFolder())
    await ingestGold({ ...taskIn(storage), stage: 'gold' })
    expect(await readCommit(storage, 'grounding', 'gold', '00000')).toMatchObject({
      family: 'grounding',
      main: 'images',
    })
    await storage.remove('images/00000.json')
    expect(await readCommit(storage, 'grounding', 'gold', '00000')).toBeUndefined()
  })

  it('is refused when malformed or newer, with its name and what to do', async () => {
    const storage = openStorage(await temporaryFolder())
    await runShardTask(taskIn(storage), 'phrases', chunkOnce)
    const name = recordPath('phrases', 'chunk', '00000')
    const good = JSON.parse(await readFile(storage.path(name), 'utf8'))
    const { files: _, ...headless } = good
    for (const [text, message] of [
      [
        '{"version": 1',
        /chunk\/00000\.json is not a commit record .*: delete it, and its shard is made anew/,
      ],
      ['[1]', /00000\.json is not a commit record \(it has no version\)/],
      [JSON.stringify({ ...good, version: 3 }), /00000\.json has version 3.*update groundmill/],
      [JSON.stringify(headless), /00000\.json is not a commit record \(files: /],
      [JSON.stringify({ ...good, out: -1 }), /\(out: /],
      [JSON.stringify({ ...good, out: 3 }), /3 captions in, 3 out and 1 rejected do not add up/],
    ] as const) {
      await writeFile(storage.path(name), text)
      await expect(readCommit(storage, 'phrases', 'chunk', '00000')).rejects.toThrow(message)
    }
  })

  it('has no name that leads out of its dataset', () => {
    for (const bad of ['..', 'a/b', '', '.hidden', '-x', 'a'.repeat(129)]) {
      expect(() => recordPath('phrases', bad, '00000')).toThrow(/cannot name a stage/)
      expect(() => recordPath('images', null, bad)).toThrow(/cannot name a shard/)
    }
    const hash = 'ab'.repeat(32)
    expect(filePath('images', 'web', '00001', hash)).toBe('images/00001-abababababababab.parquet')
    expect(filePath('phrases', 'chunk', '00001', hash)).toBe('phrases/chunk/00001-abababababababab.parquet')
    expect(recordPath('images', null, '00001')).toBe('images/00001.json')
    const told = ['images/00001-abababababababab.parquet', 'phrases/chunk/00001.parquet', 'images/00001.json']
    expect(told.map((name) => shardObject(name))).toEqual([
      { shard: '00001', kind: 'file' },
      { shard: '00001', kind: 'file' },
      { shard: '00001', kind: 'record' },
    ])
    expect(shardObject('images/00001.lock')).toBeUndefined()
  })
})
