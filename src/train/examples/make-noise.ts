import { random } from '../../base/random.js'
import { type Shape, sizeOf } from '../../graph/ops/tensor.js'
import { floats, type Value } from '../../graph/session.js'
import { noisePrefix } from '../../model/network/drop.js'

/**
 * What a step is fed where the network loses something at random: uniform noise in [0, 1), which the seed, the step and the
 * place decide, so that a run that is resumed drops what it would have dropped.
 *
 * @param inputs of the step's session; those whose names begin with `noise.` are made
 */
export function makeNoise(
  inputs: readonly { readonly name: string; readonly shape: Shape }[],
  seed: number,
  step: number,
): Record<string, Value> {
  const noisy = inputs.filter(({ name }) => name.startsWith(noisePrefix))
  return Object.fromEntries(
    noisy.map(({ name, shape }) => {
      const draw = random(seed, name, step)
      // 24 bits, since a float32 would round some of 32 up to 1.
      const numbers = Float32Array.from({ length: sizeOf(shape) }, () => draw.integer(2 ** 24) / 2 ** 24)
      return [name, floats(numbers, shape)]
    }),
  )
}
