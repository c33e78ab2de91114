import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { datasetShards } from '../../src/pipeline/stages/dataset-shards.js'
import { hashOfFile } from '../../src/pipeline/stages/hash-inputs.js'
import { amendShardTask } from '../../src/shards/amend-shard.js'
import type { CommitRecord } from '../../src/shards/commit.js'
import { readCommit } from '../../src/shards/commit.js'
import { joinRows } from '../../src/shards/join-rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import type { WriteFamily } from '../../src/shards/shard-files.js'
import { runShardTask, type ShardOutput, type ShardTask } from '../../src/shards/shard-task.js'
import { sweepShards } from '../../src/shards/sweep-shards.js'
import { emptyStats } from '../../src/statistics/stats.js'
import type { Storage } from '../../src/storage/storage.js'
import { interleave, type Step, type Switch } from '../helpers/interleave.js'
import { SteppedStore, sha256 } from '../helpers/stepped-storage.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'
import { some } from '../helpers/thorough.js'

const scratch = await temporaryFolder()
const place = { stage: 'gold', shard: '00000' }
const minutes = 60_000
/** Drawn, in each place. */
const schedules = some(50, 600)
/** Of the operations of a commit one in so many is tried. */
const stride = some(3, 1)

/** What a writer does: makes the shard of a configuration, amends that of `a`, or removes what is left over. */
const kinds = ['a', 'b', 'amend', 'sweep'] as const
type Kind = (typeof kinds)[number]

/** A shard whose every file says what it is of: of `b` it has no phrases. */
async function files(write: WriteFamily, content: string): Promise<ShardOutput> {
  const key = `${content}-0`
  const image = {
    ...{ key, image: { bytes: Buffer.from(content), path: null }, width: 1, height: 1, captions: [] },
    ...{ url: null, sha256: '', phash: '', license: null, meta: null },
  }
  const made = {
    images: await write('images', [image]),
    ...(content !== 'b' && { phrases: await write('phrases', [{ key, phrases: [] }]) }),
    rejects: await write('rejects', [{ key: null, url: content, reason: 'bad', detail: '' }]),
  }
  return { files: made, unit: 'pairs', in: 2, out: 1, rejected: { bad: 1 }, stats: emptyStats }
}

async function work(storage: Storage, kind: Kind): Promise<unknown> {
  if (kind === 'sweep') return sweepShards(storage, 'images', place.stage)
  const task = { storage, ...place, configHash: kind === 'b' ? 'b' : 'a', inputs: {} }
  if (kind === 'amend') return amendShardTask(task, 'images', (_, write) => files(write, 'amended'))
  return runShardTask(task, 'images', (write) => files(write, kind))
}

/** A stage that reads the pictures, and says in its rows whose they are. */
async function makeOfImages(storage: Storage) {
  const { shard } = place
  const stage = { name: 'chunk', uses: 'chunk', needs: [], with: {} }
  const prepare = async () => ({
    inputs: { images: await hashOfFile(storage, 'images', null, shard) },
    work: (task: ShardTask) =>
      runShardTask(task, 'phrases', async (write) => {
        const keys: string[] = []
        for await (const { key } of joinRows(storage, shard, { images: { columns: [] } })) keys.push(key)
        const phrases = await write(
          'phrases',
          keys.map((key) => ({ key, phrases: [] })),
        )
        return { files: { phrases }, unit: 'rows', in: 1, out: 1, rejected: {}, stats: emptyStats }
      }),
  })
  const open = datasetShards(stage, 'c', { name: 'gold', storage, shards: [shard] }, prepare)
  // As a run tries again what may pass.
  for (let attempt = 0; attempt < 5; attempt++) {
    const made = await open.make(shard, {}).catch((error: unknown) => error)
    if (!(made instanceof Error)) return
  }
}

const recordName = `images/${place.shard}.json`
const recordOf = (store: SteppedStore) => {
  const bytes = store.read(recordName)
  return bytes && (JSON.parse(bytes.toString()) as CommitRecord)
}
const hashesOf = ({ files }: CommitRecord) =>
  Object.fromEntries(Object.entries(files).map(([family, file]) => [family, file.sha256]))

const free = async () => {}

/** The files of a shard that one writer made alone. */
const expected = new Map<string, Readonly<Record<string, string>>>()
beforeAll(async () => {
  for (const [content, writers] of [
    ['a', ['a']],
    ['b', ['b']],
    ['amended', ['a', 'amend']],
  ] as const) {
    const store = new SteppedStore(mkdtempSync(join(scratch, 'alone-')), true)
    for (const kind of writers) await work(store.openBy('alone', free), kind)
    expected.set(content, hashesOf(recordOf(store) as CommitRecord))
  }
})

/**
 * The record's files are those that it says, and are all of one writer; and all are there.
 *
 * @param isAll false where files may be missing
 */
function checkRecord(store: SteppedStore, isAll = true) {
  const record = recordOf(store)
  if (!record) return
  for (const { path, sha256: hash } of Object.values(record.files)) {
    const bytes = store.read(path)
    if (!bytes && !isAll) continue
    if (!bytes) throw new Error(`the record names ${path}, which is not there`)
    if (sha256(bytes) !== hash) throw new Error(`the record has another hash than ${path}`)
  }
  const hashes = JSON.stringify(hashesOf(record))
  if (![...expected.values()].some((one) => JSON.stringify(one) === hashes))
    throw new Error('the record is of files of several writers')
}

