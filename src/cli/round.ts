import { orPackaged } from '../base/packaged.js'
import { UserError } from '../base/user-error.js'
import { readPipeline } from '../pipeline/read-pipeline.js'
import type { Promotion } from '../pipeline/stages/promotion.js'
import { roundReport } from '../pipeline/stages/round-report.js'
import { readRunRecord } from '../pipeline/stages/run-record.js'
import { openStorage } from '../storage/open-storage.js'
import type { Storage } from '../storage/storage.js'
import { runWithProgress } from './run-with-progress.js'
import { reportTable } from './terminal/print-report.js'

export interface RoundOptions {
  readonly dataset?: string
  readonly count: number
  readonly set: readonly string[]
  readonly json?: boolean
}

/** `groundmill round`: more rounds, each with the teacher that the one before promoted. */
export async function round(pipelinePath: string, options: RoundOptions, signal: AbortSignal): Promise<void> {
  const path = orPackaged(pipelinePath)
  const first = await readPipeline(path, { set: options.set })
  if (!first.rounds) throw new UserError(`${path} has no \`rounds\`: see pipelines/self-training.yaml.`)
  const url = options.dataset ?? `runs/${first.name}`
  const storage = openStorage(url)
  const done = (await storage.list('rounds')).length
  const pipeline = await readPipeline(path, {
    set: options.set,
    rounds: await roundsToMake(storage, done, options.count),
  })
  await runWithProgress(pipeline, url, { signal })
  const rounds: Promotion[] = []
  for (const name of await storage.list('rounds')) {
    const record = await readRunRecord<Promotion>(storage, name)
    if (record) rounds.push(record.result)
  }
  rounds.sort((a, b) => a.round - b.round)
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ run: url, rounds })}\n`)
    return
  }
  for (const made of rounds.slice(done)) {
    const { round: number, reason } = made
    process.stdout.write(`\nRound ${number}: ${reason}.\n${reportTable(roundReport(made))}\n`)
  }
}

/**
 * How many rounds the run is to have. The number is stored, so that the same command after an interrupt
 * finishes the rounds that the first one began, and adds none.
 */
async function roundsToMake(storage: Storage, done: number, more: number): Promise<number> {
  const bytes = await storage.read('rounds.json')
  const planned = bytes ? (JSON.parse(Buffer.from(bytes).toString('utf8')) as { rounds: number }).rounds : 0
  if (planned > done) return planned
  await storage.write('rounds.json', `${JSON.stringify({ rounds: done + more })}\n`)
  return done + more
}
