import { random } from '../../base/random.js'
import type { SampleStream } from './sample.js'

/**
 * A place of a batch: the sample that stands there is number `position` of its source, counted from 0 over
 * all epochs.
 */
export interface Place<S> {
  readonly stream: S
  readonly position: number
}

/** The places of the batch of a step, counted from 1. */
export type SampleOrder<S> = (step: number) => readonly Place<S>[]

export interface SampleOrderOptions {
  readonly seed: number
  /** Places of a batch. */
  readonly batch: number
  /** Weight of each source, 1 where none is given; `size`: as many as it has samples. */
  readonly mix: 'size' | Readonly<Record<string, number>>
}

/**
 * Which sample stands at each place of each batch. A place's source is drawn by the seed and the step; its
 * position is how often the source was drawn before, in this step and in all earlier ones. So the answer
 * depends on the step alone, in whatever order steps are asked for: a run that goes on needs no more than the
 * number of its last step.
 *
 * Earlier draws are counted again where they are not known (of 60,000 steps of 16 places in about 0.2 s);
 * steps that follow each other are counted once.
 */
export function sampleOrder<S extends Pick<SampleStream, 'name' | 'size'>>(
  streams: readonly S[],
  { seed, batch, mix }: SampleOrderOptions,
): SampleOrder<S> {
  const pick = weightedPick(streams, ({ name, size }) => (mix === 'size' ? size : (mix[name] ?? 1)))
  const drawn = (step: number): S[] => {
    const draw = random(seed, 'batch', step)
    return Array.from({ length: batch }, () => pick(draw.next()))
  }
  const start = { step: 1, taken: new Map<string, number>() }
  // The last count that was made. It saves counting again, and no answer depends on it.
  let known = start
  return (step) => {
    const from = known.step <= step ? known : start
    const taken = new Map(from.taken)
    const take = ({ name }: S): number => {
      const position = taken.get(name) ?? 0
      taken.set(name, position + 1)
      return position
    }
    for (let earlier = from.step; earlier < step; earlier++) drawn(earlier).forEach(take)
    known = { step, taken: new Map(taken) }
    return drawn(step).map((stream) => ({ stream, position: take(stream) }))
  }
}

/** Picks an item by a number that is uniform in [0, 1), as likely as its weight says. */
function weightedPick<T>(items: readonly T[], weightOf: (item: T) => number): (at: number) => T {
  const weights = items.map(weightOf)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return (at) => {
    let left = at * sum
    for (const [index, weight] of weights.entries()) {
      left -= weight
      if (left < 0) return items[index] as T
    }
    // Rounding may leave something over.
    return items.at(-1) as T
  }
}
