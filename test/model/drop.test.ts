import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { grad } from '../../src/graph/grad.js'
import { reduceSum } from '../../src/graph/ops/broadcast.js'
import { add, mul } from '../../src/graph/ops/elementwise.js'
import { constant, input } from '../../src/graph/ops/tensor.js'
import { floats, Session, type Value } from '../../src/graph/session.js'
import { toOnnx } from '../../src/graph/to-onnx.js'
import { placeWindows, swinBlock } from '../../src/model/network/backbone-swin.js'
import type { GlipConfig } from '../../src/model/network/config.js'
import type { DropRates } from '../../src/model/network/drop.js'
import { parametersOf } from '../../src/model/network/parameters.js'
import { makeNoise } from '../../src/train/examples/make-noise.js'
import { withDrop } from '../../src/train/with-drop.js'
import { caseValues, narrowGlip, narrowSize, networkCase, shakenValue } from '../helpers/glip-cases.js'
import { cotangent } from '../helpers/parity-graph.js'
import { tinyConfig } from '../helpers/tiny-glip.js'

const none = { path: 0, dropout: 0, block: 0 }
const all = { path: 0.5, dropout: 0.2, block: 0.3 }

const networkOf = (drop: DropRates, config = narrowGlip) => networkCase(withDrop(config, drop), narrowSize, 2)

/**
 * Without deformable convolutions, whose places move with every weight: differences of it are those of its
 * gradient.
 */
const smooth: GlipConfig = { ...narrowGlip, tower: { kind: 'conv', blocks: 2 } }

async function noisyInputs(drop: DropRates) {
  const session = await Session.open(modelOf(drop), { threads: 1 })
  const names = session.inputs.filter(({ name }) => name.startsWith('noise.'))
  await session.close()
  return names
}

function modelOf(drop: DropRates): Uint8Array {
  const { outputs } = networkOf(drop)
  const byName = new Map(parametersOf(Object.values(outputs)).map((each) => [each.name, each]))
  return toOnnx({ outputs, parameters: (name) => shakenValue(byName.get(name)!, 7) })
}

