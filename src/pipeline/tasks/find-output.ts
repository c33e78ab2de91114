import { kindOf, type Stage } from '../stages/pipeline-config.js'
import type { StageOutput } from '../stages/stage-context.js'
import type { Offers } from '../stages/stage-kind.js'
import { hashOf, type StagePlace, stageContext } from './run-stage.js'

/** What a stage of a pipeline offers, under its name. */
export const outputOfStage = ({ name, with: config }: Stage, offers: Offers): StageOutput => ({
  ...offers,
  name,
  config,
})

/**
 * What a stage offers as the storage has it, without running it: of one that makes shards, whether they are
 * there or not.
 *
 * @param place with what the stages behind it offer
 * @returns undefined where it makes one thing, and that is not made of the same, or not known to be
 */
export async function findOutput(stage: Stage, place: StagePlace): Promise<StageOutput | undefined> {
  const kind = kindOf(stage)
  const context = stageContext(stage, place, {}, () => {})
  const offers =
    kind.makes === 'shards'
      ? await kind.offers(stage, context)
      : await kind.find(stage, hashOf(kind, stage, place.outputs), context)
  return offers && outputOfStage(stage, offers)
}
