import { stat } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { hashJson } from '../../base/hash.js'
import { memoize } from '../../base/memoize.js'
import { UserError } from '../../base/user-error.js'
import { type IngestConfig, ingestConfig, ingestNotHashed, olderConfigHash } from '../../ingest/config.js'
import { watchHealth } from '../../ingest/fetch/crawl-health.js'
import type { Fetcher } from '../../ingest/fetch/fetch-image.js'
import type { ReplaceOptions } from '../../ingest/ingest-shard.js'
import { lookAtSource, sourcePlaces } from '../../ingest/look-at-source.js'
import { openSource, sourceHasBoxes } from '../../ingest/open-source.js'
import { parseRetried } from '../../ingest/parse-retried.js'
import { pictureBytes } from '../../ingest/picture-bytes.js'
import { repeatsWarning } from '../../ingest/plan-ingest.js'
import { dnsWarning, watchSuccess } from '../../ingest/watch-success.js'
import { restateShard } from '../../shards/amend-shard.js'
import { readCommit } from '../../shards/commit.js'
import { readDataset } from '../../shards/dataset.js'
import { isSame, type ShardTask } from '../../shards/shard-task.js'
import { openStorage } from '../../storage/open-storage.js'
import { declareDataset } from '../records/declare-dataset.js'
import { storedPlan } from '../records/ingest-plan.js'
import { runOf, type StageContext, type StageOf } from './stage-context.js'
import { type OpenStage, shardsKind } from './stage-kind.js'

/** Makes a source's pictures, captions and boxes a dataset of its own, named after the stage. */
export const ingest = shardsKind({
  name: 'ingest',
  schema: ingestConfig,
  optional: false,
  makes: 'shards',
  family: 'images',
  resource: 'fetch',
  notHashed: ingestNotHashed,
  edge: () => 'shard',
  async plan(stage, configHash, context) {
    const source = await openSource(stage.with, `stage "${stage.name}"`)
    try {
      const plan = await storedPlan(runOf(context), source, configHash, context.signal)
      await declareDataset(storageOf(stage, context), stage.name, plan, context)
      const repeats = repeatsWarning(plan)
      if (repeats) context.warn(repeats)
      return { rows: plan.rows }
    } finally {
      await source.close()
    }
  },
  looks: (stage, context) => [
    {
      key: 'source',
      look: async () => {
        requireApart(stage, context)
        if (!(await isMadeLater(stage, context))) await lookAtSource(stage.with, `stage "${stage.name}"`)
      },
    },
  ],
  async promise(stage, context) {
    const isGold = await sourceHasBoxes(stage.with)
    const gold = isGold ? { phrases: stage.name, grounding: stage.name } : {}
    const dataset = { name: stage.name, storage: storageOf(stage, context), shards: [] }
    return { dataset, images: stage.name, ...gold, missing: [] }
  },
  async estimate(stage, _context, { pictures }) {
    const { bytes, from } = await pictureBytes(stage.with, pictures)
    return { bytes: bytes * pictures, from }
  },
  async offers(stage, context) {
    const storage = storageOf(stage, context)
    const { shards } = await readDataset(storage)
    // A source with boxes has written phrases, grounding and negatives beside its images.
    const isGold = await sourceHasBoxes(stage.with)
    const gold = isGold ? { phrases: stage.name, grounding: stage.name } : {}
    return { dataset: { name: stage.name, storage, shards }, images: stage.name, ...gold, missing: [] }
  },
  open: openIngest,
  watch: (stage, rows, warn) => watchSuccess(stage.with, rows, warn),
})

const storageOf = ({ name }: StageOf, context: StageContext) => openStorage(runOf(context).path(name))

