import type { View } from './view.js'

/**
 * Whether a box is kept at a threshold. Its rules keep it at the thresholds above `from` and up to `to`;
 * `from` is -1 where they keep it at every threshold up to its score.
 */
export const isKept = (from: number, to: number, threshold: number): boolean =>
  from < threshold && threshold <= to

/** The threshold of a view over a layer: the chosen one, or the layer's own. */
export const thresholdOf = (
  { threshold }: Pick<View, 'threshold'>,
  layer: { readonly threshold: number },
): number => threshold ?? layer.threshold
