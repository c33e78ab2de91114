import { floats, longs, type Value } from '../graph/session.js'
import type { Anchors } from '../model/anchors.js'
import type { GlipConfig } from '../model/config.js'
import { writeImage } from '../model/image-input.js'
import { assignTargets } from './assign-targets.js'
import type { Example } from './make-example.js'

/** What a training step is fed of a batch; see `targetInputs`. */
export function makeBatch(
  examples: readonly (Example & { readonly regress: boolean })[],
  anchors: Anchors,
  config: GlipConfig,
  maxBoxes: number,
): Record<string, Value> {
  const n = examples.length
  const { image_size: size } = config
  const length = config.text.max_tokens
  const rows = maxBoxes + 1
  const image = new Float32Array(n * size * size * 3)
  const ids = new BigInt64Array(n * length)
  const mask = new Float32Array(n * length)
  const words = new Float32Array(n * length)
  const assigned = new BigInt64Array(n * anchors.count).fill(BigInt(maxBoxes))
  const centerness = new Float32Array(n * anchors.count)
  const box = new Float32Array(n * rows * 4)
  const phrase = new Float32Array(n * rows * length)
  examples.forEach((example, sample) => {
    writeImage(image, sample, example.picture, example.placement, config)
    ids.set(example.prompt.ids, sample * length)
    mask.set(example.prompt.mask, sample * length)
    words.set(example.words, sample * length)
    const boxes = Float32Array.from(example.boxes.flatMap(({ xyxy }) => [...xyxy]))
    const targets = assignTargets(anchors, boxes)
    centerness.set(targets.centerness, sample * anchors.count)
    targets.assigned.forEach((index, anchor) => {
      if (index >= 0) assigned[sample * anchors.count + anchor] = BigInt(index)
    })
    box.set(boxes, sample * rows * 4)
    example.boxes.forEach(({ tokens }, index) => {
      for (const token of tokens) phrase[(sample * rows + index) * length + token] = 1
    })
  })
  return {
    image: floats(image, [n, size, size, 3]),
    ids: longs(ids, [n, length]),
    mask: floats(mask, [n, length]),
    words: floats(words, [n, length]),
    assigned: longs(assigned, [n, anchors.count]),
    centerness: floats(centerness, [n, anchors.count]),
    box: floats(box, [n, rows, 4]),
    phrase: floats(phrase, [n, rows, length]),
    regress: floats(
      Float32Array.from(examples, ({ regress }) => (regress ? 1 : 0)),
      [n, 1],
    ),
  }
}
