/** Swin Transformer (Liu et al. 2021), with the parameter names of the official code. */
import { gelu, softmax } from '../../graph/ops/activation.js'
import { add, cast, equal, mul, sub } from '../../graph/ops/elementwise.js'
import { linear, matmul, swapLast } from '../../graph/ops/matmul.js'
import { reshape } from '../../graph/ops/reshape.js'
import { gatherRows, pad, rearrange, spaceToDepth, split, transpose } from '../../graph/ops/shape.js'
import {
  constant,
  type Init,
  int64,
  parameter,
  sizeAt,
  sizesOf,
  type Tensor,
} from '../../graph/ops/tensor.js'
import type { SwinBackbone } from './config.js'
import { dropSamples } from './drop.js'
import { dense, norm } from './layers.js'

const epsilon = 1e-5
const swinInit: Init = { kind: 'normal', std: 0.02 }
const mlpRatio = 4
/** What the official code adds to the attention between places that only the shift brought together. */
const otherRegionBias = -100

/**
 * @param image [N, H, W, 3], H and W multiples of the patch
 * @param firstStage the first stage whose map is wanted: the official detector norms no others
 * @param path share of samples that the last block loses in training; see `DropRates`
 * @returns the maps of that stage and those after it, normed, finest first: [N, H / (patch * 2^i), …,
 * widths[i]]
 */
export function swinBackbone(image: Tensor, config: SwinBackbone, firstStage: number, path = 0): Tensor[] {
  const body = 'backbone.body'
  const { patch, widths, depths } = config
  const channels = sizeAt(image, 3)
  const stem = parameter(`${body}.patch_embed.proj.weight`, [widths[0], patch, patch, channels], swinInit)
  const stemBias = parameter(`${body}.patch_embed.proj.bias`, [widths[0]], { kind: 'constant', value: 0 })
  const patches = spaceToDepth(image, patch)
  const embedded = linear(patches, reshape(stem, [widths[0], patch * patch * channels]), stemBias)
  let x = norm(`${body}.patch_embed.norm`, embedded, epsilon)
  const maps: Tensor[] = []
  const last = depths.reduce((sum, depth) => sum + depth, 0) - 1
  let blocksBefore = 0
  widths.forEach((width, stage) => {
    if (stage > 0) x = mergePatches(`${body}.layers.${stage - 1}.downsample`, x, width)
    const [, h, w] = sizesOf(x, 4)
    const plain = placeWindows(h, w, config.window, 0)
    const shifted = placeWindows(h, w, config.window, Math.floor(config.window / 2))
    for (let block = 0; block < depths[stage]!; block++) {
      const name = `${body}.layers.${stage}.blocks.${block}`
      const drop = last > 0 ? (path * blocksBefore++) / last : 0
      x = swinBlock(name, x, config.heads[stage]!, block % 2 === 0 ? plain : shifted, drop)
    }
    if (stage >= firstStage) maps.push(norm(`${body}.norm${stage}`, x, epsilon))
  })
  return maps
}

/** How a map is cut into windows. */
export interface Windows {
  readonly window: number
  /** How many windows. */
  readonly count: number
  /** For each place of each window, the place of the map, or -1 for padding. */
  readonly toWindows: Int32Array
  /** For each place of the map, the place in its window. */
  readonly toMap: Int32Array
  /** [count, window^2]: places of a window attend to those of their own region only; absent where all may. */
  readonly regions: Float32Array | undefined
}

/**
 * Windows of a map that is padded at the right and at the bottom to whole windows and then moved up and left
 * in a circle by `shift` places.
 */
export function placeWindows(h: number, w: number, window: number, shift: number): Windows {
  const rows = Math.ceil(h / window)
  const columns = Math.ceil(w / window)
  const area = window * window
  const toWindows = new Int32Array(rows * columns * area)
  const toMap = new Int32Array(h * w)
  const regions = new Float32Array(toWindows.length)
  // The last window's places, and those of them that came round from the other edge, are regions of their
  // own.
  const region = (at: number, size: number) => (at < size - window ? 0 : at < size - shift ? 1 : 2)
  for (let index = 0; index < toWindows.length; index++) {
    const at = Math.floor(index / area)
    const y = Math.floor(at / columns) * window + Math.floor((index % area) / window)
    const x = (at % columns) * window + (index % window)
    const row = (y + shift) % (rows * window)
    const column = (x + shift) % (columns * window)
    const inside = row < h && column < w
    toWindows[index] = inside ? row * w + column : -1
    if (inside) toMap[row * w + column] = index
    regions[index] = 3 * region(y, rows * window) + region(x, columns * window)
  }
  return { window, count: rows * columns, toWindows, toMap, regions: shift > 0 ? regions : undefined }
}

