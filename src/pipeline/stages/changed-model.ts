import { findFirst } from '../../base/find-first.js'
import type { Family } from '../../rows/rows.js'
import { readCommit } from '../../shards/commit.js'
import type { Storage } from '../../storage/storage.js'
import { isMadeModel, pinnedFiles } from '../records/pinned-model.js'
import type { Dataset, Model, StageContext, StageOf } from './stage-context.js'

/** Shards that are asked what a stage was made with: those of a stage that was never run have no record. */
const mostAsked = 16

/**
 * Says so where the model of a stage is another than the one which its shards were made with, before they are made anew:
 * a folder that is no stage's may have been changed, or damaged, by anybody.
 */
export async function tellOfChangedModel(
  stage: StageOf<{ readonly model?: string }>,
  family: Family,
  { storage, shards }: Dataset,
  model: Model,
  context: StageContext,
): Promise<void> {
  const { model: named } = stage.with
  if (!named || context.outputs.get(named)?.model || (await isMadeModel(model.folder))) return
  const inputs = await findFirst(
    shards.slice(0, mostAsked),
    async (shard) => (await readCommit(storage, family, stage.name, shard))?.inputs,
  )
  const before = inputs?.model
  if (before === undefined || before === model.hash || inputs?.teacher !== model.name) return
  const changed = context.run && (await changedFiles(context.run, before, model.hash))
  const which = changed && changed.length > 0 ? ` (${changed.join(', ')})` : ''
  context.notice(
    `${model.folder} has changed${which} since "${stage.name}" was made with it: its SHA-256 was ${before}, and is ${model.hash}. All of "${stage.name}" is made anew. Where nobody changed it on purpose it is damaged: stop now, and bring its files back.`,
  )
}

/** Names of the files in which two models differ; undefined where a run does not know both. */
async function changedFiles(run: Storage, before: string, now: string): Promise<string[] | undefined> {
  const [old, own] = [await pinnedFiles(run, before), await pinnedFiles(run, now)]
  if (!old || !own) return undefined
  return [...new Set([...Object.keys(old), ...Object.keys(own)])].filter((name) => old[name] !== own[name])
}
