import { expect, it } from 'vitest'
import { BoundSession, sharedValue } from '../../src/graph/bound-session.js'
import { mul } from '../../src/graph/ops/elementwise.js'
import { gatherRows } from '../../src/graph/ops/shape.js'
import { input } from '../../src/graph/ops/tensor.js'
import { toOnnx } from '../../src/graph/to-onnx.js'

const rows = gatherRows(input('table', [3, 2]), input('chosen', [2], 'int64'))
const graph = toOnnx({ outputs: { rows, twice: mul(rows, 2) }, barred: true })

it('runs on what lies in shared memory then, and goes on after a run that failed', async () => {
  const table = sharedValue('float32', [3, 2])
  const [one, other] = await Promise.all([
    BoundSession.open(graph, { table }, 1),
    BoundSession.open(graph, { table }, 1),
  ])
  expect(one.feeds.table).toBe(other.feeds.table)
  const run = async (session: BoundSession, chosen: readonly bigint[]) => {
    const { data } = session.feeds.chosen
    ;(data as BigInt64Array).set(chosen)
    await session.run()
    return Object.values(session.results).map((result) => [...(result.data as Float32Array)])
  }
  ;(table.data as Float32Array).set([1, 2, 3, 4, 5, 6])
  expect(await Promise.all([run(one, [2n, 0n]), run(other, [1n, 1n])])).toEqual([
    [
      [5, 6, 1, 2],
      [10, 12, 2, 4],
    ],
    [
      [3, 4, 3, 4],
      [6, 8, 6, 8],
    ],
  ])
  await expect(run(one, [3n, 0n])).rejects.toThrow(/onnxruntime failed in a graph of this program: .*3/)
  ;(table.data as Float32Array).fill(9)
  expect(await run(one, [0n, 0n])).toEqual([
    [9, 9, 9, 9],
    [18, 18, 18, 18],
  ])
  await Promise.all([one.close(), other.close()])
  await expect(one.run()).rejects.toThrow(/has been closed/)
})
