import { describe, expect, it } from 'vitest'
import { constant, input } from '../../src/graph/ops/tensor.js'
import { floats, Session } from '../../src/graph/session.js'
import { toOnnx } from '../../src/graph/to-onnx.js'
import { cornersInPixels } from '../../src/model/network/glip-queries.js'
import { distanceLoss } from '../../src/train/loss/losses.js'
import { checkGradient } from '../helpers/check-gradient.js'

const size = { height: 40, width: 100 }

describe('the distance of boxes', () => {
  it('is that of centres and sizes in shares of the input, over the boxes that count', async () => {
    const target = constant([0, 0, 50, 20, 0, 0, 1, 1], [1, 2, 4])
    const weight = constant([1, 0], [1, 2])
    const loss = distanceLoss(input('x', [1, 2, 4]), target, weight, size)
    const session = await Session.open(toOnnx({ outputs: { loss } }), { threads: 1 })
    const result = await session.run({ x: floats([10, 4, 80, 32, 9, 9, 9, 9], [1, 2, 4]) })
    // Centre 45, 18 for 25, 10; size 70 x 28 for 50 x 20.
    expect(result.loss.data[0]).toBeCloseTo(20 / 100 + 8 / 40 + 20 / 100 + 8 / 40, 5)
    await session.close()
  })

  it('has the gradient of central differences, through the corners', () =>
    checkGradient({
      shapes: [[2, 3, 4]],
      build: (x) =>
        distanceLoss(
          cornersInPixels(x, size),
          constant(
            [...Array(24).keys()].map((at) => (at * 17) % 31),
            [2, 3, 4],
          ),
          constant([1, 0, 1, 1, 1, 0], [2, 3]),
          size,
        ),
      domain: (value) => 0.5 + 0.3 * value,
      step: 1e-3,
      tolerance: 2e-2,
    }))
})
