import { orderedMap } from '../base/ordered-map.js'
import { unscaleBox } from '../boxes/xyxy.js'
import { decodePicture } from '../pictures/picture.js'
import {
  type ImageRow,
  negativePhrase,
  type Phrase,
  type Proposal,
  type ProposalRow,
  type RejectRow,
} from '../rows/rows.js'
import { joinRows } from '../shards/join-rows.js'
import { runShardTask, type ShardOutput, type ShardResult, type ShardTask } from '../shards/shard-task.js'
import { writeShard } from '../shards/write-shard.js'
import { rowStats } from '../statistics/row-stats.js'
import { joinNames } from '../words/name-prompt.js'
import type { TeachConfig } from './config.js'
import { distinctSpans } from './distinct-spans.js'
import type { Query, Teacher } from './teacher.js'

/** Pictures that are decoded at once, on other threads. */
const decodedAhead = 4

/** A row and the questions it asks: one for each caption that has phrases. */
interface Asked {
  readonly key: string
  readonly phrases: readonly Phrase[]
  /** Pixels of the decoded picture for one of the stored one's. */
  readonly scale: number
  readonly queries: readonly (Query & {
    /** For each span the phrases that it stands for. */
    readonly occurrences: readonly (readonly number[])[]
    /** The negative prompts that are asked for, where these are not phrases of a caption. */
    readonly negatives?: readonly string[]
  })[]
}

/**
 * Asks the teacher for every phrase of every caption of a shard: one question a caption, the whole sentence with it,
 * so that a phrase is understood in its context. Pictures are decoded while the model runs. Boxes are in pixels of the
 * stored picture.
 *
 * @param open gives the teacher; not called where the shard is already made
 */
export async function teachShard(
  task: ShardTask,
  config: TeachConfig & { readonly phrases: string },
  open: () => Promise<Teacher>,
): Promise<ShardResult> {
  return runShardTask(task, 'proposals', async (): Promise<ShardOutput> => {
    const teacher = await open()
    const { storage, stage, shard, signal, onProgress } = task
    const stats = rowStats('proposals')
    const rejected: Record<string, number> = {}
    const rejects: RejectRow[] = []
    let [done, asked, out] = [0, 0, 0]

    const finish = (row: Asked, proposals: readonly Proposal[]): ProposalRow => {
      const found = new Map<number, number>()
      for (const { phrase, score } of proposals) {
        found.set(phrase, (found.get(phrase) ?? 0) + 1)
        stats.observe('score', Math.fround(score))
      }
      row.phrases.forEach(({ text }, index) => {
        asked++
        stats.observe('boxes_a_phrase', found.get(index) ?? 0)
        if (found.has(index)) {
          out++
          return
        }
        rejected.no_proposal = (rejected.no_proposal ?? 0) + 1
        rejects.push({ key: row.key, url: null, reason: 'no_proposal', detail: text })
      })
      stats.count('proposals', proposals.length)
      if (found.has(negativePhrase)) stats.count('negatives', found.get(negativePhrase))
      done++
      onProgress?.(done)
      return { key: row.key, proposals, teacher: teacher.name }
    }

    const answer = async (rows: readonly Asked[]) => {
      signal?.throwIfAborted()
      const queries = rows.flatMap((row) => row.queries)
      return { rows, found: queries.length > 0 ? await teacher.detect(queries, config) : [] }
    }

    async function* rows(): AsyncGenerator<ProposalRow> {
      const joined = joinRows(storage, shard, {
        images: { columns: ['image', 'captions'] },
        phrases: { stage: config.phrases, columns: ['phrases'] },
      })
      const asked = orderedMap(joined, decodedAhead, ({ images, phrases: { phrases } }) =>
        askedOf(images, phrases, teacher, config.negatives ?? []),
      )
      // While sessions are at work on some groups, the next one is prepared.
      for await (const { rows, found } of orderedMap(
        groupsOf(asked, teacher.batch),
        teacher.parallel + 1,
        answer,
      )) {
        let at = 0
        for (const row of rows) {
          const proposals = row.queries.flatMap(({ occurrences, negatives }) =>
            found[at++].flatMap(({ phrase, xyxy: seen, score, label = null }) => {
              const xyxy = unscaleBox(seen, row.scale)
              // A detector with a fixed list of labels has no answer to a prompt.
              if (negatives)
                return label === null
                  ? [{ phrase: negativePhrase, xyxy, score, label: negatives[phrase] }]
                  : []
              return occurrences[phrase].map((index) => ({ phrase: index, xyxy, score, label }))
            }),
          )
          yield finish(row, proposals)
        }
      }
    }

    const file = await writeShard(storage, 'proposals', stage, shard, rows())
    const rejectFile = await writeShard(storage, 'rejects', stage, shard, rejects)
    return {
      files: { proposals: file, rejects: rejectFile },
      unit: 'phrases',
      in: asked,
      out,
      rejected,
      stats: stats.build(),
    }
  })
}

/** Rows in groups of whole rows, each with as many queries as one run of the model takes, as far as that goes. */
async function* groupsOf(rows: AsyncIterable<Asked>, size: number): AsyncGenerator<readonly Asked[]> {
  let group: Asked[] = []
  let queries = 0
  for await (const row of rows) {
    if (queries > 0 && queries + row.queries.length > size) {
      yield group
      group = []
      queries = 0
    }
    group.push(row)
    queries += row.queries.length
  }
  if (group.length > 0) yield group
}

async function askedOf(
  image: Pick<ImageRow, 'key' | 'image' | 'captions'>,
  phrases: readonly Phrase[],
  teacher: Teacher,
  negatives: readonly string[],
): Promise<Asked> {
  if (phrases.length === 0) return { key: image.key, phrases, scale: 1, queries: [] }
  const decoded = await decodePicture(image.image.bytes, teacher.pictureSide)
  const queries: Asked['queries'][number][] = image.captions.flatMap(({ text }, caption) => {
    const { spans, occurrences } = distinctSpans(phrases, caption)
    return spans.length > 0 ? [{ picture: decoded, text, phrases: spans, occurrences }] : []
  })
  if (negatives.length > 0) queries.push({ picture: decoded, ...negativePrompt(negatives) })
  return { key: image.key, phrases, scale: decoded.scale, queries }
}

/** Negative prompts as one text, joined as category names are. */
function negativePrompt(negatives: readonly string[]): Omit<Asked['queries'][number], 'picture'> {
  const { text, spans } = joinNames(negatives)
  return { text, phrases: spans, occurrences: [], negatives }
}
