import { type Figure, mean } from './report.js'

/** Steps, from 1, at which two curves are told. */
const told = [1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 600, 800, 1000, 1500, 2000, 2500]

/** How far two programs' losses on the same batches may be apart in the first steps, of the loss. */
const limit = 1e-3

/**
 * The losses of two trainings on the same batches, side by side, and how far apart they are. Only the first
 * steps have a goal: rounding differs from the first step on, and each step makes more of it.
 *
 * @param ours the loss of each step
 * @param theirs as many
 */
export function compareLosses(ours: readonly number[], theirs: readonly number[]): Record<string, Figure> {
  const figures: Record<string, Figure> = {}
  const report = (name: string, value: number, unit: string) => {
    figures[name] = { value, unit, goal: '', met: null }
  }
  const steps = ours.length
  for (const step of [...told.filter((one) => one < steps), steps]) {
    report(`loss at step ${step}, ours`, ours[step - 1]!, '')
    report(`loss at step ${step}, PyTorch`, theirs[step - 1]!, '')
  }
  const last = Math.min(50, steps)
  report(`mean loss of the last ${last} steps, ours`, mean(ours.slice(-last)), '')
  report(`mean loss of the last ${last} steps, PyTorch`, mean(theirs.slice(-last)), '')
  for (const first of new Set([10, 100, steps].map((one) => Math.min(one, steps)))) {
    const value = largestDifference(ours, theirs, first)
    const goal = first <= 10 ? { goal: `< ${limit}`, met: value < limit } : { goal: '', met: null }
    figures[`largest difference, first ${first} steps`] = { value, unit: 'of the loss', ...goal }
  }
  return figures
}

/**
 * How far the terms of one step are apart, in shares of the second's. Of the first step this is what the same
 * weights and batch give: the norm of the gradient, which says most, and each term of the loss.
 */
export function compareTerms(
  ours: Readonly<Record<string, number>>,
  theirs: Readonly<Record<string, number>>,
): Record<string, Figure> {
  const differences = Object.entries(theirs).map(([term, value]): [string, Figure] => [
    `difference at step 1, ${term.replace('_', ' ')}`,
    {
      value: Math.abs((ours[term] ?? Number.NaN) - value) / Math.abs(value),
      unit: 'of it',
      goal: '',
      met: null,
    },
  ])
  return Object.fromEntries(differences)
}

/** Of the first steps, in shares of the second curve. */
export function largestDifference(ours: readonly number[], theirs: readonly number[], first: number): number {
  return Math.max(
    ...ours.slice(0, first).map((value, at) => Math.abs(value - theirs[at]!) / Math.abs(theirs[at]!)),
  )
}