/** Throws a UserError where a run would be made within the folder of pictures that it reads. */
function requireApart({ name, with: config }: StageOf<IngestConfig>, { run }: StageContext): void {
  const { path } = config as { readonly path?: unknown }
  if (run?.isLocal && typeof path === 'string' && resolve(path) === resolve(run.path('')))
    throw new UserError(
      `${path} is read from, and is the folder of the run as well: name another with --dataset, such as runs/${name}.`,
    )
}

/** Whether a source is not there yet because another stage of the run makes it: an export that is read back. */
async function isMadeLater(stage: StageOf<IngestConfig>, { run, outputs }: StageContext): Promise<boolean> {
  const exports = [...outputs.values()].flatMap(({ config }) => {
    const { out, format } = Object(config) as { readonly out?: unknown; readonly format?: unknown }
    return typeof out === 'string' && format !== undefined ? [resolve(out)] : []
  })
  const folders = [...exports, ...(run?.isLocal ? [run.path('exports')] : [])]
  for (const place of await sourcePlaces(stage.with)) {
    const file = resolve(place)
    if (folders.some((folder) => file === folder || file.startsWith(`${folder}${sep}`)))
      if (!(await stat(file).catch(() => undefined))) return true
  }
  return false
}

async function openIngest(
  stage: StageOf<IngestConfig>,
  configHash: string,
  context: StageContext,
): Promise<OpenStage> {
  const isRetried = parseRetried(context.retryFailed)
  const source = await openSource(stage.with, `stage "${stage.name}"`)
  try {
    const plan = await storedPlan(runOf(context), source, configHash, context.signal)
    const storage = storageOf(stage, context)
    const parts = new Map(plan.shards.map((part) => [part.shard, part]))
    const card = hashJson(plan.card)
    // One that had no limit, and has one now, has the same rows in the shards that are left.
    const olderHashes = [stage.with, { ...stage.with, limit: undefined }].map(olderConfigHash)
    const { drop, warn } = context
    const replacing: ReplaceOptions = { drop, warn, olderHashes, isRetried }
    const { hostLimiter: limiter } = context
    const health = watchHealth(plan.rows, stage.with.max_transient_rate)
    let fetcher: Fetcher | undefined
    const open = memoize(async () => {
      const { createFetcher } = await import('../../ingest/fetch/fetch-image.js')
      fetcher = createFetcher(stage.with.fetch, { ...(limiter && { limiter }), health })
      return fetcher
    })
    const partOf = (shard: string) => {
      const part = parts.get(shard)
      if (!part) throw new Error(`the plan of "${stage.name}" has no shard ${shard}`)
      return { part, inputs: { source: part.hash, card, rows: String(part.rows) } }
    }
    return {
      rows: async (shard) => parts.get(shard)?.rows,
      inputs: async (shard) => partOf(shard).inputs,
      shards: [...parts.keys()],
      async make(shard, { onWaiting, ...options }) {
        const { part, inputs } = partOf(shard)
        const task: ShardTask = { storage, stage: stage.name, shard, configHash, inputs, ...options }
        const older = { ...inputs, source: plan.sourceHash }
        const known = olderHashes.map((configHash) => ({ configHash, inputs: older }))
        await restateShard(task, 'images', known)
        const made = await readCommit(storage, 'images', stage.name, shard)
        // A run that finds all done loads nothing that crawls.
        if (made && isSame(made, task) && !Object.keys(made.rejected).some(isRetried))
          return { record: made, skipped: true }
        const { retryShard } = await import('../../ingest/retry-shard.js')
        const { ingestShard } = await import('../../ingest/ingest-shard.js')
        const retried = await retryShard(task, source, part, await open(), isRetried)
        return retried ?? ingestShard(task, source, part, await open(), { ...replacing, onTail: onWaiting })
      },
      async close() {
        const dnsTrouble = fetcher && dnsWarning(fetcher.dns, stage.with.fetch.dns.warn_share)
        if (dnsTrouble) context.warn(dnsTrouble)
        await fetcher?.close()
        await source.close()
      },
    }
  } catch (error) {
    await source.close()
    throw error
  }
}
