/**
 * What a network loses at random while it is trained. Each place draws from an input of its own, `noise.` and
 * its name.
 */
import { dropBlock, dropout, spreadLength, spreadNoise } from '../../graph/ops/dropout.js'
import { input, sizesOf, type Tensor } from '../../graph/ops/tensor.js'

/** Shares, 0 to under 1. */
export interface DropRates {
  /**
   * Of a Swin block: the share of samples that lose what its attention, or its feed-forward part, adds. It
   * grows evenly from 0 in the first block to this in the last (stochastic depth, Huang et al. 2016).
   */
  readonly path: number
  /**
   * Of text layers: embeddings, attention, and what attention and the feed-forward part add. Of fusion:
   * attention both ways.
   */
  readonly dropout: number
  /**
   * Of the merged maps of the pyramid, all but the coarsest, under their outputs: places in blocks of 3 x 3.
   */
  readonly block: number
}

/** The first letters of the names of inputs that are fed uniform noise in [0, 1), new for each step. */
export const noisePrefix = 'noise.'

/** Some samples of a batch without `x`, which is what a block adds; the others have more of it. */
export function dropSamples(name: string, x: Tensor, rate: number): Tensor {
  if (rate === 0) return x
  const eachSample = x.shape.map((size, axis) => (axis === 0 ? size : 1))
  return dropout(x, rate, input(`${noisePrefix}${name}`, eachSample))
}

/** Single elements. */
export function dropElements(name: string, x: Tensor, rate: number): Tensor {
  if (rate === 0) return x
  return dropout(x, rate, spreadNoise(input(`${noisePrefix}${name}`, [spreadLength(x.shape)]), x.shape))
}

/** Blocks of places of a map [N, H, W, C]. */
export function dropPlaces(name: string, x: Tensor, rate: number): Tensor {
  if (rate === 0) return x
  const [n, h, w] = sizesOf(x, 4)
  return dropBlock(x, rate, input(`${noisePrefix}${name}`, [n, h, w, 1]))
}
