import { hashJson } from '../base/hash.js'
import { UserError } from '../base/user-error.js'
import { openDataset } from '../catalog/open-dataset.js'
import { phrasesOf, proposalsOf } from '../catalog/phrases-of.js'
import { openFilterStage } from '../pipeline/filter-stage.js'
import { readCommit } from '../shards/commit.js'
import { addCounts } from '../statistics/stats.js'
import { readRules } from './filter-rules.js'
import { formatTable } from './terminal/format-table.js'
import { createProgress, duration } from './terminal/progress.js'

export interface FilterOptions {
  readonly as: string
  readonly proposals?: string
  readonly rules?: string
  readonly set: readonly string[]
  readonly json?: boolean
}

/** `groundmill filter`: another grounding of the same proposals; the teacher is not asked again. */
export async function filter(url: string, options: FilterOptions, signal: AbortSignal): Promise<void> {
  const rules = await readRules(options.rules, options.set)
  const dataset = await openDataset(url)
  const { storage, shards } = dataset
  const proposals = proposalsOf(dataset, options.proposals)
  const phrases = await phrasesOf(dataset, 'proposals', proposals)
  const progress = createProgress()
  const start = performance.now()
  const stage = await openFilterStage({ storage, shards }, { rules }, { phrases, proposals })
  const sums = { in: 0, out: 0, images: 0, skipped: 0 }
  let rejected: Readonly<Record<string, number>> = {}
  const missing: string[] = []
  try {
    for (const [index, shard] of shards.entries()) {
      signal.throwIfAborted()
      const file = (await readCommit(storage, 'proposals', proposals, shard))?.files.proposals
      if (!file) {
        missing.push(shard)
        continue
      }
      const { record, skipped } = await stage.work({
        storage,
        stage: options.as,
        shard,
        configHash: hashJson({ rules }),
        inputs: await stage.inputsOf(shard),
        signal,
        onProgress: (done) => progress.update(`shard ${index + 1} of ${shards.length}`, done, file.rows),
      })
      sums.in += record.in
      sums.out += record.out
      sums.images += record.stats.counts.grounded_images ?? 0
      if (skipped) sums.skipped++
      rejected = addCounts(rejected, record.rejected)
    }
  } finally {
    await stage.close()
  }
  if (missing.length === shards.length)
    throw new UserError(`${url}: no shard of proposals "${proposals}" is there: run its teach stage first.`)
  const seconds = (performance.now() - start) / 1000
  const done = sums.skipped === shards.length - missing.length ? 'already done' : duration(seconds)
  progress.finish(
    `✓ ${options.as}  ${sums.out} of ${sums.in} boxes in ${sums.images} pictures kept by ${rules.length} rules, ${done}`,
  )
  if (missing.length > 0) {
    progress.finish(`  without ${missing.length} shard(s) that have no proposals "${proposals}" yet`)
  }
  if (options.json) {
    const { in: given, out, images } = sums
    process.stdout.write(
      `${JSON.stringify({ dataset: url, grounding: options.as, proposals, rules, in: given, out, images, rejected, missing, seconds })}\n`,
    )
    return
  }
  const rows = Object.entries(rejected).sort((a, b) => b[1] - a[1])
  if (rows.length > 0) process.stdout.write(`${formatTable(['dropped by', 'boxes'], rows)}\n`)
}
