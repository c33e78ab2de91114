import { readFileSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { hashBytes } from '../../../src/base/hash.js'
import { UserError } from '../../../src/base/user-error.js'
import { checkDataset } from '../../../src/catalog/check-dataset.js'
import type { Finding } from '../../../src/catalog/finding.js'
import { readStats } from '../../../src/catalog/read-stats.js'
import { runQuery } from '../../../src/query/run-query.js'
import { families } from '../../../src/rows/family-path.js'
import type { Family } from '../../../src/rows/rows.js'
import { type CommitRecord, textOf } from '../../../src/shards/commit.js'
import { readDataset } from '../../../src/shards/dataset.js'
import { readShard } from '../../../src/shards/read-shard.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import type { Storage } from '../../../src/storage/storage.js'
import { makeSmallDataset } from '../../../test/helpers/small-dataset.js'
import { type FuzzTarget, filesBelow } from '../target.js'

/** Every row of every family of a dataset, and what commands say of it. */
async function readDatasetWhole(url: string): Promise<void> {
  const storage = openStorage(url)
  const { shards } = await readDataset(storage)
  await readStats(url)
  const stages = ['s', 'chunk', 'label-1', 'round-1']
  for (const family of families)
    for (const stage of family === 'images' ? [null] : stages)
      for (const shard of shards.slice(0, 1)) {
        try {
          for await (const _ of readShard(storage, family, stage, shard));
        } catch (error) {
          // A family that the stage does not have.
          if (!(error instanceof UserError)) throw error
        }
      }
}

/** What lists a dataset's shards, and their records: as they are stored, and as older versions wrote them. */
async function recordTarget(storage: Storage, name: string): Promise<FuzzTarget> {
  const file = join(storage.url, name)
  const stored = await readFile(file, 'utf8')
  // Without a checksum, so that not every change of it is refused as damage.
  const { checksum, ...record } = JSON.parse(stored)
  const samples = [stored, ...(checksum === undefined ? [] : [`${JSON.stringify(record, null, 1)}\n`])]
  return {
    name: `dataset: ${name}`,
    samples: samples.map((text) => new Uint8Array(Buffer.from(text))),
    file,
    async read() {
      await readDatasetWhole(storage.url)
      let wrong: string | undefined
      const onFinding = (finding: Finding) => {
        if (finding.kind === 'wrong') wrong = finding.what
      }
      await checkDataset(storage, { deep: true, mend: false, onFinding })
      if (wrong !== undefined) throw new UserError(wrong)
    },
  }
}

interface ShardPlace {
  readonly family: Family
  readonly stage: string | null
  /** Of its record, below the dataset. */
  readonly record: string
  /** Asked over its rows, if anything is. */
  readonly sql?: string
}

/** A shard whose record has the size and hash of what lies there: a stranger's is as sound as anybody's. */
async function shardTarget(
  storage: Storage,
  { family, stage, record: recordName }: ShardPlace,
  what: string,
  read: () => Promise<unknown>,
): Promise<FuzzTarget> {
  const place = join(storage.url, recordName)
  const stored = readFileSync(place, 'utf8')
  const { checksum: _, ...record } = JSON.parse(stored) as CommitRecord & { checksum?: string }
  const stands = record.files[family]!
  const file = join(storage.url, stands.path)
  return {
    name: `dataset: ${family}${stage === null ? '' : ` of ${stage}`}, ${what}`,
    samples: [await readFile(file)],
    file,
    async read(bytes) {
      const files = {
        ...record.files,
        [family]: { ...stands, bytes: bytes.length, sha256: hashBytes(bytes) },
      }
      writeFileSync(place, textOf({ ...record, files }))
      try {
        await read()
      } finally {
        writeFileSync(place, stored)
      }
    },
  }
}

const shardPlaces: readonly ShardPlace[] = [
  { family: 'images', stage: null, record: 'images/00000.json' },
  { family: 'phrases', stage: 'chunk', record: 'phrases/chunk/00000.json', sql: 'select * from phrases' },
  {
    family: 'proposals',
    stage: 'label-1',
    record: 'proposals/label-1/00000.json',
    sql: 'select * from proposals',
  },
  { family: 'grounding', stage: 'round-1', record: 'grounding/round-1/00000.json' },
  { family: 'rejects', stage: 'chunk', record: 'phrases/chunk/00000.json' },
]

/** Records, lists and shards of a dataset that came from somewhere else. */
export async function datasetTargets(folder: string): Promise<FuzzTarget[]> {
  const { url, storage } = await makeSmallDataset(folder)
  const all = new Set((await filesBelow(url)).map((path) => relative(url, path)))
  const records = ['dataset.json', ...new Set(shardPlaces.map(({ record }) => record))]
  const places = shardPlaces.filter(
    ({ family, record }) =>
      all.has(record) && JSON.parse(readFileSync(join(url, record), 'utf8')).files?.[family],
  )
  const targets: FuzzTarget[] = []
  for (const name of records) if (all.has(name)) targets.push(await recordTarget(storage, name))
  for (const place of places)
    targets.push(
      await shardTarget(storage, place, 'rows', async () => {
        for await (const _ of readShard(openStorage(url), place.family, place.stage, '00000'));
      }),
    )
  for (const place of places) {
    const { sql } = place
    if (sql === undefined) continue
    targets.push(
      await shardTarget(storage, place, 'query', () =>
        runQuery(openStorage(url), sql, {}, async ({ rows }) => {
          for await (const _ of rows);
        }),
      ),
    )
  }
  return targets
}
