import { hashJson, listHash } from '../base/hash.js'
import { mapLimited } from '../base/map-limited.js'
import { orderedMap } from '../base/ordered-map.js'
import { type FunnelStage, recordStage, stageSum } from '../catalog/funnel.js'
import { families, recordPath } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import { type CommitRecord, readCommit, readRecord } from '../shards/commit.js'
import { readDataset } from '../shards/dataset.js'
import type { Storage } from '../storage/storage.js'

/** A stage that had a part in a grounding: the sums of its shards' records, and what they were made of. */
export interface LineageStage extends FunnelStage {
  /** When its first shard was begun and its last one made, by the clocks of their machines. */
  readonly startedAt: string
  readonly endedAt: string
  /** Hashes of the configurations of its shards: one, but where some stayed as an earlier one made them. */
  readonly configHashes: readonly string[]
  /** What its records say of its configuration, those of its first shard. */
  readonly config: Readonly<Record<string, unknown>>
  /** The programs that made its shards; none of older versions. */
  readonly software: readonly string[]
  /** The stages whose files it read, as `family/stage`. */
  readonly from: readonly string[]
  /** What else it was made of, by its name in the records: hashes of models and sources, names of teachers. */
  readonly given: Readonly<Record<string, readonly string[]>>
  readonly files: { readonly count: number; readonly bytes: number; readonly sha256: string }
}

/** How a grounding came to be: what the records of its shards say, and nothing besides. */
export interface Lineage {
  readonly dataset: string
  readonly grounding: string
  /** The card of its source, as it was when the source was ingested. */
  readonly card: Readonly<Record<string, unknown>> | null
  readonly shards: number
  /** In the order in which the data passed through them. */
  readonly stages: readonly LineageStage[]
}

/** Shards whose records are read at once: each has several. */
const shardsAtOnce = 8

export interface LineageSource {
  readonly storage: Storage
  readonly shards: readonly string[]
  readonly grounding: string
}

/**
 * The stages behind a grounding, found by the hashes of files that the records name, shard by shard, and their sums over
 * these shards. A stage whose shards were replaced since is none of them.
 *
 * @throws UserError where a record is malformed
 */
export async function readLineage({ storage, shards, grounding }: LineageSource): Promise<Lineage> {
  const { name, card } = await readDataset(storage)
  const known = await stagesIn(storage)
  const sums = new Map<string, ReturnType<typeof lineageSum>>()
  const recordsOf = async (shard: string) => ({
    last: await readCommit(storage, 'grounding', grounding, shard),
    records: (
      await mapLimited(known, ({ family, stage }) => readRecord(storage, recordPath(family, stage, shard)))
    ).filter((record) => record !== undefined),
  })
  for await (const { last, records } of orderedMap(shards, shardsAtOnce, recordsOf)) {
    const byHash = new Map<string, CommitRecord>()
    // Many stages reject nothing, and their files are the same.
    for (const record of records)
      for (const [family, { sha256 }] of Object.entries(record.files))
        if (family !== 'rejects') byHash.set(sha256, record)
    const images = records.find(({ main }) => main === 'images')
    // A record of phrases may name the selection alone: what all begins with is the pictures.
    const waiting = [last, last && images].filter((record) => record !== undefined)
    const met = new Set<string>()
    for (let record = waiting.pop(); record; record = waiting.pop()) {
      const place = placeOf(record)
      if (met.has(place)) continue
      met.add(place)
      const made = { ...record, family: record.main }
      const sum = sums.get(place) ?? lineageSum(made)
      sums.set(place, sum)
      const inputs = Object.entries(record.inputs).map(([name, hash]) => {
        const from = byHash.get(hash)
        if (from) waiting.push(from)
        return { name, value: from ? placeOf(from) : hash, isStage: from !== undefined }
      })
      sum.add(made, inputs)
    }
  }
  const stages = [...sums.values()].map((sum) => sum.result())
  const place = ({ family, order }: LineageStage) => families.indexOf(family) * 1e6 + order
  return {
    dataset: name,
    grounding,
    card,
    shards: shards.length,
    stages: stages.sort((a, b) => place(a) - place(b) || (a.stage < b.stage ? -1 : 1)),
  }
}

/** Hash of all that a lineage says but of how its values are spread. */
export const lineageHash = ({ stages, ...lineage }: Lineage): string =>
  hashJson([
    lineage,
    stages.map(({ stats: { counts, tallies }, ...stage }) => ({ ...stage, counts, tallies })),
  ])

const placeOf = ({ main, stage }: Pick<CommitRecord, 'main' | 'stage'>) => `${main}/${stage}`

/** The stages that have records in a dataset, each in its main family. */
async function stagesIn(
  storage: Storage,
): Promise<{ readonly family: Family; readonly stage: string | null }[]> {
  const found: { readonly family: Family; readonly stage: string | null }[] = []
  for (const family of families) {
    if (family === 'rejects') continue
    if (family === 'images') found.push({ family, stage: null })
    else {
      const stages = new Set(
        (await storage.list(family)).flatMap((name) => /^[^/]+\/([^/]+)\/[^/]+\.json$/.exec(name)?.[1] ?? []),
      )
      found.push(...[...stages].sort().map((stage) => ({ family, stage })))
    }
  }
  return found
}

interface Input {
  readonly name: string
  readonly value: string
  readonly isStage: boolean
}

function lineageSum(first: CommitRecord) {
  const sum = stageSum(first)
  const hashes = listHash()
  const [configHashes, software, from] = [new Set<string>(), new Set<string>(), new Set<string>()]
  const given = new Map<string, Set<string>>()
  const files = { count: 0, bytes: 0 }
  let [startedAt, endedAt] = ['', '']
  return {
    add(record: CommitRecord, inputs: readonly Input[]) {
      sum.add(recordStage(record))
      configHashes.add(record.configHash)
      if (record.software !== undefined) software.add(record.software)
      for (const { name, value, isStage } of inputs) {
        if (isStage) from.add(value)
        else given.set(name, (given.get(name) ?? new Set()).add(value))
      }
      for (const [family, file] of Object.entries(record.files).sort(([a], [b]) => (a < b ? -1 : 1))) {
        if (family === 'rejects') continue
        hashes.add(file.sha256)
        files.count++
        files.bytes += file.bytes
      }
      const begun = new Date(Date.parse(record.createdAt) - 1000 * record.seconds).toISOString()
      if (startedAt === '' || begun < startedAt) startedAt = begun
      if (record.createdAt > endedAt) endedAt = record.createdAt
    },
    result: (): LineageStage => ({
      ...sum.result(),
      ...{ startedAt, endedAt, configHashes: [...configHashes].sort(), config: first.config ?? {} },
      ...{ software: [...software].sort(), from: [...from].sort() },
      given: Object.fromEntries([...given].map(([name, values]) => [name, [...values].sort()])),
      files: { ...files, sha256: hashes.digest() },
    }),
  }
}
