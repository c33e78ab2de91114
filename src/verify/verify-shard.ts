import { orderedMap } from '../base/ordered-map.js'
import { clipBox } from '../boxes/xyxy.js'
import { isHub } from '../hub/hub-address.js'
import { recordPath } from '../rows/family-path.js'
import { isVerdictRow } from '../rows/is-row.js'
import { negativePhrase, type RejectRow, type VerdictRow } from '../rows/rows.js'
import { type Joined, joinRows, mismatch } from '../shards/join-rows.js'
import { recordedLabels } from '../shards/recorded-labels.js'
import { keptBeside, rowParts } from '../shards/row-parts.js'
import { runShardTask, type ShardOutput, type ShardResult, type ShardTask } from '../shards/shard-task.js'
import { addVerdicts, rowStats } from '../statistics/row-stats.js'
import { addCounts } from '../statistics/stats.js'
import { boxesByPhrase } from '../words/boxes-by-phrase.js'
import type { VerifyConfig } from './config.js'
import type { AskedBox, AskedPicture, Judge, Judged, Question } from './judge/judge.js'

/** The stages whose boxes a judge is asked about, and whose phrases they are of. */
export interface AskedStages {
  readonly phrases: string
  readonly grounding?: string
  readonly proposals?: string
}

/** Boxes without a verdict of one reason. */
interface Left {
  readonly boxes: number
  readonly reason: string
  readonly detail: string
}

/** What became of a picture. */
interface Verified {
  readonly row: VerdictRow
  /** Boxes that were found for its phrases; an equal box of the same phrase counts once. */
  readonly boxes: number
  readonly left: readonly Left[]
  readonly counts: Readonly<Record<string, number>>
}

/**
 * Asks a judge about the boxes of a shard: those of a grounding, of proposals, or of both. Boxes are cut off at the
 * picture's edge, as a filter sees them. Every box of a phrase has a verdict, or is counted by the reason why it has
 * none: `other_label` than what the phrase names, `outside` the picture, `weak`, beyond `max_boxes`, or what the judge
 * says. What was judged is kept
 * every 20 s of work.
 *
 * @param open gives the judge; not called where the shard is already made
 * @throws UserError where the shards do not belong together; Error where the judge cannot answer now, or leaves
 * boxes without a word
 */
