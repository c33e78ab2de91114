import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Detection } from '../../src/evaluate/box-table.js'
import { type CocoSummary, cocoAp, type GroundTruth } from '../../src/evaluate/coco-ap.js'

interface Fixture {
  readonly name: string
  readonly truth: readonly GroundTruth[]
  readonly detections: readonly Detection[]
  /** The twelve numbers of pycocotools, in its order. */
  readonly stats: readonly number[]
}

const fixtures = JSON.parse(
  readFileSync(new URL('./fixtures/coco-ap.json', import.meta.url), 'utf8'),
) as readonly Fixture[]

const order: readonly (keyof CocoSummary)[] = [
  'ap',
  'ap50',
  'ap75',
  'ap_small',
  'ap_medium',
  'ap_large',
  'ar1',
  'ar10',
  'ar100',
  'ar_small',
  'ar_medium',
  'ar_large',
]

describe('COCO AP', () => {
  for (const { name, truth, detections, stats } of fixtures) {
    it(`equals pycocotools: ${name}`, () => {
      const summary = cocoAp(truth, detections)
      order.forEach((key, index) => {
        expect(
          Math.abs(summary[key] - stats[index]),
          `${key}: ${summary[key]} for ${stats[index]}`,
        ).toBeLessThan(1e-9)
      })
    })
  }

  it('is -1 where there is nothing to find', () => {
    expect(cocoAp([], []).ap).toBe(-1)
  })
})
