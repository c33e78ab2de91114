import { kindOf, type Stage } from '../stages/pipeline-config.js'

/** Whether a stage is to be run where there is a GPU: its kind can use one, and its configuration names one. */
export function wantsGpu(stage: Stage): boolean {
  if (kindOf(stage).resource !== 'gpu') return false
  const { device = 'cpu' } = stage.with as { readonly device?: string | readonly string[] }
  return [device].flat().some((name) => name !== 'cpu')
}
