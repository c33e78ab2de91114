import { UserError } from '../base/user-error.js'
import { exportDataset } from '../export/export-dataset.js'
import { readDataset } from '../shards/dataset.js'
import type { StageOf } from './config.js'
import { type Dataset, needed, type StageContext, type StageOutput } from './stage-context.js'

/** Exports the grounding of the stage that it needs; what an earlier run made of other data is replaced. */
export async function runExport(stage: StageOf<'export'>, context: StageContext): Promise<StageOutput> {
  const given = needed(stage, context, 'grounding', ({ grounding }) => grounding !== undefined)
  const { name, storage, shards } = given.dataset as Dataset
  if (given.missing.length > 0) {
    throw new Error(
      `Stage "${stage.name}" would export without ${given.missing.length} shard(s) of "${given.stage.name}" that failed: ${given.missing.join(', ')}. Run again to retry them.`,
    )
  }
  const { out: named, ...config } = stage.with
  const out = named ?? (context.run.isLocal ? context.run.path(`exports/${stage.name}`) : undefined)
  if (out === undefined)
    throw new UserError(
      `Stage "${stage.name}": the run lies in a bucket, and exports are made on this machine: set \`out\`.`,
    )
  const { card } = await readDataset(storage)
  const { skipped } = await exportDataset(
    {
      ...{ name, storage, shards, grounding: given.grounding as string, phrases: given.phrases as string },
      ...(given.selection && { selection: given.selection }),
    },
    {
      ...{ config, out, replace: true, signal: context.signal, onProgress: context.progress },
      license: typeof card?.license === 'string' ? card.license : undefined,
    },
  )
  context.count(skipped)
  return { stage, missing: [] }
}
