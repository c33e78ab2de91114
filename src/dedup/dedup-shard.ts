import { UserError } from '../base/user-error.js'
import type { GroundingRow, NegativeRow, PhraseRow, RejectRow, SelectionRow } from '../rows/rows.js'
import { hasFamily } from '../shards/has-family.js'
import { joinRows } from '../shards/join-rows.js'
import { readShard } from '../shards/read-shard.js'
import type { WriteFamily } from '../shards/shard-files.js'
import { runShardTask, type ShardOutput, type ShardResult, type ShardTask } from '../shards/shard-task.js'
import { statsBuilder } from '../statistics/stats.js'
import type { Storage } from '../storage/storage.js'
import type { Deduper } from './deduper.js'

const columns = ['key', 'url', 'sha256', 'phash', 'fingerprint'] as const

/** The most rows that a shard can have, since a key ends in four digits. */
const maxRowsPerShard = 10_000

/**
 * Judges the pictures of a shard: images/<shard> to selection/<stage>/<shard>, row for row. Where the dataset
 * has gold, its phrases, regions and negatives are written beside it, without those of dropped pictures.
 *
 * @param deduper called only where the shard must be made; the deduper knows the pictures kept of all shards
 * before
 * @param gold the stage whose phrases and grounding are to be thinned
 */
export async function dedupShard(
  task: ShardTask,
  shards: readonly string[],
  deduper: () => Promise<Deduper>,
  gold?: string,
): Promise<ShardResult> {
  return runShardTask(task, 'selection', async (write): Promise<ShardOutput> => {
    const { storage, shard, signal, onProgress } = task
    const { judge } = await deduper()
    const rejected: Record<string, number> = {}
    const rejects: RejectRow[] = []
    const rows: SelectionRow[] = []
    const positionOf = placeRows(shard, shards, storage)
    for await (const row of readShard(storage, 'images', null, shard, { columns })) {
      signal?.throwIfAborted()
      const { key, url } = row
      const verdict = judge(row, positionOf(key))
      onProgress?.(rows.length + 1)
      if (!verdict) {
        rows.push({ key, reason: null, duplicate_of: null })
        continue
      }
      const { reason } = verdict
      const of = typeof verdict.of === 'number' ? keyAt(verdict.of, shards) : verdict.of
      rows.push({ key, reason, duplicate_of: of })
      rejected[reason] = (rejected[reason] ?? 0) + 1
      rejects.push({ key, url, reason, detail: `of ${of}` })
    }
    const selection = await write('selection', rows)
    const rejectFile = await write('rejects', rejects)
    const thinned = gold === undefined ? {} : await thinGold(task, gold, rows, write)
    const out = rows.length - rejects.length
    const stats = statsBuilder()
    stats.count('images', out)
    return {
      files: { selection, rejects: rejectFile, ...thinned },
      unit: 'images',
      in: rows.length,
      out,
      rejected,
      stats: stats.build(),
    }
  })
}

/** Adds the pictures that an earlier run kept of a shard to a deduper. */
export async function recallShard(
  storage: Storage,
  stage: string,
  shard: string,
  shards: readonly string[],
  { keep }: Deduper,
): Promise<void> {
  const parts = { images: { columns }, selection: { stage, columns: ['reason'] } } as const
  const positionOf = placeRows(shard, shards, storage)
  for await (const { key, images, selection } of joinRows(storage, shard, parts))
    if (selection.reason === null) keep(images, positionOf(key))
}

/** Phrases, regions and negatives row for row, none where the selection drops the picture. */
async function thinGold(
  { storage, shard }: ShardTask,
  gold: string,
  selection: readonly SelectionRow[],
  write: WriteFamily,
) {
  const isKept = (row: number) => selection[row]?.reason === null
  // Held against the images, of which the selection has a row each.
  const images = { columns: [] } as const
  async function* phraseRows(): AsyncGenerator<PhraseRow> {
    for await (const { key, row, phrases } of joinRows(storage, shard, { images, phrases: { stage: gold } }))
      yield isKept(row) ? phrases : { key, phrases: [] }
  }
  async function* groundingRows(): AsyncGenerator<GroundingRow> {
    const parts = { images, grounding: { stage: gold } }
    for await (const { key, row, grounding } of joinRows(storage, shard, parts))
      yield isKept(row) ? grounding : { key, regions: [] }
  }
  async function* negativeRows(): AsyncGenerator<NegativeRow> {
    const parts = { images, negatives: { stage: gold } }
    for await (const { key, row, negatives } of joinRows(storage, shard, parts))
      yield isKept(row) ? negatives : { key, ...nothingSaid }
  }
  return {
    phrases: await write('phrases', phraseRows()),
    grounding: await write('grounding', groundingRows()),
    ...((await hasFamily(storage, 'negatives', gold, shard)) && {
      negatives: await write('negatives', negativeRows()),
    }),
  }
}

const nothingSaid = { negatives: [], exhaustive: false, partial: [], teacher: null }

/**
 * Gives the place in the source of a shard's pictures: its shard's place in the dataset and its number in the
 * shard, as its key has them.
 */
function placeRows(shard: string, shards: readonly string[], storage: Storage): (key: string) => number {
  const first = shards.indexOf(shard) * maxRowsPerShard
  return (key) => {
    const row = key.startsWith(shard) ? key.slice(shard.length) : ''
    if (/^\d{4}$/.test(row)) return first + Number(row)
    throw new UserError(
      `${storage.url}: picture ${key} of shard ${shard} cannot be placed: its key is not the shard's name and four digits.`,
    )
  }
}

const keyAt = (position: number, shards: readonly string[]) =>
  `${shards[Math.floor(position / maxRowsPerShard)]}${String(position % maxRowsPerShard).padStart(4, '0')}`
