import { kindOf, type Pipeline, type Stage } from '../pipeline/config.js'
import { type RunOptions, type RunResult, runPipeline } from '../pipeline/run-pipeline.js'
import type { StageOutcome } from '../pipeline/run-stage.js'
import { createProgress, duration } from './terminal/progress.js'

/** Runs a pipeline and tells of it on standard error: a bar while a stage works, a line when it is done. */
export async function runWithProgress(
  pipeline: Pipeline,
  url: string,
  options: Pick<RunOptions, 'signal' | 'only' | 'retryFailed'>,
): Promise<RunResult> {
  const progress = createProgress()
  return runPipeline(pipeline, url, {
    ...options,
    onProgress: ({ name }, done, total, note) => progress.update(name, done, total, note),
    onNotice: ({ name }, text) => progress.finish(`  ${name}: ${text}`),
    onStageEnd: (stage, outcome) => progress.finish(stageLine(stage, outcome)),
  })
}

function stageLine(stage: Stage, { ran, skipped, failed, warnings, seconds }: StageOutcome): string {
  const { name, uses } = stage
  const tasks = ran + skipped + failed.length
  const state = failed.length > 0 ? '✗' : '✓'
  const parts = [`${state} ${name.padEnd(34)} ${uses.padEnd(8)}`]
  if (ran === 0 && failed.length === 0) parts.push('already done')
  else {
    if (kindOf(stage).makes === 'shards')
      parts.push(`${ran} of ${tasks} shards made${skipped ? `, ${skipped} already there` : ''}`)
    parts.push(duration(seconds))
  }
  for (const { shard, error } of failed) parts.push(`\n  shard ${shard} set aside: ${error}`)
  for (const warning of warnings) parts.push(`\n  warning: ${warning}`)
  return parts.join('  ')
}
