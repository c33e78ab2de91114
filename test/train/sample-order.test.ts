import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readAhead } from '../../src/train/examples/read-ahead.js'
import { type SampleOrderOptions, sampleOrder } from '../../src/train/samples/sample-order.js'

const options = fc.record({
  seed: fc.integer(),
  batch: fc.integer({ min: 1, max: 9 }),
  mix: fc.constantFrom<SampleOrderOptions['mix']>('size', {}, { a: 3, c: 0.25 }),
})
const sources = fc
  .array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 })
  .map((sizes) => sizes.map((size, index) => ({ name: 'abc'.charAt(index), size })))

describe('the order of samples', () => {
  it('is that of a run that counts as it goes, whichever steps are asked for', () => {
    fc.assert(
      fc.property(sources, options, fc.array(fc.integer({ min: 1, max: 30 })), (streams, given, asked) => {
        // A run takes the next sample of each source that is drawn.
        const counting = sampleOrder(streams, given)
        const counts = new Map<string, number>()
        const walked = Array.from({ length: 30 }, (_, index) => counting(index + 1))
        for (const { stream, position } of walked.flat()) {
          expect(position).toBe(counts.get(stream.name) ?? 0)
          counts.set(stream.name, position + 1)
        }
        const order = sampleOrder(streams, given)
        for (const step of asked) {
          expect(order(step)).toHaveLength(given.batch)
          expect(order(step)).toEqual(walked[step - 1])
        }
        for (const step of asked.slice(0, 3))
          expect(sampleOrder(streams, given)(step)).toEqual(walked[step - 1])
      }),
    )
  })

  it('draws sources by their weights', () => {
    const streams = [
      { name: 'a', size: 100 },
      { name: 'b', size: 300 },
    ]
    const shareOfB = (mix: SampleOrderOptions['mix']) =>
      sampleOrder(streams, { seed: 5, batch: 4000, mix })(1).filter(({ stream }) => stream.name === 'b')
        .length / 4000
    expect(shareOfB({})).toBeCloseTo(0.5, 1)
    expect(shareOfB('size')).toBeCloseTo(0.75, 1)
    expect(shareOfB({ a: 9 })).toBeCloseTo(0.1, 1)
  })

  it('is what it was in earlier versions', () => {
    const streams = [
      { name: 'gold', size: 5 },
      { name: 'web', size: 50 },
    ]
    const order = sampleOrder(streams, { seed: 3, batch: 4, mix: { web: 2 } })
    const places = (step: number) => order(step).map(({ stream, position }) => `${stream.name} ${position}`)
    expect(places(40)).toEqual(['web 98', 'web 99', 'web 100', 'web 101'])
    expect(places(1)).toEqual(['web 0', 'web 1', 'web 2', 'gold 0'])
  })
})

describe('reading ahead', () => {
  it('begins the next item when one is handed out, and gives the same whichever were asked for', async () => {
    const begun: number[] = []
    const read = readAhead(async (index) => {
      begun.push(index)
      return `item ${index}`
    }, 5)
    expect(await read(1)).toBe('item 1')
    expect(begun).toEqual([1, 2])
    expect(await read(2)).toBe('item 2')
    expect(await read(0)).toBe('item 0')
    expect(await read(4)).toBe('item 4')
    expect(begun).toEqual([1, 2, 3, 0, 1, 4])
  })

  it('throws what failed ahead when it is asked for, and not before', async () => {
    const read = readAhead(async (index) => {
      if (index === 1) throw new Error('no item 1')
      return index
    }, 3)
    expect(await read(0)).toBe(0)
    await new Promise((resolve) => setImmediate(resolve))
    await expect(read(1)).rejects.toThrow('no item 1')
    expect(await read(2)).toBe(2)
  })
})
