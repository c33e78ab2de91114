import { ledgerPlaces } from '../filter/ledger-line.js'
import type { FilteredRow } from '../filter/why-absent.js'
import { readCommit } from '../shards/commit.js'
import { readShard } from '../shards/read-shard.js'
import type { Caption, Family, Region } from '../shards/rows.js'
import { UserError } from '../user-error.js'
import type { OpenDataset } from './open-dataset.js'
import { stageOfInput } from './phrases-of.js'

/** A picture as two groundings of it have it. */
export interface ComparedRow {
  readonly key: string
  readonly shard: string
  /** Its place in the shard. */
  readonly row: number
  readonly captions: readonly Caption[]
  readonly before: Side
  readonly after: Side
}

export interface Side {
  readonly regions: readonly Region[]
  /** What its filter had before it; undefined of gold, and where that is no longer there. */
  readonly filtered?: FilteredRow
}

/**
 * The rows of two groundings, picture by picture, over the shards that have both.
 *
 * @throws UserError where no shard has both, or their rows are not of the same images
 */
export async function* comparedRows(
  dataset: OpenDataset,
  [a, b]: readonly [string, string],
): AsyncGenerator<ComparedRow> {
  const { storage, shards, url } = dataset
  const sources = [await sourceOf(dataset, a), await sourceOf(dataset, b)]
  let any = false
  for (const shard of shards) {
    const both = await Promise.all([a, b].map((stage) => readCommit(storage, 'grounding', stage, shard)))
    if (both.some((record) => !record)) continue
    any = true
    const sides = [sideRows(dataset, a, shard, sources[0]), sideRows(dataset, b, shard, sources[1])]
    const images = readShard(storage, 'images', null, shard, { columns: ['key', 'captions'] })
    try {
      let row = 0
      for await (const { key, captions } of images) {
        const [before, after] = [(await sides[0].next()).value, (await sides[1].next()).value]
        if (before?.key !== key || after?.key !== key)
          throw new UserError(`${url}: shard ${shard} of "${a}" and "${b}" are not of the same images.`)
        yield { key, shard, row: row++, captions, before, after }
      }
    } finally {
      await images.return()
      for (const side of sides) await side.return()
    }
  }
  if (!any) throw new UserError(`${url}: no shard has both "${a}" and "${b}".`)
}

/** The stages that a grounding was made of. */
interface Source {
  readonly phrases: string
  readonly proposals: string
}

async function sourceOf(dataset: OpenDataset, grounding: string): Promise<Source | undefined> {
  const [phrases, proposals] = await Promise.all([
    stageOfInput(dataset, 'grounding', grounding, 'phrases'),
    stageOfInput(dataset, 'grounding', grounding, 'proposals'),
  ])
  return phrases === undefined || proposals === undefined ? undefined : { phrases, proposals }
}

async function* sideRows(
  { storage }: OpenDataset,
  stage: string,
  shard: string,
  source: Source | undefined,
): AsyncGenerator<Side & { readonly key: string }, void, void> {
  const isWhole = async (family: Family, of: string) =>
    (await readCommit(storage, family, of, shard)) !== undefined
  const isThere =
    source && (await isWhole('phrases', source.phrases)) && (await isWhole('proposals', source.proposals))
  const ledger = isThere ? await readLedger() : undefined
  const phrases = isThere ? readShard(storage, 'phrases', source.phrases, shard) : undefined
  const proposals = isThere ? readShard(storage, 'proposals', source.proposals, shard) : undefined
  try {
    for await (const { key, regions } of readShard(storage, 'grounding', stage, shard)) {
      const [phraseRow, proposalRow] = [(await phrases?.next())?.value, (await proposals?.next())?.value]
      const isSame = phraseRow?.key === key && proposalRow?.key === key
      const droppedBy = ledger?.get(key) ?? (ledger && new Map<number, string>())
      const filtered =
        isSame && droppedBy
          ? { phrases: phraseRow.phrases, proposals: proposalRow.proposals, droppedBy }
          : undefined
      yield { key, regions, filtered }
    }
  } finally {
    await phrases?.return()
    await proposals?.return()
  }

  /** The rule that dropped each box, by picture and place; undefined where an older version wrote no places. */
  async function readLedger(): Promise<Map<string, Map<number, string>> | undefined> {
    const record = await readCommit(storage, 'grounding', stage, shard)
    const all = new Map<string, Map<number, string>>()
    if (!record?.files.rejects) return undefined
    for await (const { key, reason, detail } of readShard(storage, 'rejects', stage, shard)) {
      const places = ledgerPlaces(detail)
      if (key === null || !places) return undefined
      const own = all.get(key) ?? new Map<number, string>()
      all.set(key, own)
      for (const place of places) own.set(place, reason)
    }
    return all
  }
}
