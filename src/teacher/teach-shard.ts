import { orderedMap } from '../base/ordered-map.js'
import { UserError } from '../base/user-error.js'
import { zip } from '../base/zip.js'
import { clipBox, unscaleBox } from '../boxes/xyxy.js'
import { isHub } from '../hub/hub-address.js'
import { decodePicture } from '../pictures/picture.js'
import { recordPath } from '../rows/family-path.js'
import { isProposalRow } from '../rows/is-row.js'
import {
  type ImageRow,
  negativePhrase,
  type Phrase,
  type Proposal,
  type ProposalRow,
  type RejectRow,
} from '../rows/rows.js'
import { joinRows } from '../shards/join-rows.js'
import { keptBeside, rowParts } from '../shards/row-parts.js'
import { runShardTask, type ShardOutput, type ShardResult, type ShardTask } from '../shards/shard-task.js'
import { rowStats } from '../statistics/row-stats.js'
import { joinNames } from '../words/name-prompt.js'
import { templatesOf } from '../words/prompt-templates.js'
import type { TeachConfig } from './config.js'
import { inTiles } from './in-tiles.js'
import { type ContrastBox, contrastQueries, withContrast } from './phrases/contrast-queries.js'
import { distinctSpans } from './phrases/distinct-spans.js'
import type { DetectOptions, PhraseDetection, Query, Teacher } from './teacher.js'

/** Pictures that are decoded at once, on other threads. */
const decodedAhead = 4

/**
 * A row and its queries: one for each caption that has phrases, those of its phrases with other attributes, and
 * one for the negative prompts.
 */
interface RowQueries {
  readonly key: string
  readonly phrases: readonly Phrase[]
  /** Pixels of the decoded picture for one of the stored one's. */
  readonly scale: number
  readonly queries: readonly RowQuery[]
}

interface RowQuery extends Query {
  /** For each span the indices of the row's phrases that it stands for. */
  readonly occurrences: readonly (readonly number[])[]
  /** The negative prompts, where the query asks for these instead of phrases of a caption. */
  readonly negatives?: readonly string[]
  /** Whether an attribute of its phrases has another value than the caption says. */
  readonly isContrast?: boolean
}

/**
 * Asks the teacher for every phrase of every caption of a shard: one query a caption, the whole sentence with
 * it, so that a phrase is understood in its context; with `contrast` also one for each attribute and other
 * value. Pictures are decoded while the model runs. Boxes are in pixels of the stored picture. What is found is
 * kept every 20 s of work: who is stopped within a shard goes on there.
 *
 * @param open gives the teacher; not called where the shard is already made
 */
export async function teachShard(
  task: ShardTask,
  config: TeachConfig & { readonly phrases: string },
  open: () => Promise<Teacher>,
): Promise<ShardResult> {
  const { storage, stage, shard, signal, onProgress, keepEvery } = task
  const parts = rowParts(storage, recordPath('proposals', stage, shard), task, isProposalRow, keepEvery)
  const result = await runShardTask(task, 'proposals', async (write): Promise<ShardOutput> => {
    const opened = await open()
    const teacher = config.tiles ? inTiles(opened, config.tiles) : opened
    const templates = templatesOf(config.templates)
    if (templates && !teacher.takesTemplates)
      throw new UserError(
        `templates: ${teacher.name} does not read a phrase as a text of its own: they are for OWL-ViT, OWLv2 and YOLO-World with text_model.onnx. Leave them out.`,
      )
    const { floor, nms, max_boxes } = config
    const options: DetectOptions = { floor, nms, max_boxes, ...(templates && { templates }) }
    const stats = rowStats('proposals')
    const rejected: Record<string, number> = {}
    const rejects: RejectRow[] = []
    let rowsDone = 0
    let phrasesIn = 0
    let phrasesOut = 0

    const finish = (
      row: Pick<RowQueries, 'key' | 'phrases'>,
      proposals: readonly Proposal[],
    ): ProposalRow => {
      /** Boxes by phrase. */
      const found = new Map<number, number>()
      for (const { phrase, score } of proposals) {
        found.set(phrase, (found.get(phrase) ?? 0) + 1)
        stats.observe('score', Math.fround(score))
      }
      row.phrases.forEach(({ text }, index) => {
        phrasesIn++
        stats.observe('boxes_a_phrase', found.get(index) ?? 0)
        if (found.has(index)) {
          phrasesOut++
          return
        }
        rejected.no_proposal = (rejected.no_proposal ?? 0) + 1
        rejects.push({ key: row.key, url: null, reason: 'no_proposal', detail: text })
      })
      stats.count('proposals', proposals.length)
      if (found.has(negativePhrase)) stats.count('negatives', found.get(negativePhrase))
      rowsDone++
      onProgress?.(rowsDone)
      return { key: row.key, proposals, teacher: teacher.name }
    }

    /** Each row with the detections of its queries, in one call of the teacher. */
    const detect = async (rows: readonly RowQueries[]) => {
      signal?.throwIfAborted()
      const queries = rows.flatMap((row) => row.queries)
      const answers = queries.length > 0 ? await teacher.detect(queries, options) : []
      let first = 0
      return rows.map((row) => {
        const start = first
        first += row.queries.length
        return { row, answers: answers.slice(start, first) }
      })
    }

    async function* rows(): AsyncGenerator<ProposalRow> {
      const joined = joinRows(storage, shard, {
        images: { columns: ['image', 'captions'] },
        phrases: { stage: config.phrases, columns: ['phrases'] },
      })
      try {
        // What an earlier try has found is not asked for again.
        for await (const { kept, row } of keptBeside(parts, joined, ({ key }) => key, shard))
          yield finish({ key: kept.key, phrases: row.phrases.phrases }, kept.proposals)
        const queried = orderedMap(joined, decodedAhead, ({ images, phrases: { phrases } }) =>
          queriesOf(images, phrases, teacher, config),
        )
        // While sessions are at work on some groups, the next one is prepared.
        const detected = orderedMap(groupsOf(queried, teacher.batch), teacher.parallel + 1, detect)
        for await (const group of detected) {
          const found = group.map(({ row, answers }) => finish(row, proposalsOf(row, answers)))
          await parts.add(found)
          yield* found
        }
      } catch (error) {
        // A second failure would hide the first.
        await parts.keep().catch(() => {})
        throw error
      } finally {
        await joined.return()
      }
    }

    const file = await write('proposals', rows())
    const rejectFile = await write('rejects', rejects)
    const hubModel = config.model !== undefined && isHub(config.model) ? config.model : undefined
    return {
      files: { proposals: file, rejects: rejectFile },
      unit: 'phrases',
      in: phrasesIn,
      out: phrasesOut,
      rejected,
      stats: stats.build(),
      // The filter's rule `contrast` looks whether its scores were asked for, `label` at what a box may be called.
      // Of a model of the Hub, its commit.
      ...((config.contrast || teacher.labels || hubModel !== undefined) && {
        config: {
          ...(hubModel !== undefined && { model: hubModel }),
          ...(config.contrast && { contrast: config.contrast }),
          ...(teacher.labels && { labels: teacher.labels }),
        },
      }),
    }
  })
  if (!result.skipped) await parts.remove()
  return result
}

