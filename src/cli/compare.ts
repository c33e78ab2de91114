import { writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from '../base/files/make-folder.js'
import { shownName } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { describeChosen } from '../catalog/choose-stage.js'
import { type OpenDataset, openDataset, requireGrounding } from '../catalog/open-dataset.js'
import {
  type ChangedPicture,
  compareGroundings,
  type GroundingComparison,
} from '../filter/compare-groundings.js'
import { tableCell } from '../query/format-rows.js'
import type { Drawing } from '../render/draw-regions.js'
import { readShard } from '../shards/read-shard.js'
import { formatTable } from './terminal/format-table.js'
import { note, print, printJson } from './terminal/print.js'
import { whileWorking } from './terminal/progress.js'

export interface CompareOptions {
  /** Most phrases that are told of. */
  readonly top: number
  readonly pictures?: number
  readonly out: string
  readonly json?: boolean
}

/**
 * `groundmill compare DATASET A B`: what changed from one grounding to another, and in which rules' ledgers.
 */
export async function compare(
  url: string,
  groundings: readonly [string, string],
  { top, pictures, out, json }: CompareOptions,
  signal: AbortSignal,
): Promise<void> {
  const dataset = await openDataset(url)
  for (const grounding of groundings) requireGrounding(dataset, grounding)
  if (!/\.png$/i.test(out))
    throw new UserError(`--out ${shownName(out)}: the sheet is a PNG: name a file that ends in .png.`)
  const [before, after] = groundings.map((stage) => describeChosen(dataset, 'grounding', stage))
  note(`comparing ${before}, with ${after}`)
  const comparison = await whileWorking(`comparing ${groundings.join(' and ')}`, () =>
    compareGroundings(dataset, groundings, { top, pictures, signal }),
  )
  const isDrawn = comparison.mostChanged.length > 0
  if (isDrawn) await draw(dataset, comparison.mostChanged, groundings, out)
  if (json) {
    const { sums, meanIou, why, judges, scores, phrases, phrasesError, reasons } = comparison
    const result = {
      dataset: url,
      before: groundings[0],
      after: groundings[1],
      ...sums,
      meanIou,
      why: { lost: Object.fromEntries(why.lost), added: Object.fromEntries(why.added) },
      judges,
      scores,
      phrases: phrases.map(([text, changes]) => ({ text, ...changes })),
      phrasesError,
      reasons,
      file: isDrawn ? out : null,
    }
    printJson(result)
    return
  }
  print(comparisonText(comparison, groundings))
  if (isDrawn) print(`\n${out}`)
}

/** A comparison as tables. */
function comparisonText(
  { sums, meanIou, why, judges, notes, scores, phrases, phrasesError, reasons }: GroundingComparison,
  [a, b]: readonly [string, string],
): string {
  const changes = [
    ['kept', String(sums.kept), sums.rescored > 0 ? `${sums.rescored} with another score` : ''],
    [
      'moved',
      meanIou === null ? '0' : `${sums.moved} (mean IoU ${meanIou.toFixed(2)})`,
      'the same phrase, another box',
    ],
    ['lost', String(sums.lost), `only in ${a}`],
    ['added', String(sums.added), `only in ${b}`],
  ]
  const parts = [
    `${sums.changed} of ${sums.images} pictures differ\n`,
    formatTable(['regions', 'count', ''], changes),
    '',
    formatTable(
      ['why', 'lost', 'added'],
      [...new Set([...why.lost.keys(), ...why.added.keys()])]
        .sort()
        .map((reason) => [reason, why.lost.get(reason) ?? 0, why.added.get(reason) ?? 0]),
    ),
    ...notes.map((note) => `unknown: ${note}`),
    ...judgesText(judges),
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
      reasons.map(({ reason, before, after }) => [
        reason,
        before ?? '',
        after ?? '',
        (after ?? 0) - (before ?? 0),
      ]),
    ),
  ]
  if (phrases.length > 0) {
    parts.push(
      '',
      formatTable(
        ['phrase', 'lost', 'added', 'moved'],
        phrases.map(([text, { lost, added, moved }]) => [tableCell(text), lost, added, moved]),
      ),
    )
    if (phrasesError > 0) parts.push(`each phrase may have up to ${phrasesError} more`)
  }
  return parts.join('\n')
}

/** What judges said of lost and added regions; nothing where none was asked. */
function judgesText(judges: GroundingComparison['judges']): string[] {
  if (judges.length === 0) return []
  const rows = judges.map(({ stage, judge, lost, added }) => [
    ...[`${stage}: ${tableCell(judge)}`, lost.accepted, lost.rejected, added.accepted, added.rejected],
  ])
  return [
    '',
    formatTable(['judge', 'lost, accepted', 'lost, rejected', 'added, accepted', 'added, rejected'], rows),
  ]
}

/** Writes the pictures side by side, before at the left and after at the right. */
async function draw(
  { storage }: OpenDataset,
  changed: readonly ChangedPicture[],
  [a, b]: readonly [string, string],
  out: string,
): Promise<void> {
  const drawings = new Map<ChangedPicture, Drawing[]>()
  for (const shard of new Set(changed.map((picture) => picture.shard))) {
    const byRow = new Map(
      changed.filter((picture) => picture.shard === shard).map((picture) => [picture.row, picture]),
    )
    let row = 0
    for await (const { key, image, width, height, captions } of readShard(storage, 'images', null, shard)) {
      const picture = byRow.get(row)
      row++
      if (!picture) continue
      const bytes = image.bytes.slice()
      drawings.set(
        picture,
        [
          { name: a, regions: picture.before },
          { name: b, regions: picture.after },
        ].map(({ name, regions }) => ({ bytes, width, height, captions, regions, title: `${key}  ${name}` })),
      )
    }
  }
  await makeFolder(dirname(out))
  const { contactSheet } = await import('../render/contact-sheet.js')
  const sheet = await contactSheet(
    changed.flatMap((picture) => drawings.get(picture) ?? []),
    { columns: 2 },
  )
  await writeFile(out, sheet)
}
