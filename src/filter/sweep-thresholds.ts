import { zip } from '../base/zip.js'
import { clusterRatio } from '../statistics/cluster-ratio.js'
import type { Interval } from '../statistics/share-interval.js'
import type { Storage } from '../storage/storage.js'
import { createRowFilter } from './filter-proposals.js'
import { type FilterStages, joinedRows } from './filter-shard.js'
import { type Gold, type GoldRow, judgeBoxes, rowsWithGold } from './rows-with-gold.js'
import type { FilterRow } from './rule/rule.js'
import type { RuleTools } from './rule/rule-tools.js'
import type { RuleConfig } from './rules.js'

/** What a filter keeps at one value of what is varied. */
export interface SweepPoint {
  readonly value: number
  readonly boxes: number
  /** Phrases, and pictures, with a box. */
  readonly phrases: number
  readonly images: number
  /** Of the boxes that gold judges the share that is right; undefined where there are none, or no gold. */
  readonly precision?: number
  /** 95 % intervals of precision and recall, about pictures like these. */
  readonly precisionInterval?: Interval
  /** Of the gold boxes that phrases ask for the share that is found. */
  readonly recall?: number
  readonly recallInterval?: Interval
  readonly f1?: number
}

export interface SweepOptions {
  readonly phrases: string
  readonly proposals: string
  readonly others?: FilterStages['others']
  readonly verdicts?: FilterStages['verdicts']
  readonly gold?: Gold
  readonly values: readonly number[]
  /** The rules at a value. */
  readonly rulesAt: (value: number) => readonly RuleConfig[]
  readonly tools?: RuleTools
  readonly onProgress?: (rows: number) => void
  readonly signal?: AbortSignal
}

const windowRows = 64

/**
 * Filters a dataset's proposals once for every value, in one pass over its shards, and counts what is kept.
 */
export async function sweepThresholds(
  storage: Storage,
  shards: readonly string[],
  { values, rulesAt, tools, gold, onProgress, signal, ...stages }: SweepOptions,
): Promise<SweepPoint[]> {
  const [firstValue] = values
  if (firstValue === undefined) return []
  const points = values.map((value) => ({
    value,
    filter: createRowFilter(rulesAt(value), tools),
    sums: { boxes: 0, phrases: 0, images: 0 },
    precision: clusterRatio(),
    recall: clusterRatio(),
  }))
  let rows = 0
  const add = async (window: readonly (FilterRow & Partial<GoldRow>)[]) => {
    for (const { filter, sums, precision, recall } of points) {
      signal?.throwIfAborted()
      for (const [row, { kept }] of zip(window, await filter(window))) {
        sums.boxes += kept.length
        sums.phrases += new Set(kept.map(({ phrase }) => phrase)).size
        sums.images += kept.length > 0 ? 1 : 0
        const judged = judgeBoxes(kept, row.targets ?? [])
        precision.add(judged.length, judged.filter(({ right }) => right).length)
        const found = new Set(judged.flatMap(({ target }) => (target ? [target.join()] : [])))
        // A box that kept the name alone for a label may find a thing that no whole phrase asks for.
        const asked = row.asked ?? new Set()
        recall.add(asked.size, [...found].filter((target) => asked.has(target)).length)
      }
    }
    rows += window.length
    onProgress?.(rows)
  }
  // All values read the same columns, since they differ in one parameter alone.
  const rules = [...rulesAt(firstValue)]
  for (const shard of shards) {
    let window: (FilterRow & Partial<GoldRow>)[] = []
    const source =
      gold === undefined
        ? joinedRows({ storage, shard }, { ...stages, rules })
        : rowsWithGold(storage, shard, { ...stages, rules, gold })
    for await (const row of source) {
      window.push(row)
      if (window.length < windowRows) continue
      await add(window)
      window = []
    }
    if (window.length > 0) await add(window)
  }
  return points.map(({ value, sums, ...shares }) => {
    const { share: precision, interval: precisionInterval } = shares.precision.result()
    const { share: recall, interval: recallInterval } = shares.recall.result()
    return {
      ...{ value, ...sums },
      ...(precision !== null && { precision }),
      ...(precisionInterval && { precisionInterval }),
      ...(recall !== null && { recall }),
      ...(recallInterval && { recallInterval }),
      ...(precision !== null &&
        recall !== null && { f1: (2 * precision * recall) / Math.max(1e-12, precision + recall) }),
    }
  })
}
