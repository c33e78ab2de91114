import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/graph/grad.js'
import { input, type Shape, type Tensor } from '../../src/graph/ops/tensor.js'
import { floats, Session, type Value } from '../../src/graph/session.js'
import { toOnnx } from '../../src/graph/to-onnx.js'
import { glipInputs } from '../../src/model/network/glip.js'
import { glipQueries } from '../../src/model/network/glip-queries.js'
import { initialValue, parametersOf } from '../../src/model/network/parameters.js'
import { glipConfig } from '../../src/model/network/presets.js'
import { trainConfig } from '../../src/train/config.js'
import { matchQueries } from '../../src/train/loss/match-queries.js'
import { layeredLoss, layersWithLosses, targetInputs, trainGraph } from '../../src/train/loss/train-graph.js'
import { trainModel } from '../../src/train/train-model.js'
import { checkAuxiliary } from '../../src/train/train-network.js'
import { squares } from '../helpers/squares.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

interface Listed {
  readonly shape: Shape
  readonly data: readonly number[]
}

/** What PyTorch computed as DETR's SetCriterion: bench/parity/layer_losses.py. */
const official = JSON.parse(
  readFileSync(new URL('./fixtures/layer-losses.json', import.meta.url), 'utf8'),
) as {
  readonly size: { readonly height: number; readonly width: number }
  readonly layers: number
  readonly temperature: number
  readonly weights: Record<
    'classification' | 'regression' | 'grounding' | 'contrastive' | 'auxiliary',
    number
  >
  readonly inputs: Record<'logits' | 'boxes' | 'regions' | 'tokens', Listed>
  readonly targets: Record<'box' | 'phrase' | 'words', Listed>
  readonly assigned: readonly number[]
  readonly terms: Readonly<Record<string, number>>
  readonly gradients: Readonly<Record<string, Listed>>
}
const { size, layers, weights, temperature } = official
const fedValue = ({ shape, data }: Listed): Value => floats([...data], shape)
const values = (all: Readonly<Record<string, Listed>>) =>
  Object.fromEntries(Object.entries(all).map(([name, listed]) => [name, fedValue(listed)]))

describe('losses of each layer of a decoder, against PyTorch', () => {
  // As many queries, words and layers as the fixture; nothing else of it is read.
  const plain = glipConfig('toy-r50', 50)
  const config = {
    ...plain,
    head: { queries: 5, contrastive: 4 },
    text: { ...plain.text, max_tokens: 6 },
    tower: { ...plain.tower, layers } as typeof plain.tower,
  }
  const training = { ...{ batch: 2, max_boxes: 3, temperature, weights }, image_size: size }
  const { boxes, ...others } = values(official.inputs)
  const inPixels = () => {
    const { data, shape } = official.inputs.boxes
    const corners = data.map((_, at) => {
      const [first, axis] = [at - (at % 4), at % 2]
      const [centre, side] = [data[first + axis]!, data[first + axis + 2]!]
      return (centre + (at % 4 < 2 ? -side : side) / 2) * (axis === 0 ? size.width : size.height)
    })
    return floats(corners, shape)
  }
  const targets = values(official.targets)
  const assigned = matchQueries(
    { logits: others.logits!, boxes: inPixels() },
    { box: targets.box!, phrase: targets.phrase! },
    size,
    layers,
  )

  it('matches the queries of each layer by themselves', () => {
    expect(assigned.shape).toEqual([2, 15])
    expect([...assigned.data].map(Number)).toEqual(official.assigned)
  })

  it('gives the same losses and gradients', async () => {
    const tensors = Object.fromEntries(
      Object.entries(official.inputs).map(([name, { shape }]) => [name, input(name, shape)]),
    ) as Record<keyof typeof official.inputs, Tensor>
    const outputs = {
      ...{ logits: tensors.logits, boxes: tensors.boxes },
      contrastive: { regions: tensors.regions, tokens: tensors.tokens },
    }
    expect(layersWithLosses(config, weights)).toBe(layers)
    const losses = layeredLoss(config, training, outputs, targetInputs(config, training), layers)
    const names = Object.keys(official.gradients) as (keyof typeof tensors)[]
    const gradients = grad(
      losses.loss,
      names.map((name) => tensors[name]),
    )
    const named = Object.fromEntries(names.map((name, at) => [`gradient ${name}`, gradients[at]!]))
    const session = await Session.open(toOnnx({ outputs: { ...losses, ...named } }), { threads: 1 })
    const regress = floats([1, 1], [2, 1])
    const found = await session.run({ ...others, boxes: boxes!, ...targets, assigned, regress })
    await session.close()
    for (const [name, value] of Object.entries(official.terms))
      expect(Math.abs(Number(found[name]!.data[0]) / value - 1), name).toBeLessThan(1e-5)
    for (const name of names) {
      const { data } = official.gradients[name]!
      const most = Math.max(...data.map(Math.abs))
      const off = data.map(
        (value, at) => Math.abs(Number(found[`gradient ${name}`]!.data[at]) - value) / most,
      )
      expect(Math.max(...off), name).toBeLessThan(2e-5)
    }
  })
})

