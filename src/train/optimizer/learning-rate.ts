/** How the learning rate changes from step to step. */
export interface RateSchedule {
  readonly learning_rate: number
  /** Steps of linear warm-up. */
  readonly warmup: number
  readonly steps: number
  readonly schedule: 'cosine' | 'step' | 'plateau'
}

/**
 * The learning rate of step `step` (from 1): linear warm-up, then half a cosine down to a hundredth, GLIP's steps to a
 * tenth at 67 % and again at 89 %, or the rate that a plateau has left.
 *
 * @param reached what validations have brought the rate to, where the schedule is `plateau`
 */
export function learningRate(
  step: number,
  { learning_rate, warmup, steps, schedule }: RateSchedule,
  reached = learning_rate,
): number {
  if (step <= warmup) return (learning_rate * step) / warmup
  if (schedule === 'plateau') return reached
  const done = step / steps
  if (schedule === 'step') return learning_rate * (done > 0.89 ? 0.01 : done > 0.67 ? 0.1 : 1)
  const through = (step - warmup) / Math.max(1, steps - warmup)
  return learning_rate * (0.01 + 0.99 * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, through))))
}
