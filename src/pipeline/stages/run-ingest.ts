import { hashJson } from '../../base/hash.js'
import type { IngestConfig } from '../../ingest/config.js'
import { createFetcher } from '../../ingest/fetch/fetch-image.js'
import { ingestShard } from '../../ingest/ingest-shard.js'
import { type OpenSource, openSource } from '../../ingest/open-source.js'
import { planIngest } from '../../ingest/plan-ingest.js'
import { retryShard } from '../../ingest/retry-shard.js'
import { dnsWarning, watchSuccess } from '../../ingest/watch-success.js'
import { families, shardObject } from '../../rows/family-path.js'
import { createDataset, readDataset, replaceDataset } from '../../shards/dataset.js'
import type { ShardTask } from '../../shards/shard-task.js'
import { sweepShards } from '../../shards/sweep-shards.js'
import { openStorage } from '../../storage/open-storage.js'
import type { Storage } from '../../storage/storage.js'
import { runOf, type StageContext, type StageOf } from './stage-context.js'
import type { StageResult } from './stage-kind.js'

/** Plans the shards of a source and makes each: a dataset of its own, named after the stage. */
export async function runIngest(
  stage: StageOf<IngestConfig>,
  configHash: string,
  context: StageContext,
): Promise<StageResult<undefined>> {
  const source = await openSource(stage.with, `stage "${stage.name}"`)
  try {
    return await ingestSource(source, stage, configHash, context)
  } finally {
    await source.close()
  }
}

async function ingestSource(
  source: OpenSource,
  stage: StageOf<IngestConfig>,
  configHash: string,
  context: StageContext,
): Promise<StageResult<undefined>> {
  const plan = await planIngest(source, context.signal)
  const storage = openStorage(runOf(context).path(stage.name))
  const shards = plan.shards.map(({ shard }) => shard)
  await declareDataset(storage, stage.name, plan.card, shards)
  const missing: string[] = []
  const watch = watchSuccess(stage.with, plan.rows, context.warn)
  const fetcher = createFetcher(stage.with.fetch)
  let before = 0
  try {
    for (const part of plan.shards) {
      const task: ShardTask = {
        storage,
        stage: stage.name,
        shard: part.shard,
        configHash,
        inputs: { source: plan.sourceHash, card: hashJson(plan.card), rows: String(part.rows) },
        signal: context.signal,
        onProgress: (rows) => context.progress(before + rows, plan.rows),
      }
      const work = async () => {
        const retried =
          context.retryFailed && (await retryShard(task, source, part, fetcher, context.retryFailed))
        const result = retried ?? (await ingestShard(task, source, part, fetcher))
        watch.add(result.record)
        return result
      }
      if (!(await context.attempt(part.shard, work))) missing.push(part.shard)
      before += part.rows
      context.progress(before, plan.rows)
      watch.check()
    }
  } finally {
    await fetcher.close()
  }
  await sweepShards(storage, 'images', stage.name)
  const dnsTrouble = dnsWarning(fetcher.dns, stage.with.fetch.dns.warn_share)
  if (dnsTrouble) context.warn(dnsTrouble)
  // A source with boxes has written phrases, grounding and negatives beside its images.
  const isGold = source.hasBoxes && missing.length < shards.length
  const gold = isGold ? { phrases: stage.name, grounding: stage.name } : {}
  const dataset = { name: stage.name, storage, shards }
  return { offers: { dataset, images: stage.name, ...gold, missing }, result: undefined }
}

/** Writes dataset.json once; where the plan has changed, shards that are no longer in it go. */
async function declareDataset(
  storage: Storage,
  name: string,
  card: object | null,
  shards: readonly string[],
) {
  const info = { name, card: card as Record<string, unknown> | null, shards: [...shards] }
  // Of two runs that begin at once, one writes it; the other finds the same, or is the later plan.
  if (await createDataset(storage, info)) return
  const { schemaVersion: _, ...known } = await readDataset(storage)
  if (hashJson(known) === hashJson(info)) return
  const kept = new Set(shards)
  for (const family of families) {
    const objects = (await storage.list(family)).filter((name) => {
      const { shard } = shardObject(name) ?? {}
      return shard !== undefined && !kept.has(shard)
    })
    // Records first, so that none is without its file.
    for (const kind of ['record', 'file'])
      for (const name of objects) if (shardObject(name)?.kind === kind) await storage.remove(name)
  }
  await replaceDataset(storage, info)
}
