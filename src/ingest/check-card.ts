import type { Card } from './config.js'
import type { OpenSource } from './open-source.js'

/** What a file holds, against what its card says. */
export interface CardCheck {
  readonly rows: number
  /** Whether reading stopped before the end of the file. */
  readonly stopped: boolean
  /** Rows that cannot be used, by reason. */
  readonly problems: Readonly<Record<string, number>>
  /** The first of each reason. */
  readonly examples: readonly string[]
  readonly captions: number
  readonly regions: number
  /** Boxes and captions that the source leaves out, by reason. */
  readonly dropped: Readonly<Record<string, number>>
  /** The first rows, to be looked at. */
  readonly first: readonly {
    readonly place: string
    readonly url: string | null
    readonly captions: readonly string[]
    readonly regions: number | null
  }[]
  /** What does not fit the card; none where all does. */
  readonly faults: readonly string[]
}

const exampleRows = 3
/** Where a larger share of the rows cannot be used, the card is taken to be wrong. */
const maxProblemShare = 0.5

/**
 * Reads a source as its card says, without fetching a picture.
 *
 * @param source opened with the card
 * @param limit rows to read at most
 * @throws UserError where a column or a file is missing
 */
export async function checkCard(
  card: Card,
  source: OpenSource,
  limit = Number.POSITIVE_INFINITY,
  signal?: AbortSignal,
): Promise<CardCheck> {
  let rows = 0
  let captions = 0
  let regions = 0
  let unusable = 0
  let stopped = false
  const problems: Record<string, number> = {}
  const examples: string[] = []
  const dropped: Record<string, number> = {}
  const first: CardCheck['first'][number][] = []
  for await (const row of source.rows()) {
    signal?.throwIfAborted()
    if (rows >= limit) {
      stopped = true
      break
    }
    rows += row.pairs
    captions += row.captions.length
    regions += row.regions?.length ?? 0
    for (const [reason, count] of Object.entries(row.dropped))
      dropped[reason] = (dropped[reason] ?? 0) + count
    if (row.problem) {
      const { reason, detail } = row.problem
      if (!problems[reason]) examples.push(detail)
      problems[reason] = (problems[reason] ?? 0) + 1
      unusable += row.pairs
    } else if (first.length < exampleRows) {
      const texts = row.captions.map(({ text }) => text)
      first.push({ place: row.place, url: row.url, captions: texts, regions: row.regions?.length ?? null })
    }
  }
  const faults: string[] = []
  if (rows === 0) faults.push('there are no rows')
  if (unusable > maxProblemShare * rows) faults.push(`${unusable} of ${rows} rows cannot be used`)
  if (card.rows !== undefined && !stopped && rows !== card.rows)
    faults.push(`there are ${rows} rows, ${card.rows} were published`)
  return { rows, stopped, problems, examples, captions, regions, dropped, first, faults }
}
