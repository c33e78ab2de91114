import { describe, expect, it } from 'vitest'
import { random } from '../../src/base/random.js'
import { dropBlock, dropout, spreadLength, spreadNoise } from '../../src/graph/ops/dropout.js'
import { constant, input, type Shape, sizeOf, type Tensor } from '../../src/graph/ops/tensor.js'
import { floats, Session } from '../../src/graph/session.js'
import { toOnnx } from '../../src/graph/to-onnx.js'
import { checkGradient } from '../helpers/check-gradient.js'

const uniform = (count: number, ...seed: (string | number)[]) => {
  const draw = random(...seed)
  return Float32Array.from({ length: count }, () => draw.integer(2 ** 24) / 2 ** 24)
}

/** Runs a graph of one output again and again, on new numbers each time. */
async function runEach(y: Tensor, numbers: Shape, feeds: readonly Float32Array[]): Promise<Float32Array[]> {
  const session = await Session.open(toOnnx({ outputs: { y } }), { threads: 1 })
  const results: Float32Array[] = []
  for (const feed of feeds) {
    const { y: got } = await session.run({ numbers: floats(feed, numbers) })
    results.push(Float32Array.from(got.data as Float32Array))
  }
  await session.close()
  return results
}

const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length

describe('dropout', () => {
  it('has the gradient of what it keeps', async () => {
    const noise = constant(uniform(12, 'gradient'), [3, 4])
    await checkGradient({ shapes: [[2, 3, 4]], build: (x) => dropout(x, 0.4, noise) })
    const places = constant(uniform(30, 'gradient'), [1, 5, 6, 1])
    await checkGradient({ shapes: [[1, 5, 6, 2]], build: (x) => dropBlock(x, 0.6, places) })
  })

  it('keeps the expectation', async () => {
    const x = constant(Float32Array.from({ length: 20 }, (_, index) => index - 10.5))
    const feeds = Array.from({ length: 2000 }, (_, index) => uniform(20, 'expectation', index))
    const results = await runEach(dropout(x, 0.3, input('numbers', [20])), [20], feeds)
    for (let at = 0; at < 20; at++) {
      const values = results.map((result) => result[at])
      expect(new Set(values).size).toBe(2)
      expect(mean(values) / (at - 10.5)).toBeGreaterThan(0.93)
      expect(mean(values) / (at - 10.5)).toBeLessThan(1.07)
    }
  })
})

describe('dropBlock', () => {
  const [height, width] = [6, 7]
  const shape = [1, height, width, 1]
  const kept = (seeds: readonly (readonly [number, number])[]) => {
    const noise = new Float32Array(height * width).fill(0.5)
    for (const [y, x] of seeds) noise[y * width + x] = 0.01
    const ones = constant(new Float32Array(height * width).fill(1), shape)
    return runEach(dropBlock(ones, 0.3, input('numbers', shape)), shape, [noise])
  }

  it('drops the places around a seed and makes up for them', async () => {
    const [result] = await kept([[2, 3]])
    result.forEach((value, at) => {
      const isNear = Math.abs(Math.floor(at / width) - 2) <= 1 && Math.abs((at % width) - 3) <= 1
      expect(value).toBeCloseTo(isNear ? 0 : 42 / 33, 5)
    })
  })

  it('cuts blocks off at the edge, and counts places once that two blocks share', async () => {
    const [corner] = await kept([[0, 0]])
    expect(corner.filter((value) => value === 0)).toHaveLength(4)
    const [two] = await kept([
      [2, 2],
      [2, 3],
    ])
    expect(two.filter((value) => value === 0)).toHaveLength(12)
    expect(mean(two)).toBeCloseTo(1, 5)
  })

  it('gives zeros where nothing is left', async () => {
    const all = Array.from(
      { length: height * width },
      (_, at) => [Math.floor(at / width), at % width] as const,
    )
    const [nothing] = await kept(all)
    expect(new Set(nothing)).toEqual(new Set([0]))
  })
})

describe('spreadNoise', () => {
  const shape = [2, 48, 120]
  const [rows, columns] = [96, 120]
  const numbers = [spreadLength(shape)]
  const draws = () =>
    runEach(
      spreadNoise(input('numbers', numbers), shape),
      numbers,
      [0, 1, 2].map((index) => uniform(numbers[0], 'spread', index)),
    )

  it('needs few numbers, and gives uniform ones', async () => {
    expect(numbers[0]).toBe(2 * rows + columns)
    for (const noise of await draws()) {
      expect(noise).toHaveLength(sizeOf(shape))
      const bins = new Array(20).fill(0)
      for (const value of noise) bins[Math.floor(value * 20)]++
      expect(bins).toHaveLength(20)
      for (const count of bins) expect(count / noise.length).toBeCloseTo(0.05, 2)
    }
  })

  it('drops elements as if each were drawn by itself', async () => {
    const rate = 0.3
    for (const noise of await draws()) {
      const isDropped = (row: number, column: number) => noise[row * columns + column] < rate
      const share = (count: number, test: (at: number) => boolean) =>
        Array.from({ length: count }, (_, at) => test(at)).filter(Boolean).length / count
      const among = (many: number, each: (at: number) => number) => {
        const shares = Array.from({ length: many }, (_, at) => each(at))
        const middle = mean(shares)
        return { middle, deviation: Math.sqrt(mean(shares.map((value) => (value - middle) ** 2))) }
      }
      // Deviations of shares are those of a binomial distribution.
      const ofRows = among(rows, (row) => share(columns, (column) => isDropped(row, column)))
      const ofColumns = among(columns, (column) => share(rows, (row) => isDropped(row, column)))
      expect(ofRows.deviation / Math.sqrt((rate * (1 - rate)) / columns)).toBeLessThan(1.4)
      expect(ofColumns.deviation / Math.sqrt((rate * (1 - rate)) / rows)).toBeLessThan(1.4)
      // What one row or column drops says nothing of the next, or of one far away.
      for (const step of [1, 2, 7, 31]) {
        const both = among(rows - step, (row) =>
          share(columns, (column) => isDropped(row, column) && isDropped(row + step, column)),
        )
        expect(both.middle, `rows ${step} apart`).toBeCloseTo(rate ** 2, 1.6)
        const beside = among(columns - step, (column) =>
          share(rows, (row) => isDropped(row, column) && isDropped(row, column + step)),
        )
        expect(beside.middle, `columns ${step} apart`).toBeCloseTo(rate ** 2, 1.6)
        expect(both.deviation).toBeLessThan(0.05)
        expect(beside.deviation).toBeLessThan(0.05)
      }
    }
  })
})
