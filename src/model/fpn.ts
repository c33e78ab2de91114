import { add } from '../graph/ops/elementwise.js'
import { upsampleNearest } from '../graph/ops/shape.js'
import type { Tensor } from '../graph/tensor.js'
import { convParameters, sameConv, xavier } from './layers.js'

/**
 * Feature pyramid (Lin et al. 2017) as in the official code: 1x1 laterals, top-down nearest upsampling and
 * addition, 3x3 outputs, no norm and no activation.
 *
 * @param stages maps of the backbone, finest first, each half the size of the one before
 * @param firstStage number of the first of them, for the names of the parameters
 * @returns a map of `channels` for each stage, finest first
 */
export function featurePyramid(stages: readonly Tensor[], channels: number, firstStage: number): Tensor[] {
  const laterals = stages.map((map, index) => {
    const width = map.shape[3]
    const name = `backbone.fpn.fpn_inner${firstStage + index}`
    return sameConv(map, convParameters(name, width, channels, 1, xavier(width, channels)))
  })
  let above: Tensor | undefined
  const merged = laterals.toReversed().map((lateral) => {
    above = above ? add(lateral, upsampleNearest(above, 2)) : lateral
    return above
  })
  return merged.reverse().map((map, index) => {
    const name = `backbone.fpn.fpn_layer${firstStage + index}`
    return sameConv(map, convParameters(name, channels, channels, 3, xavier(channels * 9, channels * 9)))
  })
}
