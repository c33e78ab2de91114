import { nameList } from '../../base/name-list.js'
import { orderedMap } from '../../base/ordered-map.js'
import { UserError } from '../../base/user-error.js'
import { longs, type Value } from '../../graph/session.js'
import type { Port, SessionPool } from '../../graph/session-pool.js'
import type { Picture } from '../../pictures/picture.js'
import {
  type ImageBatch,
  type ImageProcessor,
  pixelMask,
  prepareImages,
  type Size,
} from './hf-image-processor.js'

/** How pictures go into a model, from what its file declares. */
export interface ImageInput {
  readonly processor: ImageProcessor
  /** Set where the graph takes one size only, or the processor pads to one. */
  readonly fixed: Size | undefined
  /** Pictures in one run. */
  readonly batch: number
  /** True where the graph takes a fixed number only: a smaller batch is filled up. */
  readonly isBatchFixed: boolean
  /** The declared mask, where the graph has one. */
  readonly mask: Port | undefined
}

/**
 * @param batch pictures in one run, where the graph leaves that open
 * @throws UserError where the model has no `pixel_values` of three channels
 */
export function imageInput(
  pool: SessionPool,
  path: string,
  processor: ImageProcessor,
  batch: number,
): ImageInput {
  const port = pool.input('pixel_values')
  if (port?.shape.length !== 4)
    throw new UserError(`${path}: expected an input pixel_values [N, 3, H, W]; it has: ${inputsText(pool)}.`)
  const [n, , height, width] = port.shape
  const fixed = typeof height === 'number' && typeof width === 'number' ? { height, width } : processor.padTo
  const isBatchFixed = typeof n === 'number'
  return {
    processor,
    fixed,
    batch: isBatchFixed ? n : batch,
    isBatchFixed,
    mask: pool.input('pixel_mask'),
  }
}

/** The inputs of a model, for messages. */
export function inputsText(pool: SessionPool): string {
  return pool.inputs.map(({ name, shape }) => `${name} [${shape.join(', ')}]`).join(', ')
}

/** Throws a UserError where a model has an input that is not fed, or lacks an output that is read. */
export function checkPorts(
  pool: SessionPool,
  path: string,
  fed: readonly string[],
  read: readonly string[],
): void {
  const unknown = pool.inputs.find(({ name }) => !fed.includes(name))
  if (unknown)
    throw new UserError(
      `${path}: input "${unknown.name}" is not one that this family has (${fed.join(', ')}).`,
    )
  const names = pool.outputs.map(({ name }) => name)
  const missing = read.find((name) => !names.includes(name))
  if (missing) throw new UserError(`${path}: there is no output "${missing}"; it has: ${nameList(names)}.`)
}

/**
 * Runs the model over items that each show a picture: batches of like aspect, so that little is padded,
 * prepared on this thread while the sessions work. A picture that comes several times in a row is prepared
 * once.
 *
 * @param feed the inputs besides the pictures' own, for the items of one batch
 * @param decode reads an item's answer: its sample in the results is number `at`
 * @returns what `decode` gives for each item, in the items' order
 */
export async function runOverImages<T extends { readonly picture: Picture }, R>(
  pool: SessionPool,
  input: ImageInput,
  items: readonly T[],
  feed: (items: readonly T[]) => Record<string, Value>,
  decode: (results: Record<string, Value>, at: number, item: T) => R,
): Promise<R[]> {
  const order = [...items.entries()]
  const aspect = ({ picture: { width, height } }: T) => width / height
  // The sort is stable.
  if (input.batch > 1) order.sort(([, a], [, b]) => aspect(a) - aspect(b))
  const batches: (readonly (readonly [index: number, item: T])[])[] = []
  for (let at = 0; at < order.length; at += input.batch) batches.push(order.slice(at, at + input.batch))
  const answers: R[] = new Array(items.length)
  const itemsOf = (batch: (typeof batches)[number]) => {
    const chosen = batch.map(([, item]) => item)
    const last = chosen.at(-1)
    if (input.isBatchFixed && last) while (chosen.length < input.batch) chosen.push(last)
    return chosen
  }
  /** The pictures of a batch as they were prepared, where the next batch shows the same. */
  let reusable: ImageBatch | undefined
  const run = async ([at, batch]: readonly [number, (typeof batches)[number]]) => {
    const chosen = itemsOf(batch)
    const pictures = chosen.map(({ picture }) => picture)
    const images = reusable ?? prepareImages(input.processor, pictures, input.fixed, input.mask === undefined)
    const next = itemsOf(batches[at + 1] ?? [])
    const isReused =
      next.length === pictures.length && next.every(({ picture }, i) => picture === pictures[i])
    reusable = isReused ? images : undefined
    // The pixels that are handed to a session cannot be read here afterwards.
    const pixels = isReused ? images.pixels.slice() : images.pixels
    const results = await pool.run({ ...imageFeeds(input, { ...images, pixels }), ...feed(chosen) })
    for (const [place, [index, item]] of batch.entries()) answers[index] = decode(results, place, item)
  }
  for await (const _ of orderedMap(batches.entries(), pool.size + 1, run)) {
    // Each run has put its answers in their places.
  }
  return answers
}

function imageFeeds({ mask }: ImageInput, images: ImageBatch): Record<string, Value> {
  const { pixels, height, width, covered } = images
  const feeds: Record<string, Value> = {
    pixel_values: { data: pixels, shape: [covered.length, 3, height, width], dtype: 'float32' },
  }
  if (!mask) return feeds
  const [, maskHeight, maskWidth] = mask.shape
  // Some exports take a mask of a small fixed size, which only says that nothing is padded.
  const hasOwnSize =
    typeof maskHeight === 'number' &&
    typeof maskWidth === 'number' &&
    maskHeight * maskWidth !== height * width
  feeds.pixel_mask = hasOwnSize
    ? longs(new BigInt64Array(covered.length * maskHeight * maskWidth).fill(1n), [
        covered.length,
        maskHeight,
        maskWidth,
      ])
    : longs(pixelMask(images), [covered.length, height, width])
  return feeds
}
