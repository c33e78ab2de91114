import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import type { Part } from '../../src/model/checkpoint-names.js'
import { glipConfig } from '../../src/model/network/presets.js'
import { parameterSpecs } from '../../src/model/parameter-specs.js'
import { planImport } from '../../src/model/plan-import.js'
import { openWeightFile } from '../../src/weights/open-weight-file.js'
import type { WeightFile } from '../../src/weights/weight-file.js'
import { tinyOfficialSpecs, tinyValue } from '../helpers/tiny-official.js'

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url))

/** Names and shapes of published networks, as their own code makes them: bench/parity/official_keys.py. */
const officialKeys = JSON.parse(
  gunzipSync(readFileSync(fixture('official-keys.json.gz'))).toString(),
) as Record<string, Record<string, number[]>>

/** A file of weights that nobody reads, or that all have one value. */
const fakeFile = (shapes: Readonly<Record<string, readonly number[]>>, value = 0): WeightFile => ({
  tensors: new Map(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      {
        name,
        shape,
        type: 'F32',
        read: async () => new Float32Array(shape.reduce((product, side) => product * side, 1)).fill(value),
      },
    ]),
  ),
  metadata: {},
  others: [],
  close: async () => {},
})

const plan = (preset: string, files: readonly WeightFile[], parts: readonly Part[]) => {
  const checkpoints = files.map((file, index) => ({ path: `file${index}`, file }))
  return planImport(parameterSpecs(glipConfig(preset, 30522)), checkpoints, parts)
}

describe('published weights', () => {
  it.each([
    ['glip-t-a', 522, 151_409_966],
    ['glip-t', 726, 231_759_662],
    ['glip-l', 990, 430_401_824],
  ] as const)('of %s are all taken, or left out for a reason', (preset, count, values) => {
    const keys = officialKeys[preset]
    const named = Object.fromEntries(Object.entries(keys).map(([key, shape]) => [`module.${key}`, shape]))
    const { report } = plan(preset, [fakeFile(named)], ['all'])
    expect(report).toMatchObject({ missing: [], wrongShape: [], unused: [], absent: [], values })
    expect(report.sources[0].source).toBe('GLIP, official names')
    expect(report.matched.length).toBe(count)
    expect(report.matched.length + report.ignored.length).toBe(Object.keys(keys).length)
    const reasons = new Set(report.ignored.map(({ reason }) => reason.split(':')[0]))
    expect(reasons).toEqual(new Set(['class logits', 'anchors', 'places in a window']))
  })

  it('of BERT are taken, under the names of old checkpoints too', () => {
    const old = Object.fromEntries(
      Object.entries(officialKeys.bert).map(([key, shape]) => [
        key.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta'),
        shape,
      ]),
    )
    const bare = Object.fromEntries(
      Object.entries(officialKeys.bert).flatMap(([key, shape]) =>
        key.startsWith('bert.') ? [[key.slice('bert.'.length), shape]] : [],
      ),
    )
    old['bert.embeddings.position_ids'] = [1, 512]
    expect(old['bert.embeddings.LayerNorm.gamma']).toEqual([768])
    for (const keys of [officialKeys.bert, old, bare]) {
      const { report } = plan('glip-t', [fakeFile(keys)], ['language'])
      expect(report).toMatchObject({ missing: [], wrongShape: [], unused: [], absent: [] })
      expect(report.matched.length).toBe(197)
      expect(report.matched.length + report.ignored.length).toBe(Object.keys(keys).length)
    }
  })

  it.each([
    ['swin', 'Swin, official names'],
    ['swin timm', 'Swin, names of timm'],
    ['swin hugging face', 'Swin, names of Hugging Face'],
  ])('of %s are taken, and the norms of the maps start fresh', (name, source) => {
    const { report } = plan('glip-t', [fakeFile(officialKeys[name])], ['backbone'])
    expect(report).toMatchObject({ missing: [], wrongShape: [], unused: [] })
    expect(report.sources[0].source).toBe(source)
    expect(report.matched.length).toBe(169)
    expect(report.absent.map((one) => one.name).sort()).toEqual(
      [1, 2, 3].flatMap((level) => [`backbone.body.norm${level}.bias`, `backbone.body.norm${level}.weight`]),
    )
  })

  it('of two files make a start together', () => {
    const files = [fakeFile(officialKeys.swin), fakeFile(officialKeys.bert)]
    const { report } = plan('glip-t', files, ['backbone', 'language'])
    expect(report).toMatchObject({ missing: [], wrongShape: [], unused: [] })
    expect(report.matched.length).toBe(169 + 197)
  })

  it('of query, key and value become one, in that order', async () => {
    const shapes = officialKeys['swin hugging face']
    const file = fakeFile(shapes)
    const thirds = ['query', 'key', 'value']
    const tensors = new Map(file.tensors)
    for (const [key, tensor] of file.tensors) {
      const third = thirds.findIndex((name) => key.includes(`.self.${name}.`))
      if (third < 0) continue
      const { size } = await tensor.read().then(({ length }) => ({ size: length }))
      tensors.set(key, { ...tensor, read: async () => new Float32Array(size).fill(third + 1) })
    }
    const name = 'backbone.body.layers.0.blocks.0.attn.qkv.bias'
    const { arrays } = plan('glip-t', [{ ...file, tensors }], ['backbone'])
    const values = await arrays.find((array) => array.name === name)!.read()
    expect([values[0], values[95], values[96], values[191], values[192], values[287]]).toEqual([
      1, 1, 2, 2, 3, 3,
    ])

    const missing = new Map(tensors)
    missing.delete('swin.encoder.layers.0.blocks.0.attention.self.key.bias')
    const { report } = plan('glip-t', [{ ...file, tensors: missing }], ['backbone'])
    expect(report.missing).toEqual([{ name, shape: [288] }])
    expect(report.unused.length).toBe(2)
  })
})

