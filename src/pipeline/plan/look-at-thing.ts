import { type RunRecord, readRunRecord } from '../records/run-record.js'
import type { StageOutput } from '../stages/stage-context.js'
import type { OneKind } from '../stages/stage-kind.js'
import { anewReason, earlierConfigs } from './anew-reasons.js'
import { expectedDisk } from './expected-disk.js'
import { type Looked, type Looking, sum } from './looked.js'

/**
 * Looks at a stage that makes one thing: a model, scores, a folder. Of a folder that lies outside of the run nobody
 * knows before it is made.
 *
 * @returns what it offers where it is made of the same
 */
export async function lookAtThing(
  kind: OneKind,
  looking: Looking,
): Promise<{ readonly looked: Looked; readonly offers?: Omit<StageOutput, 'name' | 'config'> | undefined }> {
  const { stage, context, configHash, behind } = looking
  const isReady = behind.every(({ isWhole }) => isWhole)
  const offers = isReady ? await kind.find(stage, configHash, context).catch(() => undefined) : undefined
  const isMade = offers !== undefined || (isReady && ((await kind.isThere?.(stage, context)) ?? false))
  const pictures = picturesOf(looking)
  const pictureBytes = Math.max(0, ...looking.needs.map((need) => need.pictures?.bytes ?? 0))
  const disk = isMade
    ? { bytes: 0, from: 'measured' as const }
    : await expectedDisk(kind, stage, context, [], { pictures, pictureBytes })
  const record = await recordOf(kind, looking)
  const looked = {
    plan: {
      ...{ name: stage.name, uses: stage.uses, needs: stage.needs, resource: kind.resource },
      ...{ total: 1, done: isMade ? 1 : 0 },
      ...(pictures > 0 && { pictures, toDo: isMade ? 0 : pictures }),
      anew: isMade ? [] : await reasons(record, looking, isReady),
      disk,
      ...(record && { seconds: isMade ? 0 : record.seconds }),
    },
    current: new Set<string>(),
    isWhole: isMade,
  }
  return { looked, offers }
}

/**
 * Pictures of the datasets that the stages it needs are of: gold and what was found in it are of one, and those that a
 * model was trained on are none.
 */
function picturesOf({ needs, context: { outputs } }: Looking): number {
  const counts = new Map<string, number>()
  for (const { plan } of needs) {
    const dataset = outputs.get(plan.name)?.dataset?.storage.url
    if (dataset === undefined) continue
    counts.set(dataset, Math.max(counts.get(dataset) ?? 0, plan.pictures ?? 0))
  }
  return sum(counts.values())
}

/** The record of what was made before, of whatever. */
async function recordOf(kind: OneKind, { stage, context: { run } }: Looking) {
  const name = kind.record(stage)
  return run && name !== undefined ? readRunRecord(run, name) : undefined
}

async function reasons(
  record: RunRecord<unknown> | undefined,
  { stage, context: { run }, configHash }: Looking,
  isReady: boolean,
): Promise<string[]> {
  if (!run || !record) return []
  const earlier = await earlierConfigs(run, stage)
  const isConfig = record.configHash === configHash
  if (isConfig && isReady) return ['what it is made of has changed']
  return [anewReason(record, configHash, undefined, stage.with, earlier)]
}