/** After a run that nobody disturbed there is what one writer alone would leave, and nothing else. */
async function checkEnd(store: SteppedStore) {
  store.pass(2 * 24 * 60 * minutes)
  const storage = store.openBy('last', free)
  await work(storage, 'a')
  await work(storage, 'sweep')
  checkRecord(store)
  const record = recordOf(store) as CommitRecord
  const named = Object.values(record.files).map(({ path }) => path)
  expect(record.configHash).toBe('a')
  expect(store.names()).toEqual([recordName, `phrases/gold/${place.shard}.json`, ...named].sort())
}

const switchesOf = (hows: readonly Switch['how'][]) =>
  fc.array(fc.record({ after: fc.nat(40), how: fc.constantFrom(...hows), to: fc.nat(1) }), { maxLength: 5 })
const someWriters = fc.array(fc.constantFrom<Kind>(...kinds), { minLength: 2, maxLength: 3 })

describe.each([
  { where: 'a folder', isLocal: true },
  { where: 'a store of objects', isLocal: false },
])('writers of one shard in $where', ({ isLocal }) => {
  let store: SteppedStore
  beforeEach(() => {
    vi.spyOn(performance, 'now').mockImplementation(() => store?.now ?? 0)
  })
  afterEach(() => {
    vi.restoreAllMocks()
  })

  async function scheduled(
    before: readonly Kind[],
    writers: readonly Kind[],
    switches: readonly Switch[],
    check: () => void,
  ) {
    store = new SteppedStore(mkdtempSync(join(scratch, 'shard-')), isLocal)
    try {
      for (const kind of before) await work(store.openBy('before', free), kind)
      const outcomes = await interleave(
        writers.map((kind, index) => ({
          name: `${index} ${kind}`,
          run: (step) => work(store.openBy(`machine${index}`, step), kind),
        })),
        switches,
        { stepped: check, timePasses: () => store.pass(3 * minutes) },
      )
      for (const { how, error } of outcomes) if (how === 'failed') throw error
      await checkEnd(store)
    } finally {
      rmSync(store.root, { recursive: true, force: true })
    }
  }

  /** Which of a writer's steps are of its commit, where nothing disturbs it. */
  async function stepsOfCommit(before: readonly Kind[], kind: Kind) {
    store = new SteppedStore(mkdtempSync(join(scratch, 'steps-')), isLocal)
    for (const one of before) await work(store.openBy('before', free), one)
    const steps: string[] = []
    await work(
      store.openBy('alone', async (what) => {
        steps.push(what)
      }),
      kind,
    )
    rmSync(store.root, { recursive: true })
    const from = steps.findIndex((what) => /^(place|create) /.test(what))
    return { from: from === -1 ? steps.length : from, to: steps.length }
  }

  it('killed or paused at any operation, leave a whole shard at every instant', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<readonly Kind[]>([], ['a'], ['b']),
        someWriters,
        switchesOf(['pause', 'kill']),
        (before, writers, switches) => scheduled(before, writers, switches, () => checkRecord(store)),
      ),
      { numRuns: schedules, seed: 12 },
    )
  })

  it('frozen until they are taken for dead, leave a whole shard', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<readonly Kind[]>([], ['a'], ['b']),
        someWriters,
        switchesOf(['pause', 'freeze']),
        (before, writers, switches) => scheduled(before, writers, switches, () => checkRecord(store, false)),
      ),
      { numRuns: schedules / 2, seed: 12 },
    )
  })

  it('frozen at each operation of a commit while another works, leave a whole shard', async () => {
    // Another one first for each of them, so that all kinds of operations are tried by one of them.
    let first = 0
    for (const before of [[], ['a']] as const)
      for (const frozen of ['a', 'b', 'amend'] as const)
        for (const other of ['a', 'sweep'] as const) {
          const { from, to } = await stepsOfCommit(before, frozen)
          for (let after = from + (first++ % stride); after < to; after += stride) {
            const switches = [{ after, how: 'freeze', to: 0 }] as const
            await scheduled(before, [frozen, other], switches, () => checkRecord(store, false)).catch(
              (error) => {
                throw new Error(`${[...before, frozen, other]}, after ${after}: ${error.message}`, {
                  cause: error,
                })
              },
            )
          }
        }
  })

  it('of a shard that another replaces while it is read, say what they have read', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom<Kind>('a', 'b'), { minLength: 1, maxLength: 2 }),
        switchesOf(['pause']),
        async (writers, switches) => {
          store = new SteppedStore(mkdtempSync(join(scratch, 'read-')), isLocal)
          await work(store.openBy('before', free), 'a')
          await interleave(
            [
              { name: 'reader', run: (step) => makeOfImages(store.openBy('machine', step)) },
              ...writers.map((kind, index) => ({
                name: `${index} ${kind}`,
                run: (step: Step) => work(store.openBy(`machine${index}`, step), kind),
              })),
            ],
            switches,
            { stepped() {}, timePasses: () => store.pass(3 * minutes) },
          )
          const storage = store.openBy('last', free)
          const record = await readCommit(storage, 'phrases', 'chunk', place.shard)
          if (!record) return
          const keys: string[] = []
          for await (const { key } of readShard(storage, 'phrases', 'chunk', place.shard)) keys.push(key)
          const read = ['a', 'b'].find((content) => expected.get(content)?.images === record.inputs.images)
          expect(keys).toEqual([`${read}-0`])
          rmSync(store.root, { recursive: true, force: true })
        },
      ),
      { numRuns: schedules / 2, seed: 12 },
    )
  })
})
