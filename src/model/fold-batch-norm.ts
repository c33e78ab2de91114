import { UserError } from '../base/user-error.js'
import type { StoredTensor } from '../weights/weight-file.js'

/** torch.nn.BatchNorm2d's default. */
const epsilon = 1e-5

/**
 * Tensors of a network in which each batch norm with statistics (`X.weight`, `X.bias`, `X.running_mean`,
 * `X.running_var`) has become a scale and a shift of each channel, under its own `X.weight` and `X.bias`:
 * weight / sqrt(variance + epsilon), and bias less the mean times that. The statistics stay in the list, for
 * the account of what a file holds.
 *
 * @throws UserError where the four differ in shape
 */
export function foldBatchNorms(
  tensors: ReadonlyMap<string, StoredTensor>,
): ReadonlyMap<string, StoredTensor> {
  const folded = new Map(tensors)
  for (const [key, variance] of tensors) {
    const name = /^(.*)\.running_var$/.exec(key)?.[1]
    const mean = tensors.get(`${name}.running_mean`)
    const weight = tensors.get(`${name}.weight`)
    const bias = tensors.get(`${name}.bias`)
    if (!mean || !weight || !bias) continue
    const other = [bias, mean, variance].find(({ shape }) => `${shape}` !== `${weight.shape}`)
    if (other)
      throw new UserError(
        `${other.name} has shape [${other.shape}], and the weight of its norm [${weight.shape}]: the file is damaged.`,
      )
    const readScale = async () => {
      const [values, spread] = [await weight.read(), await variance.read()]
      return values.map((value, channel) => value / Math.sqrt(spread[channel]! + epsilon))
    }
    const readShift = async () => {
      const [scale, values, centre] = [await readScale(), await bias.read(), await mean.read()]
      return values.map((value, channel) => value - centre[channel]! * scale[channel]!)
    }
    folded.set(`${name}.weight`, { ...weight, read: readScale })
    folded.set(`${name}.bias`, { ...bias, read: readShift })
  }
  return folded
}
