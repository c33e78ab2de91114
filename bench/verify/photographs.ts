import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { namedByCategory } from '../../src/audit/category-truth.js'
import { goldTruth } from '../../src/audit/gold-truth.js'
import { groundedPictures } from '../../src/audit/grounded-pictures.js'
import { openDataset } from '../../src/catalog/open-dataset.js'
import { runWithProgress } from '../../src/cli/run-with-progress.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { categoryMatcher } from '../../src/words/category-matcher.js'
import type { gatherFigures } from '../report.js'
import { bestPoint, type CurvePoint, labelCurve, precisionAt } from './label-curve.js'

interface CocoPart {
  readonly images: readonly { readonly id: number }[]
  readonly annotations: readonly { readonly image_id: number }[]
}

/**
 * Precision against recall on photographs of COCO: half of them train the judge of the other half, and what is known
 * of both halves is put together.
 */
export async function photographs(
  {
    photos,
    detector,
    folder,
  }: { readonly photos: string; readonly detector: string; readonly folder: string },
  report: ReturnType<typeof gatherFigures>['report'],
): Promise<void> {
  await halve(photos, folder)
  const set = [`photos=${resolve(photos)}`, `model=${resolve(detector)}`, `halves=${folder}`]
  await runWithProgress(await readPipeline('bench/data/verify-photographs.yaml', { set }), folder, {})
  const means = categoryMatcher({ common: true, synonyms: {} })
  const curveOf = (way: string) => {
    const halves = ['a', 'b'].map(async (half) => {
      const { storage, shards } = await openDataset(join(folder, half))
      const source = { storage, shards, grounding: `${half}-${way}`, phrases: `${half}-phrases` }
      return groundedPictures(source, {}, { grounding: half, phrases: half })
    })
    return labelCurve(both(halves), ({ captions, gold, phrases }) => {
      if (!gold) return undefined
      return namedByCategory(goldTruth(captions, gold.phrases, gold), phrases, means)
    })
  }
  const score = await curveOf('by-score')
  const at = bestPoint(score)
  for (const way of ['judge', 'views']) {
    const own = await curveOf(`by-${way}`)
    const shown = (point: CurvePoint | undefined) => (point ? (100 * point.precision).toFixed(1) : '-')
    const curve = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6].map(
      (recall) => `${shown(precisionAt(score, recall))}/${shown(precisionAt(own, recall))}`,
    )
    const there = at && precisionAt(own, at.recall)
    report(
      `photographs: ${way}, precision at the recall of the best threshold`,
      there?.precision ?? null,
      '0 to 1',
      '',
      null,
      at
        ? `recall ${(100 * at.recall).toFixed(1)} %: the score's precision is ${(100 * at.precision).toFixed(1)} %; at recall 10 to 60 %, score/${way}: ${curve.join(' ')}`
        : 'no regions',
    )
  }
}

async function* both<T>(parts: readonly Promise<AsyncIterable<T>>[]): AsyncGenerator<T> {
  for (const part of parts) yield* await part
}

/** Writes the captions and boxes of every second picture into each of two folders. */
async function halve(photos: string, folder: string): Promise<void> {
  for (const name of ['captions.json', 'instances.json']) {
    const whole = JSON.parse(await readFile(join(photos, name), 'utf8')) as CocoPart
    const order = new Map(
      [...whole.images].sort((a, b) => a.id - b.id).map(({ id }, index) => [id, index % 2]),
    )
    for (const [half, place] of [
      ['a', 0],
      ['b', 1],
    ] as const) {
      const own = {
        ...whole,
        images: whole.images.filter(({ id }) => order.get(id) === place),
        annotations: whole.annotations.filter(({ image_id: id }) => order.get(id) === place),
      }
      await mkdir(join(folder, 'halves', half), { recursive: true })
      await writeFile(join(folder, 'halves', half, name), JSON.stringify(own))
    }
  }
}
