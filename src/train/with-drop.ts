import { UserError } from '../base/user-error.js'
import type { GlipConfig } from '../model/network/config.js'
import type { DropRates } from '../model/network/drop.js'

/**
 * The network as it is trained: the same where nothing is dropped.
 *
 * @throws UserError where a part is to be dropped that the network has not
 */
export function withDrop(network: GlipConfig, drop: DropRates): GlipConfig {
  const { backbone, preset } = network
  if (drop.path > 0 && backbone.kind !== 'swin')
    throw new UserError(
      `drop: path is ${drop.path}, and the backbone of preset ${preset} is no Swin: it has no blocks to skip.`,
    )
  return Object.values(drop).some((rate) => rate > 0) ? { ...network, drop } : network
}
