import { random } from '../../base/random.js'
import { UserError } from '../../base/user-error.js'
import type { PictureMetric } from './picture-metric.js'
import { normalTail, studentQuantile } from './student-tail.js'

export interface BootstrapOptions {
  /** Pictures that all were asked about. */
  readonly images: number
  /** How often at most the interval may miss the true difference, half of it on either side; 0 to 1. */
  readonly level: number
  readonly resamplings: number
  readonly seed: number
  /** What a difference must exceed, for `above`. */
  readonly margin: number
}

/** A metric of one model less that of another, on the same pictures. */
export interface Difference {
  readonly difference: number
  /** Undefined where too few pictures tell the models apart for an interval of that level. */
  readonly interval: readonly [low: number, high: number] | undefined
  /** Share of the resamplings whose difference exceeds the margin. */
  readonly above: number
  /** Pictures that tell the models apart: those on which the metric does not see the same of both. */
  readonly differing: number
}

/**
 * How much the metric of each of some models differs from that of another one, with an interval by the paired
 * bootstrap: pictures are drawn anew from those there are, as many and with replacement, and all models are
 * scored on each drawing.
 *
 * The interval is the percentile interval, expanded for small samples (Hesterberg, What Teachers Should Know
 * About the Bootstrap, 2015), with the number of pictures that tell the models apart as the size of the
 * sample: pictures that both answer alike say nothing of which is better. Of a drawing of four pictures all
 * in favour of one model the plain percentile is far too sure.
 *
 * Of several models the intervals hold together: at most `level` of the time is one of them off. Their ends
 * are moved out, all by as many places, until no more drawings than for a single model have a model beyond
 * its end. So the best of them may be picked afterwards.
 *
 * @throws UserError where the level asks for more resamplings
 */
export function pairedBootstrap(
  base: PictureMetric,
  models: readonly PictureMetric[],
  { images, level, resamplings, seed, margin }: BootstrapOptions,
): Difference[] {
  if ((level / 2) * (resamplings + 1) < 1) {
    const least = Math.ceil(2 / level - 1)
    throw new UserError(
      `A level of ${level} takes ${least} resamplings at least, and ${resamplings} were asked for.`,
    )
  }
  const differing = models.map(({ seen }) => seen.filter((own, image) => own !== base.seen[image]).length)
  const drawn = models.map(() => new Float64Array(resamplings))
  const counts = new Int32Array(images)
  const draw = random(seed, 'paired bootstrap')
  for (let at = 0; at < resamplings; at++) {
    counts.fill(0)
    for (let picture = 0; picture < images; picture++) counts[draw.integer(images)]!++
    const score = base.over(counts)
    models.forEach((model, index) => {
      drawn[index]![at] = model.over(counts) - score
    })
  }
  counts.fill(1)
  const score = base.over(counts)
  const sorted = drawn.map((differences) => differences.toSorted())
  const nominal = Math.floor((level / 2) * (resamplings + 1))
  const low = jointPlace(drawn, sorted, nominal, (value, end) => value < end)
  const reversed = sorted.map((differences) => differences.toReversed())
  const high = jointPlace(drawn, reversed, nominal, (value, end) => value > end)
  return models.map((model, index) => {
    const own = sorted[index]!
    const apart = differing[index]!
    const place = (joint: number) =>
      Math.floor(expandedShare(joint / (resamplings + 1), apart) * (resamplings + 1))
    const [from, to] = [place(low), place(high)]
    return {
      difference: model.over(counts) - score,
      interval: from < 1 || to < 1 ? undefined : [own[from - 1]!, own[resamplings - to]!],
      above: own.filter((value) => value > margin).length / resamplings,
      differing: apart,
    }
  })
}

/**
 * The share of the percentiles to cut off on one side, where `share` is what may lie there, for a sample of so
 * many pictures.
 */
function expandedShare(share: number, pictures: number): number {
  // Models that answer alike everywhere differ by 0, whatever is drawn.
  if (pictures === 0) return share
  if (pictures === 1) return 0
  return normalTail(Math.sqrt(pictures / (pictures - 1)) * studentQuantile(share, pictures - 1))
}

/**
 * The largest place, from 1 to `nominal`, at which fewer than `nominal` drawings have any model beyond its own
 * end there. Of one model it is `nominal`.
 *
 * @param ends of each model its differences, outermost first
 */
function jointPlace(
  drawn: readonly Float64Array[],
  ends: readonly Float64Array[],
  nominal: number,
  isBeyond: (value: number, end: number) => boolean,
): number {
  const resamplings = drawn[0]?.length ?? 0
  for (let place = nominal; place > 1; place--) {
    let beyond = 0
    for (let at = 0; at < resamplings; at++)
      if (drawn.some((differences, index) => isBeyond(differences[at]!, ends[index]![place - 1]!))) beyond++
    if (beyond < nominal) return place
  }
  return 1
}
