import { orderedMap } from '../base/ordered-map.js'
import { random } from '../base/random.js'
import { decodePicture } from '../pictures/picture.js'
import { recordPath } from '../rows/family-path.js'
import { isNegativeRow } from '../rows/is-row.js'
import type { Negative, NegativeRow, RejectRow } from '../rows/rows.js'
import { joinRows } from '../shards/join-rows.js'
import { keptBeside, rowParts } from '../shards/row-parts.js'
import { runShardTask, type ShardOutput, type ShardResult, type ShardTask } from '../shards/shard-task.js'
import { addNegatives, rowStats } from '../statistics/row-stats.js'
import type { Teacher } from '../teacher/teacher.js'
import { askForNegatives } from './ask-teacher.js'
import type { MineConfig } from './config.js'
import { proposeNegatives } from './propose-negatives.js'
import type { MineFiles, Vocabulary } from './vocabulary.js'

/** Why a proposal is not kept. */
const reasons = ['may_be_there', 'too_easy', 'too_many'] as const
type Why = (typeof reasons)[number]

/** What is mined of a picture. */
export interface Mined {
  readonly row: NegativeRow
  readonly left: readonly { readonly text: string; readonly why: Why }[]
}

/** Whether a value of JSON is what was mined of a picture. */
export function isMined(value: unknown): value is Mined {
  const { row, left } = (value ?? {}) as Partial<Record<keyof Mined, unknown>>
  return (
    isNegativeRow(row) &&
    Array.isArray(left) &&
    left.every((one) => typeof one?.text === 'string' && reasons.includes(one.why))
  )
}

/**
 * Mines negatives of a shard: what is known to be absent of each picture and yet found by the teacher, the
 * hardest first. Without a teacher what is kept of them is drawn. What the source says of its pictures, as
 * that they are exhaustive, is taken over. What is mined is kept every 20 s of work.
 *
 * @param vocabulary of the whole dataset; not called where the shard is already made
 * @param open gives the teacher; undefined where none is asked
 */
export async function mineShard(
  task: ShardTask,
  config: MineConfig & MineFiles,
  vocabulary: () => Promise<Vocabulary>,
  open: (() => Promise<Teacher>) | undefined,
): Promise<ShardResult> {
  const { storage, stage, shard, signal, onProgress, keepEvery } = task
  const parts = rowParts(storage, recordPath('negatives', stage, shard), task, isMined, keepEvery)
  const result = await runShardTask(task, 'negatives', async (write): Promise<ShardOutput> => {
    const known = await vocabulary()
    const teacher = await open?.()
    const stats = rowStats('negatives')
    const rejected: Record<string, number> = {}
    const rejects: RejectRow[] = []
    let out = 0
    let done = 0

    async function* rows(): AsyncGenerator<NegativeRow> {
      const joined = joinRows(
        storage,
        shard,
        {
          images: { columns: teacher ? ['captions', 'image'] : ['captions'] },
          phrases: { stage: config.phrases, columns: ['phrases'] },
          grounding: { stage: config.grounding, columns: ['regions'] },
          negatives: { stage: config.negatives },
        },
        { signal },
      )
      const take = ({ row, left }: Mined): NegativeRow => {
        out += row.negatives.length
        addNegatives(stats, row)
        for (const { text, why } of left) {
          rejected[why] = (rejected[why] ?? 0) + 1
          rejects.push({ key: row.key, url: null, reason: why, detail: text })
        }
        onProgress?.(++done)
        return row
      }
      try {
        // What an earlier try has mined is not asked for again.
        for await (const { kept } of keptBeside(parts, joined, ({ row }) => row.key, shard)) yield take(kept)
        const mined = orderedMap(joined, (teacher?.parallel ?? 0) + 1, async (row): Promise<Mined> => {
          const { phrases } = row.phrases
          const picture = { key: row.key, captions: row.images.captions, phrases, said: row.negatives }
          const found = proposeNegatives({ ...picture, regions: row.grounding.regions }, known, config)
          const unsure = found.unsure.map((text) => ({ text, why: 'may_be_there' as const }))
          const chosen =
            teacher && 'image' in row.images
              ? hardest(
                  found.absent,
                  await scoresOf(row.key, row.images.image.bytes, found.absent, teacher, config),
                  config,
                )
              : drawn(found.absent, row.key, config)
          const { exhaustive, partial } = row.negatives
          const { kept: negatives, left } = chosen
          return {
            row: { key: row.key, negatives, exhaustive, partial, teacher: teacher?.name ?? null },
            left: [...unsure, ...left],
          }
        })
        for await (const one of mined) {
          await parts.add([one])
          yield take(one)
        }
      } catch (error) {
        // A second failure would hide the first.
        await parts.keep().catch(() => {})
        throw error
      } finally {
        await joined.return()
      }
    }

    const file = await write('negatives', rows())
    const rejectFile = await write('rejects', rejects)
    return {
      files: { negatives: file, rejects: rejectFile },
      unit: 'negatives',
      in: out + rejects.length,
      out,
      rejected,
      stats: stats.build(),
    }
  })
  if (!result.skipped) await parts.remove()
  return result
}

async function scoresOf(
  key: string,
  bytes: Uint8Array,
  absent: readonly Negative[],
  teacher: Teacher,
  { min_score }: MineConfig,
): Promise<number[]> {
  if (absent.length === 0) return []
  return askForNegatives(await decodePicture(bytes, teacher.pictureSide, key), absent, teacher, min_score)
}

type Chosen = { readonly kept: readonly Negative[]; readonly left: Mined['left'] }

/** Those with a score of `min_score` or more, the highest first, at most `max`. */
function hardest(
  absent: readonly Negative[],
  scores: readonly number[],
  { min_score, max }: Pick<MineConfig, 'min_score' | 'max'>,
): Chosen {
  const scored = absent.map((negative, at) => ({ ...negative, score: scores[at] ?? 0 }))
  const hard = scored.filter(({ score }) => score >= min_score).sort((a, b) => b.score - a.score)
  const easy = scored.filter(({ score }) => score < min_score)
  return {
    kept: hard.slice(0, max),
    left: [...leftOf(easy, 'too_easy'), ...leftOf(hard.slice(max), 'too_many')],
  }
}

/** As many as `max`, drawn, in the order in which they were proposed. */
function drawn(
  absent: readonly Negative[],
  key: string,
  { max, seed }: Pick<MineConfig, 'max' | 'seed'>,
): Chosen {
  const chosen = new Set(random(seed, 'negatives', key).shuffle(absent).slice(0, max))
  const left = absent.filter((negative) => !chosen.has(negative))
  return { kept: absent.filter((negative) => chosen.has(negative)), left: leftOf(left, 'too_many') }
}

const leftOf = (negatives: readonly Negative[], why: Why): Mined['left'] =>
  negatives.map(({ text }) => ({ text, why }))
