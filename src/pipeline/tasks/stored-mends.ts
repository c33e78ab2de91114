import type { Family } from '../../rows/rows.js'
import type { Storage } from '../../storage/storage.js'
import type { Dataset } from '../stages/stage-context.js'
import { readPresences } from './read-presences.js'

/** What the records of a stage have counted. */
export interface CountedStage {
  readonly stage: string
  readonly family: Family
  readonly in: number
  readonly out: number
  readonly rejected: Readonly<Record<string, number>>
}

/** What to do about rows that a stage has dropped for a reason. */
export interface StoredMend {
  readonly stage: string
  readonly reason: string
  readonly count: number
  readonly mend: string
}

/**
 * What to do about rows of a dataset that were dropped, by stage and reason, where something can be done: of reasons
 * that are as they should be, such as a filter's, nothing is said while others are kept.
 *
 * @param run the folder of the run, whose pipeline says how each stage was run
 */
export async function storedMends(
  run: Storage,
  dataset: Dataset,
  stages: readonly CountedStage[],
): Promise<StoredMend[]> {
  const dropping = stages.filter(({ rejected }) => Object.keys(rejected).length > 0)
  if (dropping.length === 0) return []
  // A pipeline is read by all kinds of stages, which take longer to load than the rest: only where it is needed.
  const { currentPipeline } = await import('./current-pipeline.js')
  const { mendsBehind } = await import('./nothing-came.js')
  const current = await currentPipeline(run, await readPresences(run))
  const known = new Map(current?.pipeline.stages.map((stage) => [stage.name, stage]))
  const mends: StoredMend[] = []
  for (const { stage: name, family, ...sums } of dropping) {
    const stage = known.get(name)
    // Without its keys nothing is known of how it was run: what a mend says would be half of it.
    if (!stage) continue
    const proposals = stage.needs.find((need) => known.get(need)?.uses === 'teach')
    const found = await mendsBehind({ stage, kind: { family }, dataset, sums, proposals }, sums.out > 0)
    mends.push(...found.map((mend) => ({ stage: name, ...mend })))
  }
  return mends
}
