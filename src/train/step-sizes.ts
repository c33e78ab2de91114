import { random } from '../base/random.js'
import { UserError } from '../base/user-error.js'
import { type GlipConfig, sizeStep } from '../model/network/config.js'
import type { TrainConfig } from './config.js'

/**
 * The side of the input at a step, from 1. Where it is drawn, the seed and the step decide, so that a training that goes on
 * draws what it would have drawn.
 */
export function sideAt(
  step: number,
  { image_size: side }: Pick<GlipConfig, 'image_size'>,
  { multi_scale: scales, seed }: Pick<TrainConfig, 'multi_scale' | 'seed'>,
): number {
  if (!scales) return side
  return random(seed, 'size', Math.floor((step - 1) / scales.every)).pick(scales.sizes)
}

/** Throws a UserError where a network cannot have an input of a size that is drawn. */
export function checkScales(
  network: GlipConfig,
  { multi_scale: scales }: Pick<TrainConfig, 'multi_scale'>,
): void {
  const stride = sizeStep(network)
  for (const side of scales?.sizes ?? [])
    if (side % stride !== 0)
      throw new UserError(
        `multi_scale: ${side} is not a multiple of ${stride}, the coarsest stride of preset "${network.preset}".`,
      )
}
