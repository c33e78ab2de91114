import type { Pipeline, Stage } from '../stages/pipeline-config.js'

/**
 * The stages before a stage whose names its configuration says without naming them in `needs`: models, the
 * captions of a vocabulary, a truth. In one process they have run by then.
 */
export function stagesNamed({ stages }: Pick<Pipeline, 'stages'>, stage: Stage): readonly Stage[] {
  const names = new Set(textsIn(stage.with))
  const before = stages.slice(0, stages.indexOf(stage))
  return before.filter(({ name }) => names.has(name) && !stage.needs.includes(name))
}

/**
 * The stages that a stage is made of, in the order of the pipeline: those that it needs or names, and those
 * that they need or name.
 */
export function stagesBehind(pipeline: Pick<Pipeline, 'stages'>, stage: Stage): readonly Stage[] {
  return closure(pipeline, stage, (one) => stagesNamed(pipeline, one))
}

/** The stages that a stage needs, and those that they need, in the order of the pipeline. */
export function stagesNeeded(pipeline: Pick<Pipeline, 'stages'>, stage: Stage): readonly Stage[] {
  return closure(pipeline, stage, () => [])
}

function closure(
  pipeline: Pick<Pipeline, 'stages'>,
  stage: Stage,
  others: (stage: Stage) => readonly Stage[],
): readonly Stage[] {
  const byName = new Map(pipeline.stages.map((one) => [one.name, one]))
  const behind = new Set<Stage>()
  const add = (one: Stage) => {
    const needed = one.needs.flatMap((name) => byName.get(name) ?? [])
    for (const before of [...needed, ...others(one)]) {
      if (behind.has(before)) continue
      behind.add(before)
      add(before)
    }
  }
  add(stage)
  return pipeline.stages.filter((one) => behind.has(one))
}

/** All texts in a value. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}
