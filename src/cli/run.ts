import { join } from 'node:path'
import { orPackaged } from '../base/packaged.js'
import { readStats } from '../catalog/read-stats.js'
import { parseRetried } from '../ingest/retry-shard.js'
import { readPipeline } from '../pipeline/read-pipeline.js'
import { runWithProgress } from './run-with-progress.js'
import { funnelTable } from './terminal/print-funnel.js'

export interface RunOptions {
  readonly dataset?: string
  readonly set: readonly string[]
  readonly only: readonly string[]
  readonly retryFailed?: string | true
  readonly json?: boolean
}

/** `groundmill run`: exit code 1 where shards were set aside. */
export async function run(path: string, options: RunOptions, signal: AbortSignal): Promise<void> {
  const pipeline = await readPipeline(orPackaged(path), { set: options.set })
  const url = options.dataset ?? `runs/${pipeline.name}`
  const only = options.only.length > 0 ? options.only : undefined
  const { retryFailed: reasons } = options
  const retryFailed = reasons === true ? 'transient' : reasons
  if (retryFailed !== undefined) parseRetried(retryFailed)
  const { outcomes, failed } = await runWithProgress(pipeline, url, { signal, only, retryFailed })
  const funnel = await readStats(url)
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ run: url, stages: Object.fromEntries(outcomes), funnel })}\n`)
  } else process.stdout.write(`\n${funnelTable(funnel)}\n`)
  for (const { dataset, stage, in: input, out, unit, rejected } of funnel) {
    if (input === 0 || out > 0) continue
    // Rejects are final: a crawl that was offline stays empty when it is run again, so the user must be told.
    const counts = Object.entries(rejected).map(([reason, count]) => `${reason} ${count}`)
    const where = join(url, dataset)
    process.stderr.write(
      `groundmill: nothing came of the ${input} ${unit} of "${stage}" (${counts.join(', ')}): mend that, remove ${where}, and run again\n`,
    )
  }
  if (failed > 0) {
    process.exitCode = 1
    process.stderr.write(
      `groundmill: ${failed} shard(s) were set aside; run the same command again to retry them\n`,
    )
  }
}
