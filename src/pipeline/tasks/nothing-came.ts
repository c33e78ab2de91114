import { counted } from '../../base/counted.js'
import { findFirst } from '../../base/find-first.js'
import { rules } from '../../filter/rules.js'
import type { RejectRow } from '../../rows/rows.js'
import { readCommit } from '../../shards/commit.js'
import { readShard } from '../../shards/read-shard.js'
import { statsSum } from '../../statistics/stats.js'
import type { Dataset, StageOf } from '../stages/stage-context.js'
import type { ShardsKind } from '../stages/stage-kind.js'
import { type MendContext, mendOf } from './mends.js'
import type { ShardSums } from './shard-sums.js'

/** A stage whose shards are made, with what went in and came out. */
export interface MadeStage {
  readonly stage: StageOf
  readonly kind: Pick<ShardsKind, 'family' | 'mayBeEmpty'>
  readonly dataset: Dataset
  readonly sums: Pick<ShardSums, 'in' | 'out' | 'rejected'> & Partial<Pick<ShardSums, 'counts'>>
  /** The proposals that a filter was given. */
  readonly proposals?: string | undefined
  /** Whether the stage is run by a command of its own, which sets keys without its name. */
  readonly alone?: boolean | undefined
}

/** Reasons that are told of, those of most rows. */
const mostReasons = 3
/** Of the rows, from which on a reason is told of though others came in. */
const manyRows = 0.1
/** Rejected rows that are looked at. */
const mostRows = 200

/** What is to be said of a stage when its shards are made. */
export interface StageRemarks {
  /** Why nothing came of it, where nothing did, and what to do. */
  readonly nothing?: string
  readonly warnings: readonly string[]
}

/**
 * What is to be said of a stage when its shards are made: that nothing came of it, or what to do about reasons that
 * many of its rows were dropped for.
 *
 * @param counts shards that are there: where all were set aside, nothing is known
 */
export async function remarksOn(
  made: MadeStage,
  counts: { readonly ran: number; readonly skipped: number },
): Promise<StageRemarks> {
  const { ran, skipped } = counts
  const { sums, dataset } = made
  const isMade = ran + skipped > 0 || dataset.shards.length === 0
  if (sums.out === 0 && isMade) {
    if (!made.kind.mayBeEmpty) return { nothing: await nothingCame(made), warnings: [] }
    // People may have spoken of phrases where nobody was asked about a box.
    if ((sums.counts?.verdicts ?? 0) > 0) return { warnings: [] }
    return { warnings: [`${await emptyLine(made)}: what needs it goes on without`] }
  }
  return { warnings: ran > 0 ? await mendsOfMany(made) : [] }
}

/** Says that nothing came of a stage, why, and what to do, by reason. */
export async function nothingCame(made: MadeStage): Promise<string> {
  const reasons = byCount(made.sums.rejected)
  if (reasons.length === 0) return `${await emptyLine(made)}: there was nothing to make it of`
  const lines = (await mendsBehind(made)).map(({ reason, mend }) => `\n  ${reason}: ${mend}`)
  return `${await emptyLine(made)}${lines.join('')}\n  Then run again: what is made stays`
}

/** That nothing came of a stage, and of what. */
async function emptyLine(made: MadeStage): Promise<string> {
  const { stage, sums } = made
  const reasons = byCount(sums.rejected)
  if (reasons.length === 0) return `nothing came of "${stage.name}"`
  const counts = reasons.map(([reason, count]) => `${reason} ${count}`).slice(0, 12)
  return `nothing came of the ${counted(sums.in, (await unitOf(made)).replace(/s$/, ''))} of "${stage.name}" (${counts.join(', ')})`
}

/** What to do about reasons that many rows of a stage were dropped for, though others came in. */
async function mendsOfMany(made: MadeStage): Promise<string[]> {
  const { sums } = made
  const mends = await mendsBehind(made, true, manyRows * sums.in)
  return mends.map(({ reason, count, mend }) => `${reason} ${count} of ${sums.in}: ${mend}`)
}

