import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { compareRegions, leastIou } from '../filter/compare-regions.js'
import { changesSum } from '../filter/sum-changes.js'
import { whyAbsent } from '../filter/why-absent.js'
import { contactSheet } from '../render/contact-sheet.js'
import type { Drawing } from '../render/draw-regions.js'
import { meanOf, numberStatistics } from '../shards/dataset-statistics.js'
import type { Measure } from '../shards/measures.js'
import { readShard } from '../shards/read-shard.js'
import type { Caption, Region } from '../shards/rows.js'
import { comparedRows } from './compared-rows.js'
import { type OpenDataset, openDataset, requireGrounding } from './open-dataset.js'
import { changesText, type LedgerLine } from './print-changes.js'

export interface CompareOptions {
  readonly top: number
  readonly pictures?: number
  readonly out: string
  readonly json?: boolean
}

/** One picture whose regions differ. */
interface Changed {
  readonly shard: string
  readonly row: number
  readonly changes: number
  readonly before: readonly Region[]
  readonly after: readonly Region[]
}

/**
 * `groundmill compare DATASET A B`: what changed from one grounding to another, of one teacher or of two, and why: for each
 * box that only one of them has, the rule of the other by which it is missing there.
 */
export async function compare(
  url: string,
  [a, b]: readonly [string, string],
  options: CompareOptions,
  signal: AbortSignal,
): Promise<void> {
  const dataset = await openDataset(url)
  for (const grounding of [a, b]) requireGrounding(dataset, grounding)
  const sum = changesSum()
  let most: Changed[] = []
  for await (const { shard, row, captions, before, after } of comparedRows(dataset, [a, b])) {
    signal.throwIfAborted()
    const changes = compareRegions(before.regions, after.regions)
    sum.add(changes, textIn(captions), {
      lost: (region) => whyAbsent(region, after.filtered),
      added: (region) => whyAbsent(region, before.filtered),
    })
    const count = changes.lost.length + changes.added.length + changes.moved.length
    if (count === 0 || options.pictures === undefined) continue
    most.push({ shard, row, changes: count, before: before.regions, after: after.regions })
    if (most.length > 4 * options.pictures) most = best(most, options.pictures)
  }
  const ledger = ledgers(dataset, a, b)
  const file =
    options.pictures === undefined
      ? undefined
      : await draw(dataset, best(most, options.pictures), [a, b], options.out)
  const changes = sum.result(options.top)
  if (options.json) {
    const { histograms, ...rest } = changes
    const statistics = Object.fromEntries(
      Object.entries(histograms).map(([name, own]) => [name, numberStatistics(own, limits[name])]),
    )
    const meanIou = meanOf(histograms.moved_iou)
    process.stdout.write(
      `${JSON.stringify({ dataset: url, before: a, after: b, ...rest, meanIou, statistics, reasons: ledger, file: file ?? null })}\n`,
    )
    return
  }
  process.stdout.write(`${changesText(changes, ledger, [a, b])}\n`)
  if (file) process.stdout.write(`\n${file}\n`)
}

/** What the numbers of a comparison can be at least and at most. */
const limits: Readonly<Record<string, Pick<Measure, 'least' | 'most'>>> = {
  lost_score: { least: 0, most: 1 },
  added_score: { least: 0, most: 1 },
  score_change: { least: -1, most: 1 },
  moved_iou: { least: leastIou, most: 1 },
}

/** The words of a region, lower case. */
const textIn =
  (captions: readonly Caption[]) =>
  ({ caption, start, end }: Region): string =>
    [...captions[caption].text].slice(start, end).join('').toLowerCase()

/** Boxes dropped by each reason in the two groundings; gold has no ledger of boxes. */
function ledgers({ stages }: OpenDataset, a: string, b: string): LedgerLine[] {
  const rejectedBy = (name: string) =>
    stages.find(({ family, stage }) => family === 'grounding' && stage === name)?.rejected ?? {}
  const [before, after] = [rejectedBy(a), rejectedBy(b)]
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().map((reason) => ({
    reason,
    before: before[reason] ?? null,
    after: after[reason] ?? null,
  }))
}

const best = (changed: readonly Changed[], count: number) =>
  [...changed]
    .sort((a, b) => b.changes - a.changes || (a.shard < b.shard ? -1 : 1) || a.row - b.row)
    .slice(0, count)

/** The pictures that changed most, before at the left and after at the right. */
async function draw(
  { storage }: OpenDataset,
  changed: readonly Changed[],
  [a, b]: readonly [string, string],
  out: string,
): Promise<string | undefined> {
  if (changed.length === 0) return undefined
  const drawings = new Map<Changed, Drawing[]>()
  for (const shard of new Set(changed.map((one) => one.shard))) {
    const own = new Map(changed.filter((one) => one.shard === shard).map((one) => [one.row, one]))
    let row = 0
    for await (const { key, image, width, height, captions } of readShard(storage, 'images', null, shard)) {
      const one = own.get(row++)
      if (!one) continue
      const bytes = image.bytes.slice()
      drawings.set(
        one,
        [
          { name: a, regions: one.before },
          { name: b, regions: one.after },
        ].map(({ name, regions }) => ({ bytes, width, height, captions, regions, title: `${key}  ${name}` })),
      )
    }
  }
  await mkdir(dirname(out), { recursive: true })
  await writeFile(
    out,
    await contactSheet(
      changed.flatMap((one) => drawings.get(one) ?? []),
      { columns: 2 },
    ),
  )
  return out
}
