import { describe, expect, it } from 'vitest'
import { maxElements } from '../../src/train/optimizer/adamw-kernel.js'
import { groupParameters } from '../../src/train/optimizer/parameter-groups.js'
import { plotLosses } from '../../src/train/plot-losses.js'
import { trainCard } from '../../src/train/train-card.js'
import { tinyConfig } from '../helpers/tiny-glip.js'

const line = (step: number, loss: number) => ({
  ...{ step, loss, learning_rate: 0.1, gradient_norm: 1, seconds: 1, data_seconds: 0 },
  ...{ classification: loss / 2, regression: loss / 4, grounding: loss / 8 },
})

describe('the plot of a training', () => {
  it('has the curves in its frame, from the first step to the last', () => {
    const svg = plotLosses([line(1, 4), line(2, 2), line(4, 1)], 'a <b> & c')
    expect(svg).toContain('>a b  c</text>')
    const points = (colour: string) =>
      new RegExp(`stroke="${colour}" stroke-width="1.5" points="([^"]+)"`).exec(svg)?.[1]
    // 544 of 720 are from 0 to the last step, 324 of 400 from 0 to the highest.
    expect(points('#444')).toBe('192.0,40.0 328.0,202.0 600.0,283.0')
    expect(points('#1f77b4')).toBe('192.0,202.0 328.0,283.0 600.0,323.5')
    expect(svg).toContain('>loss 1.000</text>')
    expect(svg).toMatch(/<text x="328\.0" y="380" text-anchor="middle">2<\/text>/)
    expect(svg).toMatch(/y="121\.0" text-anchor="end" dy="\.35em">3\.0<\/text>/)
  })

  it('is a running mean of a sixtieth of the steps', () => {
    const lines = Array.from({ length: 180 }, (_, index) => line(index + 1, index % 3))
    expect(plotLosses(lines, 'm')).toContain('>loss 1.000</text>')
  })
})

describe('the card of a training', () => {
  const card = (changes: object) =>
    trainCard({
      name: 'student',
      sources: [
        { name: 'gold', grounding: 's' },
        { name: 'web', grounding: 'kept' },
      ],
      streams: [
        { name: 'gold', size: 30, origins: new Map([['gold', 70]]), license: 'CC0' },
        {
          name: 'web',
          size: 9,
          origins: new Map([
            ['teacher', 8],
            ['gold', 2],
          ]),
          license: undefined,
        },
      ],
      config: { steps: 5, batch: 2, learning_rate: 0.001, seed: 3, mix: { gold: 2 }, license: 'MIT' },
      network: tinyConfig,
      last: line(5, 0.5),
      ...changes,
      // It reads no more of them.
    } as unknown as Parameters<typeof trainCard>[0])

  it('says which data it saw, whose boxes they are, and the last losses', () => {
    const text = card({})
    expect(text).toContain('| gold | s | 30 | 70 gold | 2 | CC0 |')
    expect(text).toContain('| web | kept | 9 | 8 teacher, 2 gold | 1 | unknown |')
    expect(text).toContain('(classification 0.2500, regression 0.1250, grounding 0.0625)')
    expect(text).toContain('It started from random weights.')
    expect(card({ config: { mix: 'size' } })).toContain(
      '| web | kept | 9 | 8 teacher, 2 gold | 9 | unknown |',
    )
  })

  it('says what it started from', () => {
    expect(card({ start: { folder: 'm', taken: ['a', 'b'], fresh: ['c'] } })).toContain(
      'It started from `m`: 2 parameters taken, 1 started fresh.',
    )
  })
})

describe('parameters in vectors', () => {
  const parameter = (name: string, size: number, frozen = false) => ({ name, shape: [size], frozen })
  const rates = { language_rate: 0.1, bias_rate: 2 }

  it('are by kind and rate, each on a cache line, and frozen ones are not there', () => {
    const groups = groupParameters(
      [
        parameter('head.weight', 17),
        parameter('head.bias', 3),
        parameter('fixed.weight', 5, true),
        parameter('language_backbone.a', 16),
        parameter('language_backbone.a.bias', 1),
        parameter('tower.weight', 1),
      ],
      rates,
    )
    expect(groups).toMatchObject([
      { name: 'weights', size: 48, decay: true, rate: 1, slots: [{ offset: 0 }, { offset: 32 }] },
      { name: 'biases', size: 16, decay: false, rate: 2 },
      { name: 'language.weights', size: 16, decay: true, rate: 0.1 },
      { name: 'language.biases', size: 16, decay: false, rate: 0.2 },
    ])
  })

  it('fill a vector before the next is begun, and one may be larger', () => {
    const sizes = (...counts: readonly number[]) =>
      groupParameters(
        counts.map((count, index) => parameter(`w${index}`, count)),
        rates,
        64,
      ).map(({ name, size }) => `${name} ${size}`)
    expect(sizes(32, 32, 16)).toEqual(['weights 64', 'weights.1 16'])
    expect(sizes(100, 16)).toEqual(['weights 112', 'weights.1 16'])
    expect(maxElements).toBeGreaterThan(64)
  })
})
