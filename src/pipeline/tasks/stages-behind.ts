import { kindOf, type Pipeline, type Stage } from '../stages/pipeline-config.js'

/**
 * The stages that a stage is made of, in the order of the pipeline: those that it needs, those that they need,
 * and those whose models they name.
 */
export function stagesBehind({ stages }: Pick<Pipeline, 'stages'>, stage: Stage): readonly Stage[] {
  const byName = new Map(stages.map((one) => [one.name, one]))
  const behind = new Set<Stage>()
  const add = (one: Stage) => {
    for (const name of [...one.needs, ...modelNames(one)]) {
      const needed = byName.get(name)
      if (!needed || needed === stage || behind.has(needed)) continue
      behind.add(needed)
      add(needed)
    }
  }
  add(stage)
  return stages.filter((one) => behind.has(one))
}

/** What keys that name a model say: the name of a stage, or a folder. */
function modelNames(stage: Stage): string[] {
  const config = stage.with as Readonly<Record<string, unknown>>
  return [...(kindOf(stage).modelKeys ?? []), 'model'].map((key) => String(config[key]))
}
