import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Detection } from '../../src/evaluate/box-table.js'
import {
  type Frequency,
  fixedApLimits,
  type LvisSummary,
  type LvisTruth,
  lvisAp,
  lvisLimits,
} from '../../src/evaluate/lvis-ap.js'

type Bbox = readonly [number, number, number, number]

interface Fixture {
  readonly name: string
  readonly dataset: {
    readonly images: readonly {
      readonly id: number
      readonly neg_category_ids: readonly number[]
      readonly not_exhaustive_category_ids: readonly number[]
    }[]
    readonly annotations: readonly {
      readonly image_id: number
      readonly category_id: number
      readonly bbox: Bbox
      readonly area: number
      readonly ignore?: number
    }[]
    readonly categories: readonly { readonly id: number; readonly frequency: Frequency }[]
  }
  readonly detections: readonly { image_id: number; category_id: number; bbox: Bbox; score: number }[]
  readonly limits: { readonly most_of_image?: number; readonly most_of_category?: number }
  /** The thirteen numbers of the lvis package, in its order. */
  readonly stats: readonly number[]
}

const fixtures = JSON.parse(
  readFileSync(new URL('./fixtures/lvis-ap.json', import.meta.url), 'utf8'),
) as readonly Fixture[]

const order: readonly (keyof LvisSummary)[] = [
  'ap',
  'ap50',
  'ap75',
  'ap_small',
  'ap_medium',
  'ap_large',
  'ap_rare',
  'ap_common',
  'ap_frequent',
  'ar',
  'ar_small',
  'ar_medium',
  'ar_large',
]

function truthOf({ images, annotations, categories }: Fixture['dataset']): LvisTruth {
  return {
    boxes: annotations.map(({ image_id: image, category_id: category, bbox, area, ignore }) => ({
      image,
      category,
      bbox,
      area,
      ignore: ignore === 1,
    })),
    images: images.map((image) => ({
      id: image.id,
      negative: image.neg_category_ids,
      notExhaustive: image.not_exhaustive_category_ids,
    })),
    categories,
  }
}

describe('LVIS AP', () => {
  for (const { name, dataset, detections, limits, stats } of fixtures) {
    it(`equals lvis: ${name}`, () => {
      const { most_of_image: image = 300, most_of_category } = limits
      const found = detections.map(
        ({ image_id, category_id: category, bbox, score }): Detection => ({
          image: image_id,
          category,
          bbox,
          score,
        }),
      )
      const summary = lvisAp(truthOf(dataset), found, {
        mostOfImage: image < 0 ? undefined : image,
        mostOfCategory: most_of_category,
      })
      order.forEach((key, index) => {
        expect(
          Math.abs(summary[key] - stats[index]),
          `${key}: ${summary[key]} for ${stats[index]}`,
        ).toBeLessThan(1e-9)
      })
    })
  }

  it('has the limits that LVIS and Fixed AP are named for', () => {
    expect([lvisLimits, fixedApLimits]).toEqual([{ mostOfImage: 300 }, { mostOfCategory: 10_000 }])
  })

  it('is -1 where there is nothing to find', () => {
    const nothing = { boxes: [], images: [], categories: [] }
    expect(new Set(Object.values(lvisAp(nothing, [])))).toEqual(new Set([-1]))
  })
})
