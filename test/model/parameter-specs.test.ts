import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sizeOf } from '../../src/graph/ops/tensor.js'
import { glipInputs } from '../../src/model/network/glip.js'
import { glipConfig } from '../../src/model/network/presets.js'
import { fromTorch, parameterSpecs, torchLayout, toTorch } from '../../src/model/parameter-specs.js'

const specsOf = (preset: string) => parameterSpecs(glipConfig(preset, 30_522))

describe('parameters of the official presets', () => {
  it('are as many as published', () => {
    const millions = (preset: string) =>
      specsOf(preset).reduce((sum, { shape }) => sum + sizeOf(shape), 0) / 1e6
    expect(millions('glip-t-a')).toBeCloseTo(151.4, 1)
    expect(millions('glip-t')).toBeCloseTo(231.8, 1)
    expect(millions('glip-l')).toBeCloseTo(430.4, 1)
  })

  it('have the official keys and shapes', () => {
    const shapes = Object.fromEntries(specsOf('glip-t').map(({ name, torchShape }) => [name, torchShape]))
    expect(shapes).toMatchObject({
      'backbone.body.patch_embed.proj.weight': [96, 3, 4, 4],
      'backbone.body.layers.0.blocks.0.attn.qkv.weight': [288, 96],
      'backbone.body.layers.2.blocks.5.attn.relative_position_bias_table': [169, 12],
      'backbone.body.layers.2.downsample.reduction.weight': [768, 1536],
      'backbone.fpn.fpn_inner2.weight': [256, 192, 1, 1],
      'backbone.fpn.top_blocks.p7.weight': [256, 256, 3, 3],
      'language_backbone.body.model.embeddings.position_embeddings.weight': [512, 768],
      'rpn.head.dyhead_tower.0.b_attn.attn.v_proj.weight': [2048, 256],
      'rpn.head.dyhead_tower.16.attention.self.query.weight': [768, 768],
      'rpn.head.dyhead_tower.17.DyConv.2.conv.weight': [256, 256, 3, 3],
      'rpn.head.dyhead_tower.17.AttnConv.1.weight': [1, 256, 1, 1],
      'rpn.head.dyhead_tower.17.relu.fc.2.weight': [1024, 64],
      'rpn.head.dyhead_tower.17.offset.weight': [27, 256, 3, 3],
      'rpn.head.centerness.weight': [1, 256, 1, 1],
      'rpn.head.scales.4.scale': [1],
    })
    const unfused = specsOf('glip-t-a').map(({ name }) => name)
    expect(unfused).toContain('rpn.head.dyhead_tower.5.offset.weight')
    expect(unfused.filter((name) => name.includes('b_attn'))).toEqual([])
  })

  it('come back from the layout of PyTorch as they were', () => {
    const shape = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(shape, (dims) => {
        const spec = torchLayout({ name: 'x', shape: dims })
        const data = Float32Array.from({ length: sizeOf(dims) }, (_, index) => index)
        expect(fromTorch(spec, toTorch(spec, data))).toEqual(data)
      }),
    )
    // [O, kH, kW, I] of 1 x 1 x 2 x 3: two places of three channels each.
    const spec = torchLayout({ name: 'x', shape: [1, 1, 2, 3] })
    expect(spec.torchShape).toEqual([1, 3, 1, 2])
    expect([...toTorch(spec, Float32Array.of(0, 1, 2, 3, 4, 5))]).toEqual([0, 3, 1, 4, 2, 5])
  })
})

describe('sizes of pictures', () => {
  it('are refused where they are no multiple of the last stride', () => {
    const config = glipConfig('glip-t', 100)
    expect(glipInputs(config, 1, { height: 224, width: 320 }).image.shape).toEqual([1, 224, 320, 3])
    expect(() => glipInputs(config, 1, { height: 224, width: 330 })).toThrow(/224 x 330 .* multiples of 32/)
    expect(() => glipConfig('glip-t', 100, { max_tokens: 600 })).toThrow(/512 positions/)
  })
})
