import { UserError } from '../base/user-error.js'
import type { LeftOutPhrase, Phrase, PhraseRow, RejectRow, SelectionRow } from '../rows/rows.js'
import { readShard } from '../shards/read-shard.js'
import { runShardTask, type ShardOutput, type ShardResult, type ShardTask } from '../shards/shard-task.js'
import { writeShard } from '../shards/write-shard.js'
import { addPhrases, rowStats } from '../statistics/row-stats.js'
import { captionPhrases } from './caption-phrases.js'
import type { Chunk } from './chunk.js'
import type { ChunkConfig } from './config.js'
import { distinctPhrases } from './distinct-phrases.js'

/**
 * Finds the noun phrases of every caption of a shard: images/<shard> to phrases/<stage>/<shard>, row for row. A caption
 * without one is rejected with the reason; phrases left out stand beside those that are kept, with the reason, and are
 * tallied in the statistics.
 *
 * @param selection the stage that says which pictures are dropped: their captions are not read
 */
export async function chunkShard(
  task: ShardTask,
  config: ChunkConfig,
  selection?: string,
): Promise<ShardResult> {
  return runShardTask(task, 'phrases', async (): Promise<ShardOutput> => {
    const { storage, stage, shard, signal, onProgress } = task
    const stats = rowStats('phrases')
    const rejected: Record<string, number> = {}
    const rejects: RejectRow[] = []
    const selected = selection === undefined ? undefined : readShard(storage, 'selection', selection, shard)
    let [done, captions, out] = [0, 0, 0]

    async function* rows(): AsyncGenerator<PhraseRow> {
      try {
        for await (const row of readShard(storage, 'images', null, shard, { columns: ['key', 'captions'] })) {
          signal?.throwIfAborted()
          done++
          onProgress?.(done)
          if (selected && (await isDropped(selected, row.key, task))) {
            yield { key: row.key, phrases: [], left_out: [] }
            continue
          }
          const phrases: Phrase[] = []
          const left_out: LeftOutPhrase[] = []
          row.captions.forEach((caption, index) => {
            captions++
            const { kept, leftOut, reason } = captionPhrases(caption, config)
            for (const chunk of kept) phrases.push(phraseOf(chunk, index))
            for (const { text, start, end, head, leftOut: why } of leftOut) {
              left_out.push({ caption: index, text, start, end, head, reason: why })
              stats.tally('left_out', why)
            }
            if (reason === undefined) out++
            else {
              rejected[reason] = (rejected[reason] ?? 0) + 1
              rejects.push({
                key: row.key,
                url: null,
                reason,
                detail: `caption ${index}: ${JSON.stringify(caption.text)}`,
              })
            }
          })
          addPhrases(stats, row.captions.length, phrases)
          stats.count('distinct_phrases', distinctPhrases(phrases).length)
          yield { key: row.key, phrases, left_out }
        }
      } finally {
        await selected?.return()
      }
    }
    const file = await writeShard(storage, 'phrases', stage, shard, rows())
    const rejectFile = await writeShard(storage, 'rejects', stage, shard, rejects)
    return {
      files: { phrases: file, rejects: rejectFile },
      unit: 'captions',
      in: captions,
      out,
      rejected,
      stats: stats.build(),
    }
  })
}

function phraseOf(chunk: Chunk, caption: number): Phrase {
  const { text, start, end, head, expressionEnd, number, count, attributes, kept } = chunk
  return { caption, text, start, end, head, expression_end: expressionEnd, number, count, attributes, kept }
}

/** Whether the next row of a selection, which must be that picture's, drops it. */
async function isDropped(
  selected: AsyncGenerator<SelectionRow, void, void>,
  key: string,
  { storage, shard }: ShardTask,
): Promise<boolean> {
  const row = (await selected.next()).value
  if (row?.key === key) return row.reason !== null
  throw new UserError(
    `${storage.url}: the selection of shard ${shard} does not match its images: run its stage again.`,
  )
}
