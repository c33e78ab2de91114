import type { OptimizerState } from './optimizer-state.js'

export interface AdamWConfig {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weight_decay: number
  /** Largest L2 norm of the gradient of all parameters together. */
  readonly clip_norm: number
  /** Share of the old average that the exponential moving average keeps at each step. */
  readonly ema: number
}

/**
 * AdamW (Loshchilov and Hutter 2019) with the gradient's norm clipped, in place.
 *
 * With c1 = 1 - beta1^t and c2 = 1 - beta2^t, value' = value (1 - rate decay) - rate sqrt(c2) / c1 * moment1'
 * / (sqrt(moment2') + epsilon sqrt(c2)), which is PyTorch's formula with the corrections moved to scalars;
 * the gradient is multiplied by clip_norm / (norm + 1e-6) where that is under 1, as `clip_grad_norm_` does.
 *
 * @param state its `gradient` vectors hold the step's gradients
 * @param step from 1
 * @param rate the learning rate
 * @param parts of the batch whose gradients the vectors hold the sum of: their mean is stepped on
 * @returns the gradient's norm before clipping; where it is not a finite number nothing is changed
 */
export function adamWStep(
  state: OptimizerState,
  step: number,
  rate: number,
  config: AdamWConfig,
  parts = 1,
): number {
  const { beta1, beta2, epsilon, weight_decay, clip_norm, ema } = config
  const norm = Math.sqrt(state.groups.reduce((sum, { vectors }) => sum + vectors.sumOfSquares(), 0)) / parts
  if (!Number.isFinite(norm)) return norm
  // The clipping factor is folded into scalars: each pass over the vectors costs as much as the arithmetic.
  const scale = Math.min(1, clip_norm / (norm + 1e-6)) / parts
  const root2 = Math.sqrt(1 - beta2 ** step)
  for (const { group, vectors } of state.groups) {
    const groupRate = rate * group.rate
    vectors.update({
      beta1,
      share1: scale * (1 - beta1),
      beta2,
      share2: scale ** 2 * (1 - beta2),
      smallest: root2 * epsilon,
      stride: (groupRate * root2) / (1 - beta1 ** step),
      shrink: group.decay ? 1 - groupRate * weight_decay : 1,
      ema,
      fresh: 1 - ema,
    })
  }
  return norm
}
