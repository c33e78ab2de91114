import type { Caption, LeftOutPhrase, Phrase, PhraseRow, RejectRow } from '../rows/rows.js'
import { joinRows } from '../shards/join-rows.js'
import { runShardTask, type ShardOutput, type ShardResult, type ShardTask } from '../shards/shard-task.js'
import { addPhrases, rowStats } from '../statistics/row-stats.js'
import type { Chunk } from './chunk.js'
import type { ChunkConfig } from './config.js'

/**
 * Finds the noun phrases of every caption of a shard: images/<shard> to phrases/<stage>/<shard>, row for row.
 * A caption without one is rejected with the reason; phrases left out stand beside those that are kept, with
 * the reason, and are tallied in the statistics.
 *
 * @param selection the stage that says which pictures are dropped: their captions are not read
 */
export async function chunkShard(
  task: ShardTask,
  config: ChunkConfig,
  selection?: string,
): Promise<ShardResult> {
  return runShardTask(task, 'phrases', async (write): Promise<ShardOutput> => {
    const { storage, shard, signal, onProgress } = task
    // With a lexicon, which is not read where the shard is there.
    const { captionPhrases } = await import('./caption-phrases.js')
    const stats = rowStats('phrases')
    const rejected: Record<string, number> = {}
    const rejects: RejectRow[] = []
    let done = 0
    let captions = 0
    let out = 0

    async function* rows(): AsyncGenerator<PhraseRow> {
      const joined = joinRows(
        storage,
        shard,
        {
          images: { columns: ['captions'] },
          selection: selection === undefined ? undefined : { stage: selection, columns: ['reason'] },
        },
        { signal },
      )
      for await (const { key, images, selection: chosen } of joined) {
        done++
        onProgress?.(done)
        if (chosen && chosen.reason !== null) {
          yield { key, phrases: [], left_out: [] }
          continue
        }
        const phrases: Phrase[] = []
        const left_out: LeftOutPhrase[] = []
        const isRead = ({ kind }: Caption) => config.categories !== false || kind !== 'categories'
        images.captions.forEach((caption, index) => {
          if (!isRead(caption)) return
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
              key,
              url: null,
              reason,
              detail: `caption ${index}: ${JSON.stringify(caption.text)}`,
            })
          }
        })
        addPhrases(stats, images.captions.length, phrases, (at) => isRead(images.captions[at]!))
        yield { key, phrases, left_out }
      }
    }
    const file = await write('phrases', rows())
    const rejectFile = await write('rejects', rejects)
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
