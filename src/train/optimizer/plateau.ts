import { z } from 'zod'

/** When the learning rate falls on a plateau of a validation's metric. */
export interface PlateauConfig {
  /** Validations without a better metric that are waited for: the rate falls at the next one. */
  readonly patience: number
  /** What the rate is multiplied by. */
  readonly factor: number
  /** Least rate. */
  readonly min_rate: number
}

/** How much better a metric must be than the best to count, as a share of that: PyTorch's threshold. */
const leastGain = 1e-4
/** A fall of the rate that is not worth it: PyTorch's eps. */
const leastFall = 1e-8

export const plateauState = z.object({
  /** The learning rate after the warm-up. */
  rate: z.number(),
  best: z.number().optional(),
  /** Validations since the best one. */
  bad: z.number(),
})
export type PlateauState = Readonly<z.infer<typeof plateauState>>

/**
 * ReduceLROnPlateau of PyTorch for a metric that should rise, as the official code steps it: validations within the
 * warm-up and those that find nothing at all (a metric of 0) count neither way.
 *
 * @param metric of a validation after the warm-up
 */
export function stepPlateau(
  state: PlateauState,
  metric: number,
  { patience, factor, min_rate }: PlateauConfig,
): PlateauState {
  if (metric === 0) return state
  const { rate, best } = state
  if (best === undefined || metric > best * (1 + leastGain)) return { rate, best: metric, bad: 0 }
  const bad = state.bad + 1
  if (bad <= patience) return { rate, best, bad }
  const lower = Math.max(rate * factor, min_rate)
  return { rate: rate - lower > leastFall ? lower : rate, best, bad: 0 }
}
