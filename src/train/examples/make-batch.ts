import { floats, longs, type Value } from '../../graph/session.js'
import { writeImage } from '../../model/image-input.js'
import type { Anchors } from '../../model/network/anchors.js'
import { boxEdgesOf, type GlipConfig } from '../../model/network/config.js'
import { assignTargets } from './assign-targets.js'
import type { Example } from './make-example.js'

/** Numbers of one picture as the network reads it. */
export const imageLength = ({ image_size: size }: GlipConfig): number => size * size * 3

/**
 * What a training step is fed of a batch; see `targetInputs`.
 *
 * @param anchors of the network; one with queries has none, and which box a query answers for is found later
 * @param weighs whether the graph weighs boxes
 * @param image memory for the pictures, all of which is written: theirs is most of what a batch takes
 */
export function makeBatch(
  examples: readonly (Example & { readonly regress: boolean })[],
  anchors: Anchors | undefined,
  config: GlipConfig,
  maxBoxes: number,
  weighs = false,
  image: Float32Array = new Float32Array(examples.length * imageLength(config)),
): Record<string, Value> {
  const n = examples.length
  const { image_size: size } = config
  const length = config.text.max_tokens
  const rows = maxBoxes + 1
  const ids = new BigInt64Array(n * length)
  const mask = new Float32Array(n * length)
  const words = new Float32Array(n * length)
  const places = anchors?.count ?? 0
  const assigned = new BigInt64Array(n * places).fill(BigInt(maxBoxes))
  const centerness = new Float32Array(n * places)
  const box = new Float32Array(n * rows * 4)
  const phrase = new Float32Array(n * rows * length)
  const weight = new Float32Array(weighs ? n * rows * length : 0).fill(1)
  const boxWeight = new Float32Array(weighs ? n * rows : 0).fill(1)
  examples.forEach((example, sample) => {
    writeImage(image, sample, example.picture, example.placement, config)
    ids.set(example.prompt.ids, sample * length)
    mask.set(example.prompt.mask, sample * length)
    words.set(example.words, sample * length)
    const boxes = Float32Array.from(example.boxes.flatMap(({ xyxy }) => [...xyxy]))
    const targets = anchors && assignTargets(anchors, boxes)
    if (targets) centerness.set(targets.centerness, sample * places)
    targets?.assigned.forEach((index, anchor) => {
      if (index >= 0) assigned[sample * places + anchor] = BigInt(index)
    })
    box.set(boxes, sample * rows * 4)
    example.boxes.forEach(({ tokens, unsure }, index) => {
      const row = (sample * rows + index) * length
      for (const token of tokens) phrase[row + token] = 1
      for (const token of unsure) phrase[row + token] = -1
    })
    if (weighs)
      example.boxes.forEach(({ tokens, weight: own = 1, tokenWeights = [] }, index) => {
        const row = sample * rows + index
        boxWeight[row] = own
        // Around a box that nobody has drawn, phrases are negatives as elsewhere, but for those that miss it.
        if (tokens.length > 0) weight.fill(own, row * length, (row + 1) * length)
        tokenWeights.forEach((of, at) => {
          weight[row * length + tokens[at]!] = of
        })
      })
    const none = (sample * rows + maxBoxes) * length
    if (weighs) for (const [token, of] of example.elsewhere ?? []) weight[none + token] = of
    for (const token of example.partial) phrase[none + token] = -1
    // The official code has a word for "no object": the last of 256, which is padding unless the prompt is full.
    if (anchors && boxEdgesOf(config) === 'pixel_centres' && example.prompt.mask[length - 1] === 1)
      phrase[none + length - 1] = 1
  })
  return {
    image: floats(image, [n, size, size, 3]),
    ids: longs(ids, [n, length]),
    mask: floats(mask, [n, length]),
    words: floats(words, [n, length]),
    ...(anchors && {
      assigned: longs(assigned, [n, places]),
      centerness: floats(centerness, [n, places]),
    }),
    box: floats(box, [n, rows, 4]),
    phrase: floats(phrase, [n, rows, length]),
    ...(weighs && {
      weight: floats(weight, [n, rows, length]),
      box_weight: floats(boxWeight, [n, rows, 1]),
    }),
    regress: floats(
      Float32Array.from(examples, ({ regress }) => (regress ? 1 : 0)),
      [n, 1],
    ),
  }
}
