import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Random, random } from '../../src/base/random.js'
import type { Family } from '../../src/rows/rows.js'
import { readCommit } from '../../src/shards/commit.js'
import { openObject, openStorage } from '../../src/storage/open-storage.js'
import { compiledProgram } from '../helpers/compiled.js'
import { nodeFlags } from '../helpers/node-flags.js'
import { s3Server } from '../helpers/s3-server.js'
import { sha256 } from '../helpers/stepped-storage.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { some } from '../helpers/thorough.js'
import type { WriterOrders } from './write-shards.js'

const folder = await temporaryFolder()
const images = join(folder, 'source')
const shards = ['00000', '00001', '00002']
const rowsAShard = 3
const program = compiledProgram('shards/write-shards')
const made: readonly (readonly [Family, string | null])[] = [
  ['images', null],
  ['phrases', 'gold'],
  ['grounding', 'gold'],
  ['negatives', 'gold'],
  ['rejects', 'gold'],
  ['phrases', 'chunk'],
  ['rejects', 'chunk'],
]

/** Pictures, with captions and boxes that are those of a configuration. */
beforeAll(async () => {
  await mkdir(images)
  const colours = ['red', 'green', 'blue'] as const
  const ids = Array.from({ length: rowsAShard * shards.length }, (_, id) => id)
  for (const id of ids)
    await sharp({
      create: { width: 40 + id, height: 30, channels: 3, background: colours[id % 3] as string },
    }).toFile(join(images, `${id}.png`))
  for (const [config, animal] of Object.entries({ a: 'dog', b: 'cat' })) {
    const captions = ids.map((id) => `A ${colours[id % 3]} ${animal}`)
    const described = {
      images: ids.map((id) => ({
        ...{ id, file_name: `${id}.png`, width: 40 + id, height: 30 },
        caption: `${captions[id]} on a table`,
      })),
      annotations: ids.map((id) => ({
        ...{ id, image_id: id, category_id: 1, bbox: [2, 2, 20, 20] },
        tokens_positive: [[0, captions[id]?.length]],
      })),
      categories: [{ id: 1, name: 'animal' }],
    }
    await writeFile(join(images, `${config}.json`), JSON.stringify(described))
  }
})

interface Writing {
  readonly child: ChildProcess
  readonly ready: Promise<unknown>
  readonly ended: Promise<unknown>
}