/** Whole rows in groups of at most `size` queries; a row with more is a group of its own. */
async function* groupsOf(
  rows: AsyncIterable<RowQueries>,
  size: number,
): AsyncGenerator<readonly RowQueries[]> {
  let group: RowQueries[] = []
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

/** The detections of a row's queries, by the row's phrases and in pixels of the stored picture. */
function proposalsOf(
  { queries, scale }: RowQueries,
  answers: readonly (readonly PhraseDetection[])[],
): Proposal[] {
  const proposals: Proposal[] = []
  const contrastBoxes: ContrastBox[] = []
  const contrasted = new Set<number>()
  for (const [{ picture, occurrences, negatives, isContrast }, answer] of zip(queries, answers)) {
    if (isContrast) for (const index of occurrences.flat()) contrasted.add(index)
    for (const { phrase, xyxy: decodedBox, score, label = null } of answer) {
      const inside = clipBox(decodedBox, picture)
      if (!inside) continue
      const xyxy = unscaleBox(inside, scale)
      // A detector with a fixed list of labels has no answer to a prompt.
      const prompt = label === null ? negatives?.[phrase] : undefined
      if (prompt !== undefined) proposals.push({ phrase: negativePhrase, xyxy, score, label: prompt })
      for (const index of occurrences[phrase] ?? []) {
        if (isContrast) contrastBoxes.push({ phrase: index, xyxy, score })
        else proposals.push({ phrase: index, xyxy, score, label })
      }
    }
  }
  return withContrast(proposals, contrasted, contrastBoxes)
}

async function queriesOf(
  image: Pick<ImageRow, 'key' | 'image' | 'captions'>,
  phrases: readonly Phrase[],
  teacher: Teacher,
  { ask, negatives = [], contrast = 0 }: Pick<TeachConfig, 'ask' | 'negatives' | 'contrast'>,
): Promise<RowQueries> {
  const { key } = image
  if (phrases.length === 0) return { key, phrases, scale: 1, queries: [] }
  const picture = await decodePicture(image.image.bytes, teacher.pictureSide, key)
  const queries: RowQuery[] = image.captions.flatMap(({ text }, caption): RowQuery[] => {
    const distinct = distinctSpans(phrases, caption, ask)
    const { spans, occurrences } = distinct
    if (spans.length === 0) return []
    const contrasts = contrastQueries(key, caption, text, distinct, phrases, contrast)
    return [
      { picture, text, phrases: spans, occurrences },
      ...contrasts.map((query) => ({ picture, ...query, isContrast: true })),
    ]
  })
  if (negatives.length > 0) queries.push({ picture, ...negativePrompt(negatives) })
  return { key, phrases, scale: picture.scale, queries }
}

/** Negative prompts as one text, joined as category names are. */
function negativePrompt(negatives: readonly string[]): Omit<RowQuery, 'picture'> {
  const { text, spans } = joinNames(negatives)
  return { text, phrases: spans, occurrences: [], negatives }
}
