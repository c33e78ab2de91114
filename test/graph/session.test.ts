import { describe, expect, it, onTestFinished } from 'vitest'
import { reduceSum } from '../../src/graph/ops/broadcast.js'
import { mul } from '../../src/graph/ops/elementwise.js'
import { input } from '../../src/graph/ops/tensor.js'
import { floats, Session, zeros } from '../../src/graph/session.js'
import { toOnnx } from '../../src/graph/to-onnx.js'

const size = 1_000_000

async function opened(barred: boolean) {
  const x = input('x', [size])
  const outputs = { sum: reduceSum(x, [0], true), twice: mul(x, 2) }
  const session = await Session.open(toOnnx({ outputs, barred }), { threads: 1, ownGraph: true })
  onTestFinished(() => session.close())
  return session
}

describe('results that are given memory', () => {
  const feeds = { x: floats(new Float32Array(size).fill(3), [size]) }

  it('are written there and not copied once more, where the graph has a barrier', async () => {
    const session = await opened(true)
    expect(session.outputs.map(({ name }) => name)).toEqual(['sum', 'twice'])
    const into = { sum: zeros([1]), twice: zeros([size]) }
    await session.run(feeds, into)
    const before = process.memoryUsage().arrayBuffers
    const results = await session.run(feeds, into)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(size)
    expect(results.twice?.data).toBe(into.twice.data)
    expect([into.sum.data[0], into.twice.data[size - 1]]).toEqual([3 * size, 6])
  })

  it('are the same without one, or with memory for some of them alone', async () => {
    const barred = await opened(true)
    const plain = await opened(false)
    const into = { twice: zeros([size]) }
    for (const session of [barred, plain]) {
      const { sum, twice } = await session.run(feeds, into)
      expect([sum?.data[0], twice?.data[size - 1], into.twice.data[0]]).toEqual([3 * size, 6, 6])
      into.twice.data.fill(0 as never)
    }
  })

  it('are none where the run fails', async () => {
    const session = await opened(true)
    const into = { sum: zeros([1]), twice: zeros([size]) }
    const short = { x: floats([1, 2], [2]) }
    await expect(session.run(short, into)).rejects.toThrow('a graph of this program')
  })
})
