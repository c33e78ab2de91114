import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { foldBatchNorms } from '../../src/model/fold-batch-norm.js'
import { glipConfig } from '../../src/model/network/presets.js'
import { parameterSpecs } from '../../src/model/parameter-specs.js'
import { planImport } from '../../src/model/plan-import.js'
import type { StoredTensor } from '../../src/weights/weight-file.js'

/** torchvision's resnet50, and one of its norms: bench/parity/resnet_keys.py. */
const fixture = JSON.parse(
  gunzipSync(readFileSync(new URL('./fixtures/resnet.json.gz', import.meta.url))).toString(),
) as {
  readonly shapes: Readonly<Record<string, readonly number[]>>
  readonly norm: Readonly<Record<string, readonly number[]>>
  readonly x: readonly number[]
  readonly y: readonly number[]
}

const tensorsOf = (shapes: Readonly<Record<string, readonly number[]>>, value = 0) =>
  new Map<string, StoredTensor>(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      {
        name,
        shape,
        type: 'F32',
        read: async () => new Float32Array(shape.reduce((product, side) => product * side, 1)).fill(value),
      },
    ]),
  )

const plan = (shapes: Readonly<Record<string, readonly number[]>>) => {
  const file = { tensors: tensorsOf(shapes, 4), metadata: {}, others: [], close: async () => {} }
  return planImport(
    parameterSpecs(glipConfig('glip-r50', 30_522)),
    [{ path: 'resnet50.pth', file }],
    ['backbone'],
  )
}

describe("torchvision's ResNet-50", () => {
  it('is taken whole, or left out for a reason', async () => {
    const { report, arrays } = plan(fixture.shapes)
    expect(report).toMatchObject({ missing: [], wrongShape: [], unused: [], absent: [] })
    expect(report.sources[0].source).toBe('ResNet, names of torchvision')
    // 53 convolutions, and as many norms of two vectors.
    expect(report.matched.length).toBe(53 * 3)
    const reasons = report.ignored.map(({ reason }) => reason.split(':')[0])
    expect(new Set(reasons)).toEqual(
      new Set([
        'statistics of a batch norm',
        'batches that a batch norm has seen',
        'head of an image classifier',
      ]),
    )
    expect(report.matched.length + reasons.length).toBe(Object.keys(fixture.shapes).length)
    // Weight, bias, mean and variance of 4: a scale of 4 / sqrt(4), and a shift of 4 - 4 * 2.
    const values = async (name: string) => (await arrays.find((array) => array.name === name)!.read())[0]
    expect(await values('backbone.body.layer3.5.bn2.weight')).toBeCloseTo(2, 5)
    expect(await values('backbone.body.layer3.5.bn2.bias')).toBeCloseTo(-4, 4)
    expect(await values('backbone.body.layer3.5.conv2.weight')).toBe(4)
  })

  it('has norms that give what they gave, as a scale and a shift', async () => {
    const { norm, x, y } = fixture
    const tensors = new Map(
      Object.entries(norm).map(([name, values]): [string, StoredTensor] => [
        `bn.${name}`,
        { name: `bn.${name}`, shape: [4], type: 'F32', read: async () => Float32Array.from(values) },
      ]),
    )
    const folded = foldBatchNorms(tensors)
    const scale = await folded.get('bn.weight')!.read()
    const shift = await folded.get('bn.bias')!.read()
    x.forEach((value, index) => {
      const channel = Math.floor(index / 3)
      expect(value * scale[channel] + shift[channel]).toBeCloseTo(y[index], 5)
    })
    expect(folded.get('bn.running_var')).toBe(tensors.get('bn.running_var'))
  })

  it('whose norm has statistics of another size is refused by name', () => {
    const shapes = { ...fixture.shapes, 'layer1.0.bn1.running_var': [3] }
    expect(() => plan(shapes)).toThrow(UserError)
    expect(() => plan(shapes)).toThrow(/layer1\.0\.bn1\.running_var has shape \[3\]/)
  })
})
