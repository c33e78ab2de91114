import { hashJson } from '../../base/hash.js'
import { mapLimited } from '../../base/map-limited.js'
import { UserError } from '../../base/user-error.js'
import type { IngestPlan } from '../../ingest/plan-ingest.js'
import { families, shardObject } from '../../rows/family-path.js'
import { type CommitRecord, readCommit } from '../../shards/commit.js'
import { createDataset, readDataset, replaceDataset } from '../../shards/dataset.js'
import type { Storage } from '../../storage/storage.js'

export interface DeclareOptions {
  /** Whether shards that the source no longer gives are removed, and rows with them. */
  readonly drop: boolean
  /** Says who else works on the run with another pipeline, if anybody does. */
  readonly others?: (() => Promise<string | undefined>) | undefined
}

/**
 * Writes dataset.json, and again where the source has more shards than before. Shards that it no longer gives go
 * with `drop` alone.
 *
 * @throws UserError where shards or rows would go without `drop`, and where they would go that another one may be at
 *   work on
 */
export async function declareDataset(
  storage: Storage,
  name: string,
  { card, shards: planned }: Pick<IngestPlan, 'card' | 'shards'>,
  { drop, others }: DeclareOptions,
): Promise<void> {
  const shards = planned.map(({ shard }) => shard)
  const info = { name, card: card as Record<string, unknown> | null, shards }
  for (;;) {
    // Of two runs that begin at once, one writes it; the other finds the same, or is the later plan.
    if (await createDataset(storage, info)) return
    const found = await readDataset(storage)
    if (!drop) await refuseLoss(storage, name, found.shards, planned)
    const { schemaVersion: _, ...known } = found
    if (hashJson(known) !== hashJson(info)) {
      const who = await others?.()
      if (who !== undefined)
        throw new UserError(
          `${storage.url}: the source of "${name}" gives other shards than before, and ${who} works on this run by another pipeline. Wait for its end, or end it.`,
        )
      if (!(await replaceDataset(storage, found, info))) continue
    }
    // Also where all was said before: who was killed while it removed them has left some.
    if (drop) await removeShards(storage, new Set(shards))
    return
  }
}

/** Throws where the source no longer gives shards that are there, or fewer rows for one of them. */
async function refuseLoss(
  storage: Storage,
  name: string,
  found: readonly string[],
  planned: IngestPlan['shards'],
) {
  const rows = new Map(planned.map((part) => [part.shard, part.rows]))
  const known = found.filter((shard) => rows.has(shard))
  const lost: string[] = []
  const gone = found.filter((shard) => !rows.has(shard))
  if (gone.length > 0) {
    const counts = await mapLimited(gone, async (shard) => (await recordOf(storage, shard))?.out ?? 0)
    const pictures = counts.reduce((sum, count) => sum + count, 0)
    lost.push(`${counted(gone.length, 'shard')} of ${found.length} with ${counted(pictures, 'picture')}`)
  }
  // All shards but the last have as many rows as the configuration says: these tell of every one.
  for (const shard of new Set([known[0], known.at(-1)])) {
    const record = shard === undefined ? undefined : await recordOf(storage, shard)
    const left = rows.get(shard ?? '') ?? 0
    if (record && record.in > left) lost.push(`${counted(record.in - left, 'row')} of shard ${shard}`)
  }
  if (lost.length > 0)
    throw new UserError(
      `${storage.url}: the source of "${name}" has less than before: ${lost.join(' and ')} would go. Nothing was changed. Give it all of its rows again (is it \`limit\`, \`shard_size\`, rows that join (\`join: no\`) or a shorter list?), name another folder with --dataset, or run again with --drop to remove them.`,
    )
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

/** Undefined where it is not there, and where it cannot be read: what that was of is made anew. */
const recordOf = (storage: Storage, shard: string): Promise<CommitRecord | undefined> =>
  readCommit(storage, 'images', null, shard).catch(() => undefined)

/** Removes all shards of all stages but those that are kept. */
async function removeShards(storage: Storage, kept: ReadonlySet<string>) {
  for (const family of families) {
    const objects = (await storage.list(family)).filter((name) => {
      const { shard } = shardObject(name) ?? {}
      return shard !== undefined && !kept.has(shard)
    })
    // Records first, so that none is without its file.
    for (const kind of ['record', 'file'])
      for (const name of objects) if (shardObject(name)?.kind === kind) await storage.remove(name)
  }
}