export async function verifyShard(
  task: ShardTask,
  config: VerifyConfig & AskedStages,
  open: () => Promise<Judge>,
): Promise<ShardResult> {
  const { storage, stage, shard, signal, onProgress, keepEvery } = task
  const parts = rowParts(storage, recordPath('verdicts', stage, shard), task, isVerified, keepEvery)
  const result = await runShardTask(task, 'verdicts', async (write): Promise<ShardOutput> => {
    const judge = await open()
    const stats = rowStats('verdicts')
    const rejects: RejectRow[] = []
    let rejected: Readonly<Record<string, number>> = {}
    let boxes = 0
    let left = 0
    let done = 0

    const take = ({ row, boxes: own, left: without, counts }: Verified): VerdictRow => {
      boxes += own
      addVerdicts(stats, row.verdicts)
      for (const [name, count] of Object.entries(counts)) stats.count(name, count)
      for (const { reason, boxes: count, detail } of without) {
        left += count
        if (count > 0) rejected = addCounts(rejected, { [reason]: count })
        rejects.push({ key: row.key, url: null, reason, detail })
      }
      onProgress?.(++done)
      return row
    }

    async function* rows(): AsyncGenerator<VerdictRow> {
      const foundFor = boxesByPhrase(
        config.proposals === undefined ? undefined : await recordedLabels(task, config.proposals),
      )
      const joined = joinRows(storage, shard, partsOf(config), { signal })
      try {
        // What an earlier try was told is not asked again.
        for await (const { kept } of keptBeside(parts, joined, ({ row }) => row.key, shard)) yield take(kept)
        const judged = orderedMap(joined, judge.parallel, async (row): Promise<Verified> => {
          const { picture, boxes: own, left: without } = askedOf(task, { ...config, foundFor }, row)
          // A picture that nothing was found in is not decoded.
          const answer = picture.questions.length === 0 ? nothing : await judge.judge(picture, signal)
          const unanswered = answer.unanswered ?? []
          checkAnswer(judge, picture, answer)
          return {
            row: { key: row.key, verdicts: answer.verdicts },
            boxes: own,
            left: joinedReasons([...without, ...unanswered]),
            counts: answer.counts ?? {},
          }
        })
        for await (const one of judged) {
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

    const file = await write('verdicts', rows())
    const rejectFile = await write('rejects', rejects)
    const { judge: kind, phrases, grounding, proposals } = config
    const { model } = config as { readonly model?: string }
    return {
      files: { verdicts: file, rejects: rejectFile },
      unit: 'boxes',
      in: boxes,
      out: boxes - left,
      rejected,
      stats: stats.build(),
      config: {
        ...{ judge: kind, phrases },
        ...(grounding !== undefined && { grounding }),
        ...(proposals !== undefined && { proposals }),
        // Of a model of the Hub, its commit.
        ...(model !== undefined && isHub(model) && { model }),
      },
    }
  })
  if (!result.skipped) await parts.remove()
  return result
}

const nothing: Judged = { verdicts: [] }

const partsOf = ({ phrases, grounding, proposals }: AskedStages) => ({
  images: { columns: ['captions', 'image', 'width', 'height'] as const },
  phrases: { stage: phrases, columns: ['phrases'] as const },
  grounding: grounding === undefined ? undefined : { stage: grounding, columns: ['regions'] as const },
  proposals: proposals === undefined ? undefined : { stage: proposals, columns: ['proposals'] as const },
})

/** What is asked about a picture, and which of its boxes are not asked about. */
function askedOf(
  place: Pick<ShardTask, 'storage' | 'shard'>,
  config: VerifyConfig & AskedStages & { readonly foundFor: ReturnType<typeof boxesByPhrase> },
  { key, row, images, phrases: { phrases }, grounding, proposals }: Joined<ReturnType<typeof partsOf>>,
) {
  const { width, height, captions, image } = images
  const found = phrases.map(() => new Map<string, AskedBox>())
  const add = (family: 'grounding' | 'proposals', phrase: number, box: AskedBox) => {
    const own = found[phrase]
    if (!own) {
      const source = { family, stage: config[family] ?? null }
      throw mismatch(place, source, { family: 'phrases', stage: config.phrases }, row)
    }
    const xyxy = clipBox(box.xyxy, images) ?? box.xyxy
    const name = xyxy.join()
    const known = own.get(name)
    // A filter may have scored the same box anew.
    own.set(name, { xyxy, score: Math.max(known?.score ?? 0, box.score), label: known?.label ?? box.label })
  }
  const proposed = (proposals?.proposals ?? []).filter(({ phrase }) => phrase !== negativePhrase)
  const named = new Set([...config.foundFor(phrases, proposed).values()].flat())
  for (const box of proposed) {
    const { phrase, xyxy, score, label } = box
    if (named.has(box) || !phrases[phrase]) add('proposals', phrase, { xyxy, score, label })
  }
  for (const { phrase, xyxy, score } of grounding?.regions ?? [])
    add('grounding', phrase, { xyxy, score, label: null })

  // Those that a detector calls something else than the phrase does.
  const otherLabel = proposed.filter((box) => !named.has(box)).length
  let boxes = otherLabel
  const left = { other_label: otherLabel, outside: 0, weak: 0, max_boxes: 0 }
  const questions = phrases.map((words, phrase): Question => {
    const all = [...(found[phrase]?.values() ?? [])]
    const inside = all.filter(({ xyxy }) => clipBox(xyxy, images))
    const strong = inside.filter(({ score }) => score >= config.min).sort((a, b) => b.score - a.score)
    boxes += all.length
    left.outside += all.length - inside.length
    left.weak += inside.length - strong.length
    left.max_boxes += Math.max(0, strong.length - config.max_boxes)
    return { phrase, words, boxes: strong.slice(0, config.max_boxes) }
  })
  const picture: AskedPicture = { key, bytes: image.bytes, width, height, captions, phrases, questions }
  const without = Object.entries(left).flatMap(([reason, count]) =>
    count > 0 ? [{ boxes: count, reason, detail: `${count} of ${boxes} boxes` }] : [],
  )
  return { picture, boxes, left: without }
}

/** Throws where a box that was asked about has no verdict and is not unanswered. */
function checkAnswer(
  { name }: Judge,
  { key, questions }: AskedPicture,
  { verdicts, unanswered = [] }: Judged,
) {
  const said = new Set(verdicts.map(({ phrase, xyxy }) => `${phrase}/${xyxy?.join() ?? ''}`))
  const asked = questions.flatMap(({ phrase, boxes }) => boxes.map(({ xyxy }) => `${phrase}/${xyxy.join()}`))
  const silent = asked.filter((box) => !said.has(box)).length
  const told = unanswered.reduce((sum, { boxes }) => sum + boxes, 0)
  if (silent !== told)
    throw new Error(
      `${name} was asked about ${asked.length} boxes of picture ${key}: ${silent} have no verdict, and it says so of ${told}`,
    )
}

/** One a reason; details that differ are joined. */
function joinedReasons(left: readonly Left[]): Left[] {
  const byReason = new Map<string, Left>()
  for (const { reason, boxes, detail } of left) {
    const known = byReason.get(reason)
    const details = new Set([...(known ? [known.detail] : []), detail])
    byReason.set(reason, {
      ...{ reason, boxes: (known?.boxes ?? 0) + boxes },
      detail: [...details].join('; ').slice(0, mostDetail),
    })
  }
  return [...byReason.values()]
}

/** Characters of a reject's detail. */
const mostDetail = 1000

/** Whether a value of JSON is what became of a picture. */
function isVerified(value: unknown): value is Verified {
  const { row, boxes, left, counts } = Object(value) as Partial<Record<keyof Verified, unknown>>
  return (
    isVerdictRow(row) &&
    Number.isInteger(boxes) &&
    Array.isArray(left) &&
    left.every(
      (one) =>
        Number.isInteger(one?.boxes) && typeof one?.reason === 'string' && typeof one?.detail === 'string',
    ) &&
    typeof counts === 'object' &&
    counts !== null &&
    Object.values(counts).every(Number.isFinite)
  )
}
