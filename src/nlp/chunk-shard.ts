import { readShard } from '../shards/read-shard.js'
import type { Caption, Phrase, PhraseRow, RejectRow } from '../shards/rows.js'
import { runShardTask, type ShardOutput, type ShardResult, type ShardTask } from '../shards/shard-task.js'
import { statsBuilder } from '../shards/stats.js'
import { writeShard } from '../shards/write-shard.js'
import { type Chunk, chunk } from './chunk.js'
import type { ChunkConfig } from './config.js'
import { lemma } from './heads.js'

const phraseEdges = [1, 2, 3, 4, 5, 7, 10]
const wordEdges = [2, 3, 4, 5, 7]

/** Finds the noun phrases of every caption of a shard. A caption without one is rejected with the reason. */
export async function chunkShard(task: ShardTask, config: ChunkConfig): Promise<ShardResult> {
  return runShardTask(task, 'phrases', async (): Promise<ShardOutput> => {
    const { storage, stage, shard, signal, onProgress } = task
    const stats = statsBuilder()
    const rejected: Record<string, number> = {}
    const rejects: RejectRow[] = []
    let [done, captions, out] = [0, 0, 0]

    async function* rows(): AsyncGenerator<PhraseRow> {
      for await (const row of readShard(storage, 'images', null, shard, { columns: ['key', 'captions'] })) {
        signal?.throwIfAborted()
        const phrases: Phrase[] = []
        row.captions.forEach((caption, index) => {
          captions++
          const { kept, reason, detail } = captionPhrases(caption, config, (why) =>
            stats.tally('left_out', why),
          )
          for (const found of kept) {
            phrases.push({
              caption: index,
              text: found.text,
              start: found.start,
              end: found.end,
              head: found.head,
            })
            stats.tally('heads', found.head)
            stats.observe('words_a_phrase', wordEdges, found.text.split(/\s+/).length)
          }
          stats.observe('phrases_a_caption', phraseEdges, kept.length)
          if (reason === undefined) out++
          else {
            rejected[reason] = (rejected[reason] ?? 0) + 1
            rejects.push({ key: row.key, url: null, reason, detail })
          }
        })
        stats.count('phrases', phrases.length)
        yield { key: row.key, phrases }
        done++
        onProgress?.(done)
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

interface CaptionPhrases {
  readonly kept: readonly Chunk[]
  readonly reason?: string
  readonly detail: string
}

function captionPhrases(
  { text, kind }: Caption,
  config: ChunkConfig,
  onLeftOut: (why: string) => void,
): CaptionPhrases {
  if (text.trim() === '') return { kept: [], reason: 'empty_caption', detail: 'the caption is empty' }
  const found = kind === 'categories' ? categoryNames(text) : chunk(text)
  const kept: Chunk[] = []
  for (const phrase of found) {
    const why = phrase.leftOut ?? limitOf(phrase, kept.length, config)
    if (why) onLeftOut(why)
    else kept.push(phrase)
  }
  return kept.length > 0 ? { kept, detail: '' } : { kept, reason: 'no_phrase', detail: text }
}

function limitOf(phrase: Chunk, kept: number, { max_words, max_phrases }: ChunkConfig): string | undefined {
  if (phrase.text.split(/\s+/).length > max_words) return 'too_long'
  return kept >= max_phrases ? 'too_many' : undefined
}

/** The names of a caption made of category names joined by '. '. */
function categoryNames(caption: string): Chunk[] {
  let start = 0
  return caption.split('. ').map((text) => {
    const length = [...text].length
    const name = {
      text,
      start,
      end: start + length,
      head: lemma(text.split(' ').at(-1) ?? text),
      leftOut: undefined,
    }
    start += length + 2
    return name
  })
}
