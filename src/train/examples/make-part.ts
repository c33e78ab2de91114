import { type Random, random } from '../../base/random.js'
import type { Value } from '../../graph/session.js'
import { anchorsOf } from '../../model/network/anchors.js'
import { type GlipConfig, queriesOf } from '../../model/network/config.js'
import type { Tokenizer } from '../../model/word-piece.js'
import type { TrainConfig, TrainRun } from '../config.js'
import type { GroundedCaption, SampleStream } from '../samples/read-samples.js'
import { makeBatch } from './make-batch.js'
import { makeExample } from './make-example.js'
import type { PictureCache } from './picture-cache.js'

/** What parts of batches are made of. */
export interface PartMaker {
  /** Of a batch. */
  readonly parts: number
  readonly streams: readonly SampleStream[]
  /** Samples taken from each source so far; moved on. */
  readonly positions: Record<string, number>
  readonly tokenizer: Tokenizer
  readonly network: GlipConfig
  readonly config: TrainRun
  readonly pictures: PictureCache
}

/** Part `at` of all batches' parts, from 0: pictures that are drawn, cut and placed alike in however many parts a batch is computed. */
export async function nextPart(
  at: number,
  { parts, streams, positions, tokenizer, network, config, pictures }: PartMaker,
): Promise<Record<string, Value>> {
  const step = Math.floor(at / parts) + 1
  const size = config.batch / parts
  const first = (at % parts) * size
  const draw = random(config.seed, 'batch', step)
  const chosen = Array.from({ length: config.batch }, () => pickStream(streams, config.mix, draw.next()))
  const examples = await Promise.all(
    chosen.slice(first, first + size).map(async (stream, index) => {
      const position = positions[stream.name] ?? 0
      positions[stream.name] = position + 1
      const sample = await stream.at(position)
      const own = random(config.seed, 'example', step, first + index)
      const picture = await pictures(`${stream.name}/${sample.key}`, sample.bytes)
      const caption = pickCaption(sample.captions, config.augment.categories, own)
      const example = makeExample(picture, caption, stream, tokenizer, network, config, own)
      return { ...example, regress: config.box_loss[stream.name] !== false }
    }),
  )
  const anchors = queriesOf(network) === undefined ? anchorsOf(network) : undefined
  return makeBatch(examples, anchors, network, config.max_boxes)
}

/** A prompt of category names with the given probability, else one of the written captions. */
function pickCaption(
  captions: readonly GroundedCaption[],
  categories: number,
  draw: Random,
): GroundedCaption {
  const named = captions.filter(({ kind }) => kind === 'categories')
  const written = captions.filter(({ kind }) => kind !== 'categories')
  if (named.length === 0) return draw.pick(written)
  return written.length === 0 || draw.next() < categories ? draw.pick(named) : draw.pick(written)
}

function pickStream(streams: readonly SampleStream[], mix: TrainConfig['mix'], at: number): SampleStream {
  const weights = streams.map(({ name, size }) => (mix === 'size' ? size : (mix[name] ?? 1)))
  let left = at * weights.reduce((sum, weight) => sum + weight, 0)
  for (const [index, stream] of streams.entries()) {
    left -= weights[index]
    if (left < 0) return stream
  }
  return streams[streams.length - 1]
}
