import { describe, expect, it } from 'vitest'
import { compareLosses, compareTerms, largestDifference } from '../../bench/loss-curves.js'

describe('two curves of the loss', () => {
  const theirs = Array.from({ length: 120 }, (_, at) => 10 - at / 20)
  const apart = (from: number, share: number) =>
    theirs.map((loss, at) => (at + 1 >= from ? loss * (1 - share) : loss))

  it('are told beside each other, to the last step', () => {
    const figures = compareLosses(apart(11, 0.1), theirs)
    expect(figures['loss at step 10, ours']?.value).toBe(9.55)
    expect(figures['loss at step 20, ours']?.value).toBeCloseTo(0.9 * 9.05, 12)
    expect(figures['loss at step 20, PyTorch']?.value).toBe(9.05)
    expect(figures['loss at step 120, PyTorch']?.value).toBe(4.05)
    expect(figures['mean loss of the last 50 steps, PyTorch']?.value).toBeCloseTo(5.275, 12)
    expect(figures).not.toHaveProperty('loss at step 200, ours')
  })

  it('have a goal in the first ten steps alone', () => {
    const late = compareLosses(apart(11, 0.1), theirs)
    expect(late['largest difference, first 10 steps']).toMatchObject({ value: 0, met: true })
    expect(late['largest difference, first 100 steps']?.value).toBeCloseTo(0.1, 12)
    expect(late['largest difference, first 100 steps']?.met).toBeNull()
    const early = compareLosses(apart(10, 0.1), theirs)
    expect(early['largest difference, first 10 steps']).toMatchObject({ met: false })
    expect(compareLosses([2, 2], [2, 1])['largest difference, first 2 steps']).toMatchObject({
      value: 1,
      met: false,
    })
  })

  it('begin with the terms of a step, of which none may be missing', () => {
    const figures = compareTerms(
      { loss: 3, gradient_norm: 21, giou: 1 },
      { loss: 2, gradient_norm: 20, grounding: 1 },
    )
    expect(figures['difference at step 1, loss']?.value).toBe(0.5)
    expect(figures['difference at step 1, gradient norm']?.value).toBeCloseTo(0.05, 12)
    expect(figures['difference at step 1, grounding']?.value).toBeNaN()
    expect(figures).not.toHaveProperty('difference at step 1, giou')
  })

  it('are apart where one is not a number', () => {
    expect(largestDifference([1, Number.NaN], [1, 1], 10)).toBeNaN()
    expect(compareLosses([1, Number.NaN], [1, 1])['largest difference, first 2 steps']?.met).toBe(false)
  })
})