describe('a training with losses of each layer', () => {
  const config = glipConfig('toy-r50', 50, { image_size: 32 })
  const training = (auxiliary?: number) => ({
    ...{ batch: 1, max_boxes: 2, temperature: 0.07 },
    weights: { classification: 1, regression: 1, grounding: 0.2, contrastive: 0.2, auxiliary },
  })

  it('reads earlier layers with the head of the last, and has no parameter more', async () => {
    const inputs = glipInputs(config, 1)
    const [last, each] = [glipQueries(config, inputs), glipQueries(config, inputs, true)]
    const parameters = parametersOf([each.logits, each.boxes])
    const first = (name: string) => initialValue(parameters.find((one) => one.name === name)!, 3)
    const valuesOf = async ({ logits, boxes }: typeof last) => {
      const session = await Session.open(toOnnx({ outputs: { logits, boxes }, parameters: first }), {
        threads: 1,
      })
      const { text } = config
      const found = await session.run({
        image: floats(
          Array.from({ length: 32 * 32 * 3 }, (_, at) => (at * 37) % 11),
          [1, 32, 32, 3],
        ),
        ids: {
          data: new BigInt64Array(text.max_tokens).fill(3n),
          shape: [1, text.max_tokens],
          dtype: 'int64',
        },
        mask: floats(new Float32Array(text.max_tokens).fill(1), [1, text.max_tokens]),
      })
      await session.close()
      return Object.values(found).map(({ data }) => data as Float32Array)
    }
    const [[logits, boxes], [allLogits, allBoxes]] = [await valuesOf(last), await valuesOf(each)]
    const close = (found: Float32Array, expected: Float32Array) =>
      expect(Math.max(...expected.map((value, at) => Math.abs(value - found[at]!)))).toBeLessThan(1e-5)
    expect(allLogits!.length).toBe(2 * logits!.length)
    close(allLogits!.subarray(logits!.length), logits!)
    close(allBoxes!.subarray(boxes!.length), boxes!)
    expect(Math.abs(allBoxes![0]! - boxes![0]!)).toBeGreaterThan(1e-6)
    const names = (auxiliary?: number) =>
      trainGraph(config, training(auxiliary)).parameters.map(({ name }) => name)
    expect(names(1).sort()).toEqual(names().sort())
  })

  it('is what it was where none are asked for', () => {
    const without = trainGraph(config, training())
    expect(Buffer.compare(trainGraph(config, training(0)).step, without.step)).toBe(0)
    expect(without.layers).toBe(1)
    expect(trainGraph(config, training(1)).layers).toBe(2)
  })

  it('trains, and logs them', async () => {
    const terms: number[] = []
    await trainModel({
      ...{ name: 'layers', folder: await temporaryFolder(), sources: [await squares(3)], texts: [] },
      config: trainConfig.parse({
        ...{ preset: 'toy-r50', image_size: 32, steps: 2, batch: 2, max_boxes: 4, vocabulary_size: 100 },
        ...{ loss: { auxiliary: 1 }, threads: 1 },
      }),
      onProgress: (line) => {
        terms.push(line.auxiliary!)
        const own = line.classification! + line.regression! + line.grounding! + line.contrastive!
        expect(line.loss).toBeCloseTo(own + line.auxiliary!, 3)
      },
    })
    expect(terms.length).toBe(2)
    expect(Math.min(...terms)).toBeGreaterThan(0.1)
  })

  it('is refused for a network without a decoder', () => {
    const loss = { ...trainConfig.parse({}).loss, auxiliary: 1 }
    expect(() => checkAuxiliary(glipConfig('toy', 50), { loss })).toThrow(
      'auxiliary is 1, and preset toy has no decoder',
    )
    expect(() => checkAuxiliary(config, { loss })).not.toThrow()
  })
})
