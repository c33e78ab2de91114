import { withoutFetching } from '../../hub/without-fetching.js'
import { openStorage } from '../../storage/open-storage.js'
import { readOnly } from '../../storage/read-only.js'
import { modelFacts } from '../../teacher/model-facts.js'
import { judgeOf } from '../../verify/judges.js'
import { pinStages } from '../records/pin-hub.js'
import { kindOf, type Stage } from '../stages/pipeline-config.js'
import type { StageContext, StageOutput } from '../stages/stage-context.js'
import { hashOf, stageContext } from '../tasks/run-stage.js'
import { stagesBehind } from '../tasks/stages-behind.js'
import { findFaults, promised } from './check-stages.js'
import { freeBytes } from './expected-disk.js'
import { lookAtShards } from './look-at-shards.js'
import { lookAtThing } from './look-at-thing.js'
import { type Looked, sum } from './looked.js'
import type { PlannedModel, RunPlan } from './run-plan.js'

export interface PlanOptions {
  readonly signal?: AbortSignal
  /** Told which stage is looked at. */
  readonly onStage?: (stage: Stage, at: number) => void
}

/**
 * Says what a run would do: what is there of the same configuration and inputs, what would be made and why, and what
 * it takes. Reads what the run itself reads to know it, and writes nothing; of what is on the Hub it fetches the texts
 * that say how a model is read, and neither weights nor data.
 *
 * @param pipeline its name, and the stages that would run, in their order
 */
export const planRun = (
  pipeline: { readonly name: string; readonly stages: readonly Stage[] },
  url: string,
  options: PlanOptions = {},
): Promise<RunPlan> => withoutFetching(() => planStages(pipeline, url, options))

async function planStages(
  { name: pipeline, stages: written }: { readonly name: string; readonly stages: readonly Stage[] },
  url: string,
  { signal, onStage }: PlanOptions,
): Promise<RunPlan> {
  const run = readOnly(openStorage(url))
  const stages = await pinStages(written, run, signal)
  const fetches = new Map<string, number>()
  const notices = new Set<string>()
  const outputs = new Map<string, StageOutput>()
  const looked = new Map<string, Looked>()
  const faults = await findFaults(stages, run, signal, ({ address, bytes }) => fetches.set(address, bytes))
  for (const [at, stage] of stages.entries()) {
    signal?.throwIfAborted()
    onStage?.(stage, at)
    const kind = kindOf(stage)
    const events = {
      ...(signal && { signal }),
      onNotice: (_: unknown, text: string) => void notices.add(text),
    }
    const context = stageContext(stage, { run, outputs }, events, () => {})
    const offer = (offers: Omit<StageOutput, 'name' | 'config'>) =>
      outputs.set(stage.name, { ...offers, name: stage.name, config: stage.with })
    const there =
      kind.makes === 'shards' ? await kind.offers(stage, context).catch(() => undefined) : undefined
    const looking = {
      ...{ stage, context, configHash: hashOf(kind, stage, outputs) },
      needs: stage.needs.flatMap((need) => looked.get(need) ?? []),
      behind: stagesBehind({ stages }, stage).flatMap((one) => looked.get(one.name) ?? []),
      ...(there?.dataset && { dataset: there.dataset }),
    }
    const model = await modelOfStage(stage, context)
    const found =
      kind.makes === 'shards'
        ? { looked: await lookAtShards(kind, looking), offers: there }
        : await lookAtThing(kind, looking)
    offer(found.offers ?? (await promised(kind, stage, context)).offers)
    looked.set(stage.name, { ...found.looked, plan: { ...found.looked.plan, ...(model && { model }) } })
  }
  const plans = [...looked.values()].map(({ plan }) => plan)
  const needed = sum(plans.map(({ disk }) => disk.bytes))
  const free = run.isLocal ? await freeBytes(run.path('')) : null
  const fetched = [...fetches].map(([address, bytes]) => ({ address, bytes }))
  return {
    run: url,
    pipeline,
    stages: plans,
    fetches: fetched,
    disk: { needed, free },
    faults,
    notices: [...notices],
  }
}

/** The model that a stage opens, to find boxes or to judge them: what it names, else that of a stage that it needs. */
async function modelOfStage(stage: Stage, { outputs }: StageContext): Promise<PlannedModel | undefined> {
  if (stage.uses === 'promote' || stage.uses === 'average') return undefined
  const { model, init } = stage.with as { readonly model?: string; readonly init?: string }
  const named = model ?? init
  if (named === 'none') return undefined
  const hasModel = (name: string) => {
    const { model, judge } = outputs.get(name) ?? {}
    return (stage.uses === 'verify' && judgeOf(stage.with).model === 'judge' ? judge : model) !== undefined
  }
  const folder = named !== undefined && !hasModel(named) ? named : undefined
  if (folder !== undefined) return { folder, ...(await modelFacts(folder).catch(() => ({}))) }
  const stageOfModel = named ?? stage.needs.find(hasModel)
  return stageOfModel === undefined ? undefined : { stage: stageOfModel }
}
