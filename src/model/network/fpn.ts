import { relu } from '../../graph/ops/activation.js'
import { add } from '../../graph/ops/elementwise.js'
import { upsampleNearest } from '../../graph/ops/shape.js'
import { sizeAt, type Tensor } from '../../graph/ops/tensor.js'
import type { GlipConfig } from './config.js'
import { dropPlaces } from './drop.js'
import { convParameters, sameConv, stridedConv, xavier } from './layers.js'

/**
 * Feature pyramid (Lin et al. 2017) as in the official code: 1x1 laterals, top-down nearest upsampling and
 * addition, 3x3 outputs, no norm and no activation. Levels above the backbone's are convolutions of stride 2
 * over the level below, which passes through a ReLU from the second on (P6 and P7 of RetinaNet, Lin et al.
 * 2017).
 *
 * @param stages maps of the backbone, finest first, each half the size of the one before
 * @param firstStage number of the first of them, for the names of the parameters
 * @param drop share of places that the merged maps lose in training, all but the coarsest; see `DropRates`
 * @returns a map of `channels` for each stage and each extra level, finest first
 */
export function featurePyramid(
  stages: readonly Tensor[],
  { channels, extra_levels }: GlipConfig['fpn'],
  firstStage: number,
  drop = 0,
): Tensor[] {
  const laterals = stages.map((map, index) => {
    const width = sizeAt(map, 3)
    const name = `backbone.fpn.fpn_inner${firstStage + index}`
    return sameConv(map, convParameters(name, width, channels, 1, xavier(width, channels)))
  })
  let above: Tensor | undefined
  const merged = laterals.toReversed().map((lateral) => {
    above = above ? add(lateral, upsampleNearest(above, 2)) : lateral
    return above
  })
  const square = (name: string) =>
    convParameters(name, channels, channels, 3, xavier(channels * 9, channels * 9))
  const levels = merged.reverse().map((map, index) => {
    const name = `backbone.fpn.fpn_layer${firstStage + index}`
    return sameConv(dropPlaces(name, map, index < merged.length - 1 ? drop : 0), square(name))
  })
  for (let extra = 0; extra < extra_levels; extra++) {
    const below = levels.at(-1)
    if (!below) throw new Error('a pyramid needs a map to build on')
    const name = `backbone.fpn.top_blocks.p${firstStage + 1 + levels.length}`
    levels.push(stridedConv(extra > 0 ? relu(below) : below, square(name), 2))
  }
  return levels
}