function startWriter(orders: Pick<WriterOrders, 'url' | 'config' | 'seed' | 'pause' | 'share'>): Writing {
  const all = { ...orders, images, instances: join(images, `${orders.config}.json`) }
  const child = spawn(process.execPath, [...nodeFlags, program, JSON.stringify(all)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  return { child, ready: Promise.race([once(child.stdout, 'data'), ended]), ended }
}

/** A run that nobody disturbs: the last one. */
async function lastRun(url: string) {
  const { child, ended } = startWriter({ url, config: 'a', seed: 'last', pause: 0, share: 0 })
  await ended
  expect(child.exitCode).toBe(0)
}

/** Who kills, and how often in all. */
interface Killer {
  readonly draw: Random
  left: number
}

/**
 * One of several at work: it is killed some time after it began, and started again, until there are no kills
 * left. Of those that are not killed one in three is stopped for a while.
 */
async function workOn(url: string, name: string, config: string, killer: Killer) {
  const { draw } = killer
  for (let life = 0; ; life++) {
    const { child, ready, ended } = startWriter({
      url,
      config,
      seed: `${name}/${life}`,
      pause: 30,
      share: 0.25,
    })
    await ready
    const isKilled = killer.left > 0
    await Promise.race([ended, delay(draw.between(0, 700))])
    if (child.exitCode !== null) {
      expect(child.exitCode).toBe(0)
      if (!isKilled) return
      continue
    }
    if (isKilled && killer.left > 0) {
      killer.left--
      child.kill('SIGKILL')
      await ended
      continue
    }
    if (draw.next() < 0.5) {
      child.kill('SIGSTOP')
      await delay(draw.between(200, 1500))
      child.kill('SIGCONT')
    }
    await ended
    expect(child.exitCode).toBe(0)
    return
  }
}

/** Reads every record again and again, and its files: what a record names is there, and is what it says. */
async function watch(url: string, isOver: () => boolean): Promise<number> {
  const storage = openStorage(url)
  // A file is never written over.
  const known = new Set<string>()
  let seen = 0
  // Each look reads every record, which the store of objects, in this process too, takes milliseconds for.
  const rest = some(storage.isLocal ? 50 : 300, 20)
  while (!isOver()) {
    for (const [family, stage] of made)
      for (const shard of shards) {
        const file = (await readCommit(storage, family, stage, shard))?.files[family]
        if (!file) continue
        seen++
        const bytes = known.has(file.path) ? undefined : await readWhole(storage.path(file.path))
        if (bytes) expect(sha256(bytes), file.path).toBe(file.sha256)
        if (bytes) known.add(file.path)
        else if (!(await storage.exists(file.path))) {
          // Replaced between the record and the file: then the record is another.
          const after = await readCommit(storage, family, stage, shard)
          expect(after?.files[family]?.path, 'a record names a file that is not there').not.toBe(file.path)
        }
      }
    await delay(rest)
  }
  return seen
}

const readWhole = async (location: string) => {
  try {
    const opened = await openObject(location)
    try {
      return new Uint8Array(await opened.read(0, opened.size))
    } finally {
      await opened.close()
    }
  } catch {
    return undefined
  }
}

/** Hashes of all files but the records, whose times differ, by their names: those aside too. */
async function filesOf(url: string): Promise<Record<string, string>> {
  const storage = openStorage(url)
  const names = storage.isLocal
    ? (await readdir(url, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(url.length + 1))
    : await storage.list('.')
  const hashes: Record<string, string> = {}
  for (const name of names.sort())
    hashes[name] = name.endsWith('.json') ? 'a record' : sha256((await storage.read(name)) as Uint8Array)
  return hashes
}

async function contend(url: string, configs: readonly string[], killer: Killer) {
  let isOver = false
  const watched = watch(url, () => isOver)
  const working = configs.map((config, index) => workOn(url, String(index), config, killer))
  const worked = Promise.all(working).finally(() => {
    isOver = true
  })
  const [seen] = await Promise.all([watched, worked])
  expect(seen).toBeGreaterThan(some(5, 20))
  expect(killer.left).toBe(0)
  await lastRun(url)
}

const calm = join(folder, 'calm')
beforeAll(() => lastRun(calm), 60_000)

describe('many writers of one dataset', () => {
  it.each(
    some(
      [{ writers: ['a', 'b', 'a'], kills: 3, seed: 1 }],
      [1, 2, 3].flatMap((seed) => [
        { writers: ['a', 'b'], kills: 8, seed },
        { writers: ['a', 'a', 'b', 'a'], kills: 8, seed },
      ]),
    ),
  )(
    '$writers.length at once, $kills killed, leave what one leaves (draw $seed)',
    async ({ writers, kills, seed }) => {
      const url = join(folder, `writers-${writers.length}-${seed}`)
      await contend(url, writers, { draw: random('kills', writers.length, seed), left: kills })
      expect(await filesOf(url)).toEqual(await filesOf(calm))
      const duckdb = await (await DuckDBInstance.create()).connect()
      const counted = await duckdb.runAndReadAll(
        `select count(*)::int, count(distinct key)::int from '${url}/images/*.parquet'`,
      )
      expect(counted.getRows()).toEqual([[9, 9]])
      duckdb.closeSync()
    },
    120_000,
  )

  it.each(
    some(
      [{ kills: 1, seed: 1 }],
      [1, 2, 3].map((seed) => ({ kills: 4, seed })),
    ),
  )(
    'in a store of objects, $kills killed, leave what one leaves (draw $seed)',
    async ({ kills, seed }) => {
      const server = await s3Server()
      const url = server.url(`shaken-${seed}`)
      await contend(url, ['a', 'b'], { draw: random('kills in a store', seed), left: kills })
      expect(await filesOf(url)).toEqual(await filesOf(calm))
    },
    120_000,
  )
})