describe('what a network loses at random', () => {
  it('is nothing where all rates are 0: the graph is the same to the byte', () => {
    const plain = networkCase(narrowGlip, narrowSize, 2)
    const values = () => new Uint8Array(0)
    const asIs = toOnnx({ outputs: plain.outputs, parameters: values as never })
    const zeros = networkCase({ ...narrowGlip, drop: none }, narrowSize, 2)
    expect(toOnnx({ outputs: zeros.outputs, parameters: values as never })).toEqual(asIs)
  })

  it('is where the official code loses it', async () => {
    const names = async (drop: DropRates) => (await noisyInputs(drop)).map(({ name }) => name.slice(6)).sort()
    // Five blocks, of which the first loses nothing.
    const blocks = ['1.blocks.0', '2.blocks.0', '2.blocks.1', '3.blocks.0']
    expect(await names({ ...none, path: 0.5 })).toEqual(
      blocks.flatMap((block) => ['attn', 'mlp'].map((part) => `backbone.body.layers.${block}.${part}`)),
    )
    expect(await names({ ...none, block: 0.5 })).toEqual([
      'backbone.fpn.fpn_layer2',
      'backbone.fpn.fpn_layer3',
    ])
    const layer = (name: string) =>
      ['attention.output', 'attention.self', 'output'].map((part) => `${name}.${part}`)
    expect(await names({ ...none, dropout: 0.5 })).toEqual([
      'language_backbone.body.model.embeddings',
      ...layer('language_backbone.body.model.encoder.layer.0'),
      ...[0, 3].flatMap((at) => [
        `rpn.head.dyhead_tower.${at}.b_attn.attn.language`,
        `rpn.head.dyhead_tower.${at}.b_attn.attn.vision`,
        ...layer(`rpn.head.dyhead_tower.${at + 1}`),
      ]),
    ])
  })

  it('lets samples skip a block', async () => {
    const x = input('x', [2, 6, 6, 4])
    const block = (drop: number) => swinBlock('block', x, 2, placeWindows(6, 6, 3, 1), drop)
    const outputs = { plain: block(0), dropped: block(0.75) }
    const byName = new Map(parametersOf(Object.values({ plain: outputs.plain })).map((p) => [p.name, p]))
    const named = parametersOf([outputs.dropped]).map(({ name }) => name)
    expect(named.sort()).toEqual([...byName.keys()].sort())
    const run = async (drop: number, noise: readonly number[]) => {
      const model = toOnnx({
        outputs: { y: block(drop) },
        parameters: (name) => shakenValue(byName.get(name)!, 7),
      })
      const session = await Session.open(model, { threads: 1 })
      const draw = random('block')
      const data = Float32Array.from({ length: 288 }, () => draw.normal())
      const fed: Record<string, Value> = { x: floats(data, [2, 6, 6, 4]) }
      if (drop > 0)
        for (const part of ['attn', 'mlp']) fed[`noise.block.${part}`] = floats(noise, [2, 1, 1, 1])
      const { y } = await session.run(fed)
      const result = Float32Array.from(y.data as Float32Array)
      await session.close()
      return { data, result }
    }
    const { data, result } = await run(0.75, [0.7, 0.8])
    expect(result.subarray(0, 144)).toEqual(data.subarray(0, 144))
    const plain = await run(0, [])
    const [moved, movedPlain] = [result, plain.result].map((y) => Math.abs(y[200] - data[200]))
    expect(moved).toBeGreaterThan(movedPlain)
  })

  it('has the gradients of the network that is left', async () => {
    const { inputs, outputs } = networkOf(all, smooth)
    const terms = Object.entries(outputs).map(([key, tensor]) =>
      reduceSum(mul(tensor, constant(cotangent('drop', key, tensor), tensor.shape))),
    )
    const loss = terms.reduce((sum, term) => add(sum, term))
    const parameters = parametersOf([loss])
    const chosen = parameters.filter(({ name }) =>
      /patch_embed.proj.weight|layers.2.blocks.1.mlp.fc1.weight|fpn_inner3.weight|query.weight|l_proj.weight/.test(
        name,
      ),
    )
    expect(chosen.length).toBeGreaterThan(8)
    const gradients = grad(
      loss,
      chosen.map(({ tensor }) => tensor),
    )
    const asInputs = new Map(
      chosen.map(({ name, shape, tensor }) => [tensor, input(`parameter.${name}`, shape)] as const),
    )
    const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]))
    const model = toOnnx({
      outputs: { loss, ...Object.fromEntries(gradients.map((each, at) => [`gradient.${at}`, each])) },
      bind: asInputs,
      parameters: (name) => shakenValue(byName.get(name)!, 7),
    })
    const session = await Session.open(model, { threads: 1 })
    const noise = makeNoise(session.inputs, 5, 1)
    const fed = { ...caseValues('drop', { inputs, outputs }, smooth), ...noise }
    const values = chosen.map((parameter) => shakenValue(parameter, 7))
    const at = async (step: number, along: readonly Float32Array[]) => {
      const given = chosen.map(({ name, shape }, index) => {
        const data = values[index].map((value, place) => value + step * (along[index]?.[place] ?? 0))
        return [`parameter.${name}`, floats(data, shape)] as const
      })
      return session.run({ ...fed, ...Object.fromEntries(given) })
    }
    // Along the gradient itself the loss rises by its length.
    const here = await at(0, [])
    const rise = chosen.map((_, index) => Float32Array.from(here[`gradient.${index}`].data as Float32Array))
    const length = Math.hypot(...rise.map((each) => Math.hypot(...each)))
    const unit = rise.map((each) => each.map((value) => value / length))
    const step = 1e-3
    const [above, below] = [await at(step, unit), await at(-step, unit)]
    await session.close()
    const measured = (Number(above.loss.data[0]) - Number(below.loss.data[0])) / (2 * step)
    expect(measured / length, `${measured} for ${length}`).toBeGreaterThan(0.995)
    expect(measured / length, `${measured} for ${length}`).toBeLessThan(1.005)
  })

  it('is refused where there is no such part', () => {
    const conv: GlipConfig = tinyConfig
    expect(() => withDrop(conv, { ...none, path: 0.1 })).toThrow(/no Swin/)
    expect(withDrop(conv, { ...none, dropout: 0.1 }).drop?.dropout).toBe(0.1)
    expect(withDrop(conv, none)).toBe(conv)
  })
})

describe('noise', () => {
  const inputs = [
    { name: 'image', shape: [4] },
    { name: 'noise.a', shape: [2, 500] },
    { name: 'noise.b', shape: [1000] },
  ]

  it('is decided by seed, step and place', () => {
    const noise = makeNoise(inputs, 1, 7)
    expect(Object.keys(noise)).toEqual(['noise.a', 'noise.b'])
    expect(makeNoise(inputs, 1, 7)).toEqual(noise)
    expect(noise['noise.a'].shape).toEqual([2, 500])
    const others = [makeNoise(inputs, 2, 7), makeNoise(inputs, 1, 8)]
    for (const other of others) expect(other['noise.a'].data).not.toEqual(noise['noise.a'].data)
    expect(noise['noise.b'].data).not.toEqual(noise['noise.a'].data)
    for (const value of noise['noise.a'].data as Float32Array) {
      expect(value).toBeGreaterThanOrEqual(0)
      expect(value).toBeLessThan(1)
    }
  })
})
