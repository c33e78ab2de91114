import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import { constant, type Tensor } from '../../src/graph/ops/tensor.js'
import { floats, Session, type Value } from '../../src/graph/session.js'
import { toOnnx } from '../../src/graph/to-onnx.js'
import { encodePrompt } from '../../src/model/encode-prompt.js'
import { anchorsOf } from '../../src/model/network/anchors.js'
import { buildVocabulary } from '../../src/model/vocabulary-builder.js'
import { createTokenizer } from '../../src/model/word-piece.js'
import { makeBatch } from '../../src/train/examples/make-batch.js'
import { targetBoxes } from '../../src/train/examples/target-boxes.js'
import { weighBoxes } from '../../src/train/examples/weigh-boxes.js'
import { alignmentFocalLoss, contrastiveLoss, groundingLoss } from '../../src/train/loss/losses.js'
import { trainGraph } from '../../src/train/loss/train-graph.js'
import { initialState, stateViews } from '../../src/train/optimizer/optimizer-state.js'
import { groupParameters } from '../../src/train/optimizer/parameter-groups.js'
import { checkGradient } from '../helpers/check-gradient.js'
import { tinyBatch, tinyConfig, tinyTraining } from '../helpers/tiny-glip.js'

const length = tinyConfig.text.max_tokens
const rows = tinyTraining.max_boxes + 1
const { batch: n } = tinyTraining

/** A step of the tiny network: losses of a batch, and the gradients of all parameters. */
async function opened(weighs: boolean) {
  const graph = trainGraph(tinyConfig, { ...tinyTraining, weighs })
  const session = await Session.open(graph.step, { threads: 1 })
  const groups = groupParameters(graph.parameters, { language_rate: 1, bias_rate: 1 })
  const { feeds, into } = stateViews(await initialState(groups, graph.parameters, 7))
  const step = async (batch: Readonly<Record<string, Value>>) => {
    const own = { ...batch, ...feeds }
    const fed = Object.fromEntries(session.inputs.map(({ name }) => [name, own[name]]))
    const results = await session.run(fed, into)
    const gradients = Object.values(into).map(({ data }) => Array.from(data as Float32Array))
    const metrics = Object.fromEntries(
      Object.entries(results).flatMap(([name, { data }]) =>
        name.startsWith('metric.') ? [[name.slice('metric.'.length), Number(data[0])] as const] : [],
      ),
    )
    return { metrics, gradients }
  }
  return { step, close: () => session.close() }
}

let plain: Awaited<ReturnType<typeof opened>>
let weighed: typeof plain
beforeAll(async () => {
  plain = await opened(false)
  weighed = await opened(true)
})
afterAll(async () => {
  await plain.close()
  await weighed.close()
})

const batch = tinyBatch(7)
const weighing = (weights: Float32Array, boxes: Float32Array) => ({
  weight: floats(weights, [n, rows, length]),
  box_weight: floats(boxes, [n, rows, 1]),
})
const ones = () => ({
  weights: new Float32Array(n * rows * length).fill(1),
  boxes: new Float32Array(n * rows).fill(1),
})

describe('a training that weighs boxes', () => {
  it('takes the same step to the bit where all are sure', async () => {
    const { weights, boxes } = ones()
    const before = await plain.step(batch)
    expect(await weighed.step({ ...batch, ...weighing(weights, boxes) })).toEqual(before)
    expect(before.gradients.flat().some((value) => value !== 0)).toBe(true)
  })

  it('learns nothing of a box of no weight', async () => {
    const without = ones()
    const box = (batch.box.data as Float32Array).slice()
    const phrase = (batch.phrase.data as Float32Array).slice()
    for (let sample = 0; sample < n; sample++) {
      const row = sample * rows + 1
      without.weights.fill(0, row * length, (row + 1) * length)
      without.boxes[row] = 0
      // Whatever the box is, and whichever words name it.
      box.set([1, 1, 9, 9], row * 4)
      phrase[row * length + 6] = 1
    }
    const other = { box: floats(box, [n, rows, 4]), phrase: floats(phrase, [n, rows, length]) }
    const silent = { ...batch, ...weighing(without.weights, without.boxes) }
    const { metrics, gradients } = await weighed.step(silent)
    expect(await weighed.step({ ...silent, ...other })).toEqual({ metrics, gradients })
    const before = (await plain.step(batch)).metrics
    expect((await plain.step({ ...batch, ...other })).metrics.loss).not.toBe(before.loss)
    expect(metrics.positives).toBeLessThan(before.positives)
  })

  const weights = constant(
    Float32Array.from({ length: 24 }, (_, at) => ((at * 7) % 11) / 10),
    [2, 3, 4],
  )
  const target = constant([1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0], [2, 3, 4])
  const words = constant([1, 1, 1, 0, 1, 1, 1, 1], [2, 1, 4])
  const positives = constant([3], [])
  const cases: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    alignment: (x) => alignmentFocalLoss(x, target, weights, positives),
    'soft tokens': (x) => groundingLoss(x, target, words, positives, weights),
  }
  it.each(Object.entries(cases))('has the gradient of central differences: %s', (_, build) =>
    checkGradient({ shapes: [[2, 3, 4]], build }),
  )
  it('has the gradient of central differences: contrastive', () =>
    checkGradient({
      shapes: [
        [2, 3, 5],
        [2, 4, 5],
      ],
      build: (regions, tokens) => contrastiveLoss({ regions, tokens }, target, words, 0.7, weights),
    }))

  it('counts a row as much as its positives', async () => {
    const pairs = (weight: readonly number[]) =>
      contrastiveLoss(
        { regions: constant([1, 0, 0, 2], [1, 2, 2]), tokens: constant([1, 0.5, 0.2, 1], [1, 2, 2]) },
        constant([1, 0, 0, 1], [1, 2, 2]),
        constant([1, 1], [1, 1, 2]),
        1,
        constant(weight, [1, 2, 2]),
      )
    const outputs = { both: pairs([1, 1, 1, 1]), first: pairs([1, 1, 0, 0]), half: pairs([1, 1, 1, 0.5]) }
    const session = await Session.open(toOnnx({ outputs }), { threads: 1 })
    const { both, first, half } = await session.run({})
    await session.close()
    // Of similarities 1 and 0.2, and 1 and 2: by how much the own one falls short, both ways.
    const gap = (lead: number) => Math.log(1 + Math.exp(-lead))
    const [one, other] = [(gap(0.8) + gap(0)) / 2, (gap(1) + gap(1.8)) / 2]
    expect(Number(both.data[0])).toBeCloseTo((one + other) / 2, 5)
    // The word of the first place has no other place to be held against.
    expect(Number(first.data[0])).toBeCloseTo(gap(0.8) / 2, 5)
    const least = (lead: number) => Math.log(0.5 + Math.exp(-lead))
    const doubted = (least(1) + least(1.8)) / 2
    expect(Number(half.data[0])).toBeCloseTo((one + doubted / 2) / 1.5, 5)
  })
})

