import type { StageOutput } from './stages/stage-context.js'

/**
 * Adds what a stage of a dataset offers to what a command's stage may need.
 *
 * @returns the name under which it is needed: its own, with a number where a stage of another dataset has that
 */
export function addOutput(outputs: Map<string, StageOutput>, output: StageOutput): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? output.name : `${output.name}-${number}`
    const there = outputs.get(name)
    if (there && there.dataset?.storage.path('') !== output.dataset?.storage.path('')) continue
    outputs.set(name, { ...output, name })
    return name
  }
}
