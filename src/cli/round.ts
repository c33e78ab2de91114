import { z } from 'zod'
import { orPackaged } from '../base/files/packaged.js'
import { jsonOf } from '../base/files/read-json.js'
import { firstIssue, inWords } from '../base/schema-words.js'
import { UserError } from '../base/user-error.js'
import { toldScores } from '../evaluate/compare/told-scores.js'
import { isPromotion } from '../pipeline/promotion/is-promotion.js'
import type { Promotion } from '../pipeline/promotion/promotion.js'
import { roundReport } from '../pipeline/promotion/round-report.js'
import { toldPromotion } from '../pipeline/promotion/told-promotion.js'
import { readPipeline } from '../pipeline/read-pipeline.js'
import { readRunRecord } from '../pipeline/records/run-record.js'
import { refuseFaults } from '../pipeline/run-pipeline.js'
import { acquireLock } from '../storage/lock.js'
import { openStorage } from '../storage/open-storage.js'
import type { Storage, Version } from '../storage/storage.js'
import { runWithProgress, showPlan } from './run-with-progress.js'
import { note, print, printJson } from './terminal/print.js'
import { reportTable } from './terminal/print-report.js'
import { failureOfRun, tellFailure } from './terminal/run-end.js'

export interface RoundOptions {
  readonly dataset?: string
  readonly count: number
  readonly set: readonly string[]
  readonly drop?: boolean
  readonly plan?: boolean
  readonly json?: boolean
}

/** `groundmill round`: more rounds, each with the teacher that the one before promoted. */
export async function round(pipelinePath: string, options: RoundOptions, signal: AbortSignal): Promise<void> {
  const path = orPackaged(pipelinePath)
  const first = await readPipeline(path, { set: options.set, onNotice: note })
  if (!first.rounds)
    throw new UserError(`${path} has no \`rounds\`: see pipelines/own-rounds.yaml and docs/rounds.md.`)
  const url = options.dataset ?? `runs/${first.name}`
  const storage = openStorage(url)
  const { rounds } = await roundsToMake(storage, options.count)
  const wanted = await readPipeline(path, { set: options.set, rounds })
  if (options.plan) {
    await showPlan(wanted, url, { signal, json: options.json })
    return
  }
  await refuseFaults(wanted.stages, storage, { signal })
  const lock = await acquireLock(storage, 'rounds.lock', { what: 'making rounds', wait: false })
  try {
    await makeRounds(path, url, storage, options, AbortSignal.any([signal, lock.signal]))
  } finally {
    await lock.release()
  }
}

/** Makes rounds, and prints what became of them. */
async function makeRounds(
  path: string,
  url: string,
  storage: Storage,
  options: RoundOptions,
  signal: AbortSignal,
): Promise<void> {
  const { done, rounds: wanted } = await noteRounds(storage, options.count)
  const pipeline = await readPipeline(path, { set: options.set, rounds: wanted })
  const end = tellFailure(failureOfRun(await runWithProgress(pipeline, url, { signal, drop: options.drop })))
  const rounds: Promotion[] = []
  for (const name of await roundRecords(storage)) {
    const record = await readRunRecord<Promotion>(storage, name)
    if (record && isPromotion(record.result)) rounds.push(record.result)
  }
  rounds.sort((a, b) => a.round - b.round)
  if (options.json) {
    printJson({
      run: url,
      rounds: rounds.map((made) => ({ ...toldPromotion(made), scores: toldScores(made.scores) })),
      ...end,
    })
    return
  }
  for (const made of rounds.slice(done)) {
    const { round: number, reason } = made
    print(`\nRound ${number}: ${reason}.`)
    if (Object.keys(made.scores).length > 0) print(reportTable(roundReport(made)))
  }
}

/**
 * How many rounds the run is to have. The number is stored, so that the same command after an interrupt
 * finishes the rounds that the first one began, and adds none.
 */
async function noteRounds(storage: Storage, more: number): Promise<RoundsToMake> {
  const wanted = await roundsToMake(storage, more)
  const { rounds, planned, version } = wanted
  if (rounds !== planned && !(await storage.swap('rounds.json', `${JSON.stringify({ rounds })}\n`, version)))
    throw new Error(`${storage.path('rounds.json')} was written by another process meanwhile: run again.`)
  return wanted
}

interface RoundsToMake {
  /** Rounds that were decided. */
  readonly done: number
  /** Rounds that the run is to have. */
  readonly rounds: number
  /** How many of them are noted already, and the version of the note. */
  readonly planned: number
  readonly version: Version | undefined
}

/** As `noteRounds`, without noting it. */
async function roundsToMake(storage: Storage, more: number): Promise<RoundsToMake> {
  const done = (await roundRecords(storage)).length
  const before = await storage.readVersioned('rounds.json')
  const planned = before ? plannedRounds(before.bytes, storage.path('rounds.json')) : 0
  return { done, rounds: planned > done ? planned : done + more, planned, version: before?.version }
}

const planSchema = z.object({ rounds: z.number().int().nonnegative() })

/** How many rounds `rounds.json` says. Throws a UserError that says what to do where it says none. */
export function plannedRounds(bytes: Uint8Array, where: string): number {
  const remedy = 'delete it, and say with --count how many more rounds there are to be'
  const parsed = planSchema.safeParse(jsonOf(Buffer.from(bytes).toString('utf8'), where, remedy), inWords)
  if (parsed.success) return parsed.data.rounds
  throw new UserError(`${where} does not say how many rounds (${firstIssue(parsed.error)}): ${remedy}.`)
}

const roundRecords = async (storage: Storage) =>
  (await storage.list('rounds')).filter((name) => name.endsWith('.json'))
