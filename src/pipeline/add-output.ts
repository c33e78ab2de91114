import type { StageOutput } from './stages/stage-context.js'

/**
 * Adds what a stage of a dataset offers to what a command's stage may need.
 *
 * @returns the name to need it by: its own, with a number behind it where a stage of another dataset has that
 * name
 */
export function addOutput(outputs: Map<string, StageOutput>, output: StageOutput): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? output.name : `${output.name}-${number}`
    const existing = outputs.get(name)
    if (existing && existing.dataset?.storage.path('') !== output.dataset?.storage.path('')) continue
    outputs.set(name, { ...output, name })
    return name
  }
}