/**
 * What to do about the reasons that most rows of a stage were dropped for, the most frequent first.
 *
 * @param often what is worth saying where other rows came in, and no more
 * @param least rows of a reason that is told of: for a mend rejected rows are read
 */
export async function mendsBehind(
  made: MadeStage,
  often = false,
  least = 0,
): Promise<{ readonly reason: string; readonly count: number; readonly mend: string }[]> {
  const mends = []
  for (const [reason, count] of byCount(made.sums.rejected).slice(0, mostReasons)) {
    if (count < least) break
    const mend = await mendOf(reason, contextOf(made, reason), often)
    if (mend !== undefined) mends.push({ reason, count, mend })
  }
  return mends
}

const byCount = (rejected: ShardSums['rejected']) => Object.entries(rejected).sort((a, b) => b[1] - a[1])

/** What a stage counts, as its records say. */
async function unitOf({ kind: { family }, stage, dataset: { storage, shards } }: MadeStage): Promise<string> {
  return (await findFirst(shards, (shard) => recordOf(storage, family, stage, shard)))?.unit ?? 'rows'
}

const recordOf = (
  storage: Dataset['storage'],
  family: ShardsKind['family'],
  { name }: StageOf,
  shard: string,
) => readCommit(storage, family, family === 'images' ? null : name, shard)

function contextOf(made: MadeStage, reason: string): MendContext {
  const { stage, alone } = made
  const place = alone ? '' : `${keyOf(stage.name)}.`
  return {
    config: (stage.with ?? {}) as Record<string, unknown>,
    set(key, value) {
      const option = `${place}${key}=${value}`
      return `--set ${/^[\w.:/@=+-]*$/.test(option) ? option : `'${option}'`}`
    },
    isOnly: made.sums.rejected[reason] === made.sums.in,
    rows: () => rejectedRows(made, reason),
    bestScore: () => bestScore(made),
  }
}

/** Where a pipeline sets keys of a stage: of one of a round with those of all rounds. */
const keyOf = (name: string): string =>
  name.replace(/^round-\d+-label(-on-.*)?$/, 'rounds.teach').replace(/^round-\d+-filter$/, 'rounds.filter')

/** Rows that were rejected for a reason, of the first shard that has some. */
async function rejectedRows(
  { stage, kind: { family }, dataset }: MadeStage,
  reason: string,
): Promise<RejectRow[]> {
  const { storage, shards } = dataset
  const shard = await findFirst(shards, async (name) => {
    const record = await recordOf(storage, family, stage, name)
    return (record?.rejected[reason] ?? 0) > 0 ? name : undefined
  })
  if (shard === undefined) return []
  const found: RejectRow[] = []
  for await (const row of readShard(storage, 'rejects', stage.name, shard)) {
    if (row.reason === reason) found.push(row)
    if (found.length === mostRows) break
  }
  return found
}

/** Rules after which scores are others than those that the teacher gave. */
const rescoring = new Set<string>(rules.filter(({ rescores }) => rescores).map(({ name }) => name))

async function bestScore({ stage, dataset, proposals }: MadeStage): Promise<number | undefined> {
  const { rules: given = [] } = stage.with as { readonly rules?: readonly { readonly rule: string }[] }
  const before = given.slice(
    0,
    Math.max(
      0,
      given.findIndex(({ rule }) => rule === 'score'),
    ),
  )
  if (proposals === undefined || before.some(({ rule }) => rule !== 'clip' && rescoring.has(rule)))
    return undefined
  const sum = statsSum()
  for (const shard of dataset.shards) {
    const record = await readCommit(dataset.storage, 'proposals', proposals, shard)
    if (record) sum.add(record.stats)
  }
  return sum.result().histograms.score?.moments?.max ?? undefined
}