/**
 * One block: attention within windows, then a feed-forward part, each normed before and added to what was
 * there.
 *
 * @param drop share of samples that lose what a part adds, in training
 */
export function swinBlock(name: string, x: Tensor, heads: number, windows: Windows, drop = 0): Tensor {
  const [n, h, w, width] = sizesOf(x, 4)
  const places = reshape(norm(`${name}.norm1`, x, epsilon), [n, h * w, width])
  const attended = windowAttention(`${name}.attn`, rearrange(places, windows.toWindows), heads, windows)
  const back = reshape(rearrange(attended, windows.toMap), x.shape)
  const y = add(x, dropSamples(`${name}.attn`, back, drop))
  const inner = gelu(dense(`${name}.mlp.fc1`, norm(`${name}.norm2`, y, epsilon), mlpRatio * width, swinInit))
  return add(y, dropSamples(`${name}.mlp`, dense(`${name}.mlp.fc2`, inner, width, swinInit), drop))
}

/** Self-attention within each window, [N, windows * area, C]. */
function windowAttention(name: string, x: Tensor, heads: number, windows: Windows): Tensor {
  const [n, places, width] = sizesOf(x, 3)
  const { window, count } = windows
  const area = window * window
  const size = width / heads
  const qkv = reshape(dense(`${name}.qkv`, x, 3 * width, swinInit), [n * count, area, 3, heads, size])
  const [query, key, value] = split(transpose(qkv, [2, 0, 3, 1, 4]), [1, 1, 1], 0)
  const byHead = (part: Tensor) => reshape(part, [n, count, heads, area, size])
  const affinity = matmul(mul(byHead(query), size ** -0.5), swapLast(byHead(key)))
  const scores = add(affinity, positionBias(name, heads, window))
  const attention = softmax(windows.regions ? add(scores, regionBias(windows.regions, count, area)) : scores)
  const context = reshape(transpose(matmul(attention, byHead(value)), [0, 1, 3, 2, 4]), [n, places, width])
  return dense(`${name}.proj`, context, width, swinInit)
}

/**
 * [heads, area, area]: a learned value for each difference of rows and columns, from 1 - window to window -
 * 1.
 */
function positionBias(name: string, heads: number, window: number): Tensor {
  const side = 2 * window - 1
  const area = window * window
  const table = parameter(`${name}.relative_position_bias_table`, [side * side, heads], swinInit)
  const differences: number[] = []
  for (let from = 0; from < area; from++) {
    for (let to = 0; to < area; to++) {
      const rows = Math.floor(from / window) - Math.floor(to / window)
      differences.push((rows + window - 1) * side + (from % window) - (to % window) + window - 1)
    }
  }
  return transpose(reshape(gatherRows(table, int64(differences)), [area, area, heads]), [2, 0, 1])
}

/**
 * [count, 1, area, area]: 0 within a region, `otherRegionBias` between two. Computed, since as data it would
 * be tens of MB.
 */
function regionBias(regions: Float32Array, count: number, area: number): Tensor {
  const queryRegions = constant(regions, [count, 1, area, 1])
  const keyRegions = constant(regions, [count, 1, 1, area])
  return mul(sub(1, cast(equal(queryRegions, keyRegions), 'float32')), otherRegionBias)
}

/** Four places become one of twice the channels; a map of odd size is padded at its end. */
export function mergePatches(name: string, x: Tensor, width: number): Tensor {
  const [n, h, w, channels] = sizesOf(x, 4)
  const even = pad(pad(x, 1, 0, h % 2), 2, 0, w % 2)
  const rows = Math.ceil(h / 2)
  const columns = Math.ceil(w / 2)
  // The official order: the two rows of the left column, then those of the right one.
  const blocks = transpose(reshape(even, [n, rows, 2, columns, 2, channels]), [0, 1, 3, 4, 2, 5])
  const merged = norm(`${name}.norm`, reshape(blocks, [n, rows, columns, 4 * channels]), epsilon)
  return linear(merged, parameter(`${name}.reduction.weight`, [width, 4 * channels], swinInit))
}
