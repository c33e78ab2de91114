import { type Random, random } from '../../base/random.js'
import type { Value } from '../../graph/session.js'
import { anchorsOf } from '../../model/network/anchors.js'
import { queriesOf } from '../../model/network/config.js'
import type { GroundedCaption, SampleStream } from '../samples/sample.js'
import type { SampleOrder } from '../samples/sample-order.js'
import { imageLength, makeBatch } from './make-batch.js'
import { type ExampleOptions, makeExample } from './make-example.js'
import { makeNoise, type NoiseInput } from './make-noise.js'
import type { PictureCache } from './picture-cache.js'

/** What parts of batches are made of. */
export interface PartOptions extends ExampleOptions {
  readonly config: ExampleOptions['config'] & {
    readonly seed: number
    /** Pictures of a step. */
    readonly batch: number
    /** By source; false: its boxes do not train regression. */
    readonly box_loss: Readonly<Record<string, boolean>>
    /** Where boxes are weighed, by whose verdicts. */
    readonly weigh_by?: string | undefined
  }
  /** Into how many parts a batch is cut. */
  readonly parts: number
  readonly order: SampleOrder<SampleStream>
  readonly pictures: PictureCache
  /** Inputs of the step; those for noise are fed too. */
  readonly inputs: readonly NoiseInput[]
  /** Memory for the pictures of a part, of so many numbers; new where it is not given. */
  readonly memory?: (index: number, length: number) => Float32Array
}

/**
 * What the network and its losses are fed of part `index` of a training, counted from 0 through all batches.
 * Everything that is drawn (samples, captions, augmentation, noise) follows from the seed and the index
 * alone. Pictures are drawn, cut and placed alike in however many parts a batch is computed.
 */
export async function makePart(index: number, options: PartOptions): Promise<Record<string, Value>> {
  const { parts, order, network, config, pictures, inputs } = options
  const step = Math.floor(index / parts) + 1
  const size = config.batch / parts
  const first = (index % parts) * size
  const places = order(step).slice(first, first + size)
  const examples = await Promise.all(
    places.map(async ({ stream, position }, place) => {
      const sample = await stream.at(position)
      const draw = random(config.seed, 'example', step, first + place)
      const picture = await pictures(`${stream.name}/${sample.key}`, sample.bytes)
      const caption = pickCaption(sample.captions, config.augment.categories, draw)
      const example = makeExample({ picture, sample, caption, stream, draw }, options)
      return { ...example, regress: config.box_loss[stream.name] !== false }
    }),
  )
  const anchors = queriesOf(network) === undefined ? anchorsOf(network) : undefined
  const image = options.memory?.(index, size * imageLength(network))
  return {
    ...makeBatch(examples, anchors, network, config.max_boxes, config.weigh_by !== undefined, image),
    ...makeNoise(inputs, config.seed, index + 1),
  }
}

/**
 * A prompt of category names with the given probability, else one of the written captions; none where no
 * caption has boxes.
 */
function pickCaption(
  captions: readonly GroundedCaption[],
  categories: number,
  draw: Random,
): GroundedCaption | undefined {
  if (captions.length === 0) return undefined
  const named = captions.filter(({ kind }) => kind === 'categories')
  const written = captions.filter(({ kind }) => kind !== 'categories')
  if (named.length === 0) return draw.pick(written)
  return written.length === 0 || draw.next() < categories ? draw.pick(named) : draw.pick(written)
}
