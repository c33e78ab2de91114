import type { StageOutcome } from './run-stage.js'

/** Shards that were set aside in all stages. */
export const countFailed = (outcomes: ReadonlyMap<string, StageOutcome>): number =>
  [...outcomes.values()].reduce((sum, { failed }) => sum + failed.length, 0)