const [a, b, c]: readonly Xyxy[] = [
  [0, 0, 8, 8],
  [8, 0, 16, 8],
  [16, 0, 24, 8],
]
const range = ([start, end]: readonly [number, number]) =>
  Array.from({ length: end - start }, (_, at) => start + at)

describe('weighed boxes of a prompt', () => {
  const written = {
    text: 'a red cat. two dogs. cats',
    phrases: [
      { span: [0, 9], boxes: [a, b] },
      { span: [11, 19], boxes: [c] },
      { span: [21, 25], boxes: [a] },
    ],
    ignored: [],
  } as const

  it('count as much as the judge is sure of them for their phrase, else for another one', () => {
    const judged = [
      { name: 'the red cat', xyxy: a, probability: 0.2 },
      { name: 'cat', xyxy: a, probability: 0.9 },
      { name: 'cats', xyxy: b, probability: 0.4 },
      { name: 'dog', xyxy: b, probability: 'missing' },
      { name: 'horse', xyxy: null, probability: 'missing' },
    ] as const
    const { phrases } = weighBoxes(written, { judged })
    expect(phrases).toEqual([
      { span: [0, 9], boxes: [a, b], weights: [0.2, 0.4] },
      // "dog" is missed where "two dogs" may be.
      { span: [11, 19], boxes: [c], missing: [b] },
      { span: [21, 25], boxes: [a], weights: [0.2] },
    ])
    expect(weighBoxes(written, {})).toBe(written)
    const [, , cats] = weighBoxes(written, {
      judged: [{ name: 'cat', xyxy: null, probability: 'missing' }],
    }).phrases
    expect(cats?.partial).toBe(true)
  })

  it('are rows of a batch: of each word, of all others, and none where nobody has drawn one', () => {
    const phrases = [
      { span: [1, 3], boxes: [a, b], weights: [0.25, 0.5], missing: [c] },
      { span: [4, 5], boxes: [a] },
    ] as const
    const { boxes } = targetBoxes(phrases, range, (box) => box, 9)
    expect(boxes).toEqual([
      { xyxy: a, tokens: [1, 2, 4], unsure: [], weight: 1, tokenWeights: [0.25, 0.25, 1] },
      { xyxy: b, tokens: [1, 2], unsure: [], weight: 0.5, tokenWeights: [0.5, 0.5] },
      { xyxy: c, tokens: [], unsure: [1, 2], weight: 0 },
    ])
    const tokenizer = createTokenizer(buildVocabulary(['red cat'], 50, 1))
    const prompt = encodePrompt('red cat', tokenizer, length)
    const example = {
      ...{ prompt, words: prompt.mask, regress: true, partial: [], boxes, elsewhere: new Map([[2, 0.25]]) },
      picture: { width: 8, height: 8, scale: 1, data: new Uint8Array(192) },
      placement: { scale: 1, dx: 0, dy: 0, flipped: false, gain: 1, offset: 0 },
    }
    const made = makeBatch([example], anchorsOf(tinyConfig), tinyConfig, 3, true)
    expect([...(made.box_weight?.data ?? [])]).toEqual([1, 0.5, 0, 1])
    const row = (at: number) => [...(made.weight?.data ?? [])].slice(at * length, at * length + 6)
    expect([0, 1, 2, 3].map(row)).toEqual([
      [1, 0.25, 0.25, 1, 1, 1],
      [0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
      [1, 1, 1, 1, 1, 1],
      // Where there is no box, what has a doubtful one is less sure not to be there.
      [1, 1, 0.25, 1, 1, 1],
    ])
    expect(makeBatch([example], anchorsOf(tinyConfig), tinyConfig, 3)).not.toHaveProperty('weight')
  })
})
