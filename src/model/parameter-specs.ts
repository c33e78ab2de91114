import type { Shape } from '../graph/ops/tensor.js'
import { type GlipConfig, queriesOf, sizeStep } from './network/config.js'
import { glip, glipInputs } from './network/glip.js'
import { glipQueries } from './network/glip-queries.js'
import { parametersOf } from './network/parameters.js'

/** A parameter as it is stored here, and as the official code stores it. */
export interface ParameterSpec {
  /** The official key, without the leading `module.`. */
  readonly name: string
  readonly shape: Shape
  /** Shape in PyTorch. */
  readonly torchShape: Shape
  /**
   * `same`: the bytes are PyTorch's. `channels_last`: a convolution's weight, [O, kH, kW, I] here and [O, I,
   * kH, kW] in PyTorch.
   */
  readonly layout: 'same' | 'channels_last'
}

/**
 * All parameters of a network, in the order in which its graph reads them. Only the weights of convolutions
 * have four axes, and all of them are stored with channels last: this is the whole difference from PyTorch's
 * layout.
 *
 * Of the official checkpoints' keys a network has no use for `rpn.head.cls_logits.*` (frozen, no loss),
 * buffers (`relative_position_index`, `position_ids`, `cell_anchors`) and the pooler of BERT.
 */
export function parameterSpecs(config: GlipConfig): ParameterSpec[] {
  const smallest = { height: sizeStep(config), width: sizeStep(config) }
  const inputs = glipInputs(config, 1, smallest)
  const outputs = queriesOf(config) === undefined ? glip(config, inputs) : glipQueries(config, inputs)
  const { contrastive, ...others } = outputs
  return parametersOf([...Object.values(others), ...Object.values(contrastive ?? {})]).map(torchLayout)
}

/** How PyTorch stores a parameter. */
export function torchLayout({ name, shape }: Pick<ParameterSpec, 'name' | 'shape'>): ParameterSpec {
  const [outputs, height, width, inputs, ...more] = shape
  if (outputs === undefined || height === undefined || width === undefined) return same(name, shape)
  if (inputs === undefined || more.length > 0) return same(name, shape)
  return { name, shape, torchShape: [outputs, inputs, height, width], layout: 'channels_last' }
}

const same = (name: string, shape: Shape): ParameterSpec => ({
  name,
  shape,
  torchShape: shape,
  layout: 'same',
})

/** A parameter's values from PyTorch's order into this one's. */
export function fromTorch({ shape, layout }: ParameterSpec, data: Float32Array): Float32Array {
  return layout === 'same' ? data : reorder(shape, data, false)
}

/** A parameter's values from this order into PyTorch's. */
export function toTorch({ shape, layout }: ParameterSpec, data: Float32Array): Float32Array {
  return layout === 'same' ? data : reorder(shape, data, true)
}

function reorder(
  [outputs = 1, height = 1, width = 1, inputs = 1]: Shape,
  data: Float32Array,
  toPyTorch: boolean,
) {
  const result = new Float32Array(data.length)
  const area = height * width
  for (let output = 0; output < outputs; output++) {
    for (let place = 0; place < area; place++) {
      for (let input = 0; input < inputs; input++) {
        const channelsLast = (output * area + place) * inputs + input
        const torch = (output * inputs + input) * area + place
        if (toPyTorch) result[torch] = data[channelsLast]!
        else result[channelsLast] = data[torch]!
      }
    }
  }
  return result
}
