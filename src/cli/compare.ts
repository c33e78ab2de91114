import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UserError } from '../base/user-error.js'
import { type OpenDataset, openDataset, requireGrounding } from '../catalog/open-dataset.js'
import { changedPhrases } from '../filter/changed-phrases.js'
import { compareRegions, type RegionChanges } from '../filter/compare-regions.js'
import { openRegionReasons, type RegionReasons } from '../filter/region-reasons.js'
import { tableCell } from '../query/format-rows.js'
import { contactSheet } from '../render/contact-sheet.js'
import type { Drawing } from '../render/draw-regions.js'
import type { Region } from '../rows/rows.js'
import { readCommit } from '../shards/commit.js'
import { joinRows } from '../shards/join-rows.js'
import { readShard } from '../shards/read-shard.js'
import { formatTable } from './terminal/format-table.js'

export interface CompareOptions {
  /** Most phrases that are told of. */
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

/** `groundmill compare DATASET A B`: what changed from one grounding to another, and in which rules' ledgers. */
export async function compare(
  url: string,
  [a, b]: readonly [string, string],
  options: CompareOptions,
  signal: AbortSignal,
): Promise<void> {
  const dataset = await openDataset(url)
  for (const grounding of [a, b]) requireGrounding(dataset, grounding)
  const sums = { kept: 0, rescored: 0, moved: 0, lost: 0, added: 0, images: 0, changed: 0 }
  const phrases = changedPhrases()
  const scores = scoreBins.map((from) => ({ from, kept: 0, moved: 0, lost: 0, added: 0 }))
  const why = { lost: new Map<string, number>(), added: new Map<string, number>() }
  // What is lost the second has not, and what is added the first had not.
  const reasons = { lost: await openRegionReasons(dataset, b), added: await openRegionReasons(dataset, a) }
  let overlap = 0
  let most: Changed[] = []
  for await (const { shard, row, before, after, texts, reasonOf } of pairs(dataset, a, b, reasons)) {
    signal.throwIfAborted()
    const changes = compareRegions(before, after)
    add(sums, changes)
    overlap += changes.moved.reduce((sum, { iou }) => sum + iou, 0)
    for (const way of ['lost', 'added'] as const) {
      for (const region of changes[way]) {
        phrases.add(texts(region), way)
        const reason = reasonOf[way](region)
        why[way].set(reason, (why[way].get(reason) ?? 0) + 1)
      }
    }
    for (const { region } of changes.moved) phrases.add(texts(region), 'moved')
    for (const [way, regions] of Object.entries(byWay(changes))) {
      for (const { score } of regions) scores[binOf(score)][way as keyof ReturnType<typeof byWay>]++
    }
    const count = changes.lost.length + changes.added.length + changes.moved.length
    if (count === 0 || options.pictures === undefined) continue
    most.push({ shard, row, changes: count, before, after })
    if (most.length > 4 * options.pictures) most = best(most, options.pictures)
  }
  const top = phrases.top(options.top)
  const phrasesError = phrases.error()
  const ledger = await ledgers(dataset, a, b)
  const file =
    options.pictures === undefined
      ? undefined
      : await draw(dataset, best(most, options.pictures), [a, b], options.out)
  if (options.json) {
    const meanIou = sums.moved > 0 ? overlap / sums.moved : null
    process.stdout.write(
      `${JSON.stringify({ dataset: url, before: a, after: b, ...sums, meanIou, why: { lost: Object.fromEntries(why.lost), added: Object.fromEntries(why.added) }, scores, phrases: top.map(([text, counts]) => ({ text, ...counts })), phrasesError, reasons: ledger, file: file ?? null })}\n`,
    )
    return
  }
  const moved = sums.moved > 0 ? `${sums.moved} (mean IoU ${(overlap / sums.moved).toFixed(2)})` : '0'
  const changes = [
    ['kept', String(sums.kept), sums.rescored > 0 ? `${sums.rescored} with another score` : ''],
    ['moved', moved, 'the same phrase, another box'],
    ['lost', String(sums.lost), `only in ${a}`],
    ['added', String(sums.added), `only in ${b}`],
  ]
  const parts = [
    `${sums.changed} of ${sums.images} pictures differ\n`,
    formatTable(['boxes', 'count', ''], changes),
    '',
    formatTable(
      ['why', 'lost', 'added'],
      [...new Set([...why.lost.keys(), ...why.added.keys()])]
        .sort()
        .map((reason) => [reason, why.lost.get(reason) ?? 0, why.added.get(reason) ?? 0]),
    ),
    ...Object.values(reasons).flatMap(({ note }) => (note === undefined ? [] : [`unknown: ${note}`])),
    '',
    formatTable(
      ['score', 'kept', 'moved', 'lost', 'added'],
      scores
        .filter(({ kept, moved, lost, added }) => kept + moved + lost + added > 0)
        .map(({ from, kept, moved, lost, added }) => [from.toFixed(1), kept, moved, lost, added]),
    ),
    '',
    formatTable(
      ['dropped by', a, b, 'change'],
      ledger.map(({ reason, before, after }) => [
        reason,
        before ?? '',
        after ?? '',
        (after ?? 0) - (before ?? 0),
      ]),
    ),
  ]
  if (top.length > 0) {
    parts.push(
      '',
      formatTable(
        ['phrase', 'lost', 'added', 'moved'],
        top.map(([text, { lost, added, moved }]) => [tableCell(text), lost, added, moved]),
      ),
    )
    if (phrasesError > 0) parts.push(`each phrase may have up to ${phrasesError} more`)
  }
  process.stdout.write(`${parts.join('\n')}\n`)
  if (file) process.stdout.write(`\n${file}\n`)
}

/** Lower ends of bins of scores. */
const scoreBins = Array.from({ length: 10 }, (_, at) => at / 10)
const binOf = (score: number) => Math.min(scoreBins.length - 1, Math.floor(score * scoreBins.length))

/** The regions of each kind of change; of what is in both those of the second grounding. */
const byWay = ({ kept, moved, lost, added }: RegionChanges) => ({
  kept,
  moved: moved.map(({ region }) => region),
  lost,
  added,
})

function add(
  sums: {
    kept: number
    rescored: number
    moved: number
    lost: number
    added: number
    images: number
    changed: number
  },
  { kept, rescored, moved, lost, added }: RegionChanges,
): void {
  sums.kept += kept.length
  sums.rescored += rescored
  sums.moved += moved.length
  sums.lost += lost.length
  sums.added += added.length
  sums.images++
  if (moved.length + lost.length + added.length > 0) sums.changed++
}

/** The rows of two groundings, picture by picture, over the shards that have both. */
async function* pairs(
  { storage, shards, url }: OpenDataset,
  a: string,
  b: string,
  reasons: Readonly<Record<'lost' | 'added', RegionReasons>>,
) {
  let any = false
  for (const shard of shards) {
    const both = await Promise.all([a, b].map((stage) => readCommit(storage, 'grounding', stage, shard)))
    if (both.some((record) => !record)) continue
    any = true
    const [lost, added] = [reasons.lost.rows(shard), reasons.added.rows(shard)]
    const parts = {
      images: { columns: ['captions'] },
      before: { family: 'grounding', stage: a },
      after: { family: 'grounding', stage: b },
    } as const
    try {
      for await (const { row, images, before, after } of joinRows(storage, shard, parts)) {
        const { captions } = images
        const texts = ({ caption, start, end }: Region) =>
          [...captions[caption].text].slice(start, end).join('').toLowerCase()
        const reasonOf = {
          lost: (await lost.next()).value ?? unknown,
          added: (await added.next()).value ?? unknown,
        }
        yield { shard, row, before: before.regions, after: after.regions, texts, reasonOf }
      }
    } finally {
      for (const open of [lost, added]) await open.return(undefined)
    }
  }
  if (!any) throw new UserError(`${url}: no shard has both "${a}" and "${b}".`)
}

const unknown = () => 'unknown'

/** Boxes dropped by each reason in the two groundings; gold has no ledger of boxes. */
async function ledgers({ stages }: OpenDataset, a: string, b: string) {
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
