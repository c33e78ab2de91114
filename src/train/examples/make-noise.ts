import { random } from '../../base/random.js'
import { type Shape, sizeOf } from '../../graph/ops/tensor.js'
import { floats, type Value } from '../../graph/session.js'
import { noisePrefix } from '../../model/network/drop.js'

/** An input of a graph. */
export interface NoiseInput {
  readonly name: string
  readonly shape: Shape
}

/**
 * What a part of a batch is fed where the network loses something at random: uniform noise in [0, 1), which
 * the seed, the part and the place in the network decide, so that a run that is resumed drops what it would
 * have dropped.
 *
 * @param inputs of the step's graph; those whose names begin with `noise.` are made
 * @param part counted from 1 through all batches
 */
export function makeNoise(inputs: readonly NoiseInput[], seed: number, part: number): Record<string, Value> {
  const noisy = inputs.filter(({ name }) => name.startsWith(noisePrefix))
  return Object.fromEntries(
    noisy.map(({ name, shape }) => {
      const draw = random(seed, name, part)
      // 24 bits, since a float32 would round some of 32 up to 1.
      const numbers = Float32Array.from({ length: sizeOf(shape) }, () => draw.integer(2 ** 24) / 2 ** 24)
      return [name, floats(numbers, shape)]
    }),
  )
}