describe('weights that do not fit', () => {
  it('are named with both shapes, or as missing or unused', () => {
    const keys: Record<string, number[]> = { ...officialKeys['glip-t'] }
    keys['backbone.fpn.fpn_inner2.weight'] = [256, 96, 1, 1]
    delete keys['rpn.head.log_scale']
    keys['rpn.head.surprise'] = [3]
    const { report } = plan('glip-t', [fakeFile(keys)], ['all'])
    expect(report.wrongShape).toEqual([
      {
        name: 'backbone.fpn.fpn_inner2.weight',
        key: 'backbone.fpn.fpn_inner2.weight',
        expected: [256, 192, 1, 1],
        found: [256, 96, 1, 1],
      },
    ])
    expect(report.missing).toEqual([{ name: 'rpn.head.log_scale', shape: [1] }])
    expect(report.unused).toEqual([{ key: 'rpn.head.surprise', shape: [3] }])
    expect(report.matched.length).toBe(724)
  })

  it('are refused where two are of one parameter, or of no known model', () => {
    const twice = { 'rpn.head.log_scale': [1], 'module.rpn.head.log_scale': [1] }
    expect(() => plan('glip-t', [fakeFile(twice)], ['all'])).toThrow(
      /rpn\.head\.log_scale and module\.rpn\.head\.log_scale are both of the parameter/,
    )
    const both = [fakeFile(officialKeys.bert), fakeFile(officialKeys['glip-t'])]
    expect(() => plan('glip-t', both, ['language'])).toThrow(UserError)
    expect(() => plan('glip-t', [fakeFile({ 'conv1.weight': [3] })], ['all'])).toThrow(
      /file0 has the keys of no model that is known .*: conv1\.weight/,
    )
  })
})

describe('a checkpoint of PyTorch with official names', () => {
  it.each(['glip-tiny.pth', 'glip-tiny-mmdet.pth'])('%s is imported whole, value for value', async (name) => {
    const file = await openWeightFile(fixture(name))
    const { report, arrays } = planImport(tinyOfficialSpecs, [{ path: name, file }], ['all'])
    expect(report).toMatchObject({ missing: [], wrongShape: [], unused: [], absent: [] })
    expect(report.ignored.length).toBe(5)
    expect(arrays.length).toBe(tinyOfficialSpecs.length)
    for (const [number, spec] of tinyOfficialSpecs.entries()) {
      const array = arrays.find((one) => one.name === spec.name)!
      const values = await array.read()
      expect(array.shape).toEqual(spec.shape)
      // PyTorch keeps a convolution's weight with its input channels second: [O, I, kH, kW].
      const [outputs, height, width, inputs] = spec.shape.length === 4 ? spec.shape : [values.length, 1, 1, 1]
      let at = 0
      for (let o = 0; o < outputs; o++)
        for (let h = 0; h < height; h++)
          for (let w = 0; w < width; w++)
            for (let i = 0; i < inputs; i++) {
              const expected = tinyValue(number, ((o * inputs + i) * height + h) * width + w)
              if (values[at++] !== expected) expect.fail(`${spec.name} [${o}, ${h}, ${w}, ${i}]`)
            }
      expect(at).toBe(values.length)
    }
    await file.close()
  })
})
