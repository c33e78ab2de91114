import { UserError } from '../base/user-error.js'
import { zip } from '../base/zip.js'
import {
  type GroundingRow,
  negativePhrase,
  type Phrase,
  type ProposalRow,
  type RejectRow,
  type VerdictRow,
} from '../rows/rows.js'
import { readCommit } from '../shards/commit.js'
import { type Joined, joinRows, mismatch } from '../shards/join-rows.js'
import { recordedLabels } from '../shards/recorded-labels.js'
import { runShardTask, type ShardOutput, type ShardResult, type ShardTask } from '../shards/shard-task.js'
import { addDisagreement, addRegions, rowStats } from '../statistics/row-stats.js'
import { addCounts } from '../statistics/stats.js'
import type { FilterConfig } from './config.js'
import { checkTeacher } from './create-rule.js'
import { type BoxList, createRowFilter, type Filtered, relabelledBy } from './filter-proposals.js'
import { ProposalColumns } from './proposal-columns.js'
import { namedSpan } from './rule/named-span.js'
import { phraseOf } from './rule/phrase-of.js'
import { isReviewed, reviewOrigin } from './rule/reviewed.js'
import {
  type BoxSource,
  type Candidate,
  type FilterImage,
  type FilterRow,
  noSource,
  type StageVerdict,
} from './rule/rule.js'
import type { RuleTools } from './rule/rule-tools.js'
import { someRead } from './rules.js'

/**
 * Pictures that go through the rules together where one of them asks a model: enough to fill its runs, few enough to
 * hold in memory. Else each goes through alone, and its boxes are garbage while they are young.
 */
const windowRows = 64

/**
 * Applies the rules to a shard's proposals; what they keep is its grounding. The teacher is not asked again,
 * and pictures are read only for a rule that looks at them. Boxes that a rule drops are counted by its name,
 * with one reject row a picture and reason; boxes that a rule re-labels are kept, and counted by its name too.
 *
 * @param open opens what the rules need besides their parameters; not called where the shard is already done
 * @throws UserError where the shards do not belong together, where labels are read by no rule, or where the
 * teacher was not asked what a rule reads
 */
export async function filterShard(
  task: ShardTask,
  config: FilterStages,
  open: () => Promise<RuleTools> = async () => ({}),
): Promise<ShardResult> {
  return runShardTask(task, 'grounding', async (write): Promise<ShardOutput> => {
    const { signal, onProgress } = task
    const tools = await open()
    const filter = createRowFilter(config.rules, tools)
    const together = filter.asksModel ? windowRows : 1
    const stats = config.others?.length ? rowStats('grounding', 'consensus') : rowStats('grounding')
    const rejected: Record<string, number> = {}
    const rejects: RejectRow[] = []
    let relabelled: Record<string, number> = {}
    let done = 0
    let proposals = 0
    let kept = 0

    const finish = ({ key, candidates, image, teacher }: ListedRow, filtered: Filtered): GroundingRow => {
      proposals += candidates.length
      kept += filtered.kept.length
      relabelled = addCounts(relabelled, relabelledBy(filtered.kept))
      for (const [reason, count] of Object.entries(filtered.dropped)) {
        rejected[reason] = (rejected[reason] ?? 0) + count
        rejects.push({ key, url: null, reason, detail: `${count} of ${candidates.length} proposals` })
      }
      const regions = filtered.kept.map((box) => {
        const { phrase, xyxy, score, origin = teacher } = box
        stats.tally('heads', phraseOf(image, box).head)
        const { caption, start, end } = namedSpan(image, box)
        return { caption, phrase, start, end, xyxy, score, origin }
      })
      addRegions(stats, image, regions)
      const { disagreement } = filtered
      if (disagreement) addDisagreement(stats, disagreement)
      done++
      onProgress?.(done)
      return { key, regions, ...(disagreement && { disagreement }) }
    }

    async function* rows(): AsyncGenerator<GroundingRow> {
      const window: ListedRow[] = []
      const flush = async () => {
        signal?.throwIfAborted()
        const filtered = await filter(window)
        const finished = zip(window, filtered).map(([row, result]) => finish(row, result))
        window.length = 0
        return finished
      }
      for await (const row of listedRows(task, config)) {
        const { sources = [{ stage: config.proposals ?? '', teacher: row.teacher }] } = row.image
        if (row.candidates.length > 0) checkTeacher(config.rules, tools, sources)
        window.push(row)
        if (window.length === together) yield* await flush()
      }
      if (window.length > 0) yield* await flush()
    }
    const file = await write('grounding', rows())
    const rejectFile = await write('rejects', rejects)
    return {
      files: { grounding: file, rejects: rejectFile },
      unit: 'proposals',
      in: proposals,
      out: kept,
      rejected,
      ...(Object.keys(relabelled).length > 0 && { relabelled }),
      stats: stats.build(),
      config: { rules: config.rules, ...readBesides(config) },
    }
  })
}

/** What a record says of the stages that a filter has read besides one of proposals: nothing where there was none. */
const readBesides = ({ others = [], verdicts = [] }: FilterStages) => ({
  ...(others.length > 0 && { others }),
  ...(verdicts.length > 0 && { verdicts }),
})

/** `recordedLabels` of the stages of proposals that a filter reads, by their names. */
export async function labelsOfStages(
  place: Pick<ShardTask, 'storage' | 'shard'>,
  { proposals, others = [] }: Pick<ReadStages, 'proposals' | 'others'>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>()
  const further = others.flatMap(({ family, stage }) => (family === 'proposals' ? [stage] : []))
  for (const stage of [...(proposals === undefined ? [] : [proposals]), ...further]) {
    const labels = await recordedLabels(place, stage)
    if (labels) found.set(stage, labels)
  }
  return found
}

/** Says that proposals have labels, and that no rule reads them. */
export const labelsUnread = (proposals: string): UserError =>
  new UserError(
    `Proposals "${proposals}" are of a detector with a fixed list of labels, which proposes every box for every phrase: put \`{ rule: label }\` first among the filter's rules, or \`agreement\`.`,
  )

/** A picture's row of the three families. */
interface JoinedRow extends FilterRow {
  readonly key: string
  readonly teacher: string
}

/** The same, of whose boxes an object may be made when it is asked for. */
type ListedRow = Omit<JoinedRow, 'candidates'> & { readonly candidates: BoxList }

/** A stage whose boxes are filtered. */
export interface BoxStage {
  readonly family: 'proposals' | 'grounding'
  readonly stage: string
}

/** The stages that a filter reads. */
export interface ReadStages {
  readonly phrases: string
  /** Undefined where groundings alone are read, by a rule that compares them. */
  readonly proposals: string | undefined
  /** Further stages whose boxes are candidates, for a rule that compares them. */
  readonly others?: readonly BoxStage[]
  /** Stages of verdicts, for a rule that reads them. */
  readonly verdicts?: readonly string[]
}

export type FilterStages = Pick<FilterConfig, 'rules'> & ReadStages

/**
 * Throws a UserError where a rule reads what the teacher answered to other attributes, and it was not asked:
 * every box would pass.
 */
export async function checkContrast(
  { storage, shard }: Pick<ShardTask, 'storage' | 'shard'>,
  { rules, proposals }: Pick<FilterStages, 'rules' | 'proposals'>,
): Promise<void> {
  if (proposals === undefined || !someRead(rules, 'contrast')) return
  const record = await readCommit(storage, 'proposals', proposals, shard)
  if (record?.config?.contrast !== undefined) return
  throw new UserError(
    `Proposals "${proposals}", shard ${shard}: the teacher was not asked with other attributes, which the rule \`contrast\` reads: set \`contrast: 1\` (or more values) in the teach stage "${proposals}" and run it again.`,
  )
}

/** The rows of a shard's three families, image by image. Throws as `checkContrast` and `filterRow` do. */
export async function* joinedRows(
  place: Pick<ShardTask, 'storage' | 'shard'>,
  stages: FilterStages,
): AsyncGenerator<JoinedRow> {
  await checkContrast(place, stages)
  const labels = await labelsOfStages(place, stages)
  for await (const row of joinRows(place.storage, place.shard, filterParts(stages)))
    yield filterRow(place, stages, row, labels)
}

/** The same rows, but that no object is made of a stage's proposals where they alone are the candidates. */
async function* listedRows(
  place: Pick<ShardTask, 'storage' | 'shard'>,
  stages: FilterStages,
): AsyncGenerator<ListedRow> {
  const { proposals: part, ...parts } = filterParts(stages)
  if (!part || stages.others?.length || stages.verdicts?.length) {
    yield* joinedRows(place, stages)
    return
  }
  await checkContrast(place, stages)
  const labels = await labelsOfStages(place, stages)
  const readsLabels = someRead(stages.rules, 'labels')
  const columns = { ...parts, proposals: { ...part, columnar: 'proposals' } } as const
  const own = labels.get(part.stage)
  for await (const row of joinRows(place.storage, place.shard, columns)) {
    const { key, images, phrases, proposals } = row
    const candidates = new ProposalColumns(proposals.proposals)
    if (candidates.areOf(phrases.phrases.length) && (readsLabels || !candidates.hasLabels())) {
      yield { key, candidates, image: imageOf(key, images, phrases, [], own), teacher: proposals.teacher }
      continue
    }
    const listed = { ...proposals, proposals: candidates.all() }
    yield filterRow(place, stages, { ...row, proposals: listed }, labels)
  }
}

/** What a filter reads of a shard, for `joinRows`; `filterRow` makes its rows of that. */
export function filterParts({ rules, phrases, proposals, others = [], verdicts = [] }: FilterStages) {
  const columns = ['width', 'height'] as const
  const withPictures = someRead(rules, 'pictures')
  const parts = {
    images: { columns: withPictures ? ([...columns, 'image'] as const) : columns },
    phrases: { stage: phrases, columns: ['phrases'] },
    proposals:
      proposals === undefined
        ? undefined
        : ({ stage: proposals, columns: ['proposals', 'teacher'] } as const),
  } as const
  // There may be any number of further stages: `filterRow` knows what it finds under their names.
  const further = [
    ...others.map((other, at) => [`other${at}`, other]),
    ...verdicts.map((stage, at) => [`verdicts${at}`, { family: 'verdicts', stage }]),
  ]
  return { ...parts, ...Object.fromEntries(further) } as typeof parts
}

/**
 * @param labels `labelsOfStages` of the shard
 * @throws UserError where a box is of no phrase, or where labels are read by no rule
 */
export function filterRow(
  place: Pick<ShardTask, 'storage' | 'shard'>,
  stages: FilterStages,
  { key, row, images, phrases, proposals, ...others }: FilterParts,
  labels: ReadonlyMap<string, readonly string[]>,
): JoinedRow {
  const readsLabels = someRead(stages.rules, 'labels')
  const rowPhrases = phrases.phrases
  const candidates: Candidate[] = []
  const negatives: Candidate[] = []
  const stray = (source: BoxStage | { readonly family: 'verdicts'; readonly stage: string }) =>
    mismatch(place, source, { family: 'phrases', stage: stages.phrases }, row)
  const add = (proposal: Candidate, source: BoxStage) => {
    const { phrase, label } = proposal
    if (phrase === negativePhrase) negatives.push(proposal)
    else if (!rowPhrases[phrase]) throw stray(source)
    else {
      if (label !== null && !readsLabels) throw labelsUnread(source.stage)
      candidates.push(proposal)
    }
  }
  const sources: BoxSource[] = []
  if (stages.proposals !== undefined && proposals) {
    const { proposals: stage } = stages
    for (const proposal of proposals.proposals)
      add(stages.others?.length ? { ...proposal, source: 0 } : proposal, { family: 'proposals', stage })
    sources.push({ stage, teacher: proposals.teacher, labels: labels.get(stage) })
  }
  const parts = others as Readonly<Record<string, unknown>>
  stages.others?.forEach((other, at) => {
    const source = sources.length
    const own = boxesOf(parts[`other${at}`] as ProposalRow | GroundingRow, rowPhrases, other.stage)
    for (const box of own.boxes) add({ ...box, source }, other)
    const { stage } = other
    sources.push({ stage, teacher: own.teacher ?? stage, labels: labels.get(stage) })
  })
  const verdicts = stages.verdicts?.flatMap((stage, at) => {
    const said = (parts[`verdicts${at}`] as VerdictRow).verdicts
    if (said.some(({ phrase }) => !rowPhrases[phrase])) throw stray({ family: 'verdicts', stage })
    return said.map((verdict): StageVerdict => ({ ...verdict, stage }))
  })
  for (const verdict of verdicts ?? []) candidates.push(...addedBox(verdict))
  const ownLabels = stages.proposals === undefined ? undefined : labels.get(stages.proposals)
  return {
    key,
    candidates,
    image: {
      ...imageOf(key, images, phrases, negatives, ownLabels),
      ...(verdicts && { verdicts }),
      ...(stages.others?.length && { sources }),
    },
    teacher: proposals?.teacher ?? [...new Set(sources.map(({ teacher }) => teacher))].join('+'),
  }
}

type FilterParts = Joined<ReturnType<typeof filterParts>>

const imageOf = (
  key: string,
  images: FilterParts['images'],
  { phrases }: FilterParts['phrases'],
  negatives: readonly Candidate[],
  labels: readonly string[] | undefined,
): FilterImage => ({
  key,
  width: images.width,
  height: images.height,
  phrases,
  negatives,
  labels,
  bytes: 'image' in images ? images.image.bytes : undefined,
})

/**
 * The boxes of a row of proposals, or of a grounding, as candidates, and who found them. A region keeps the words that
 * were left of its phrase, or chosen for it.
 */
function boxesOf(
  row: ProposalRow | GroundingRow,
  phrases: readonly Phrase[],
  stage: string,
): {
  readonly boxes: readonly Candidate[]
  readonly teacher: string | undefined
} {
  if ('proposals' in row) return { boxes: row.proposals, teacher: row.teacher }
  const boxes = row.regions.map(({ phrase, xyxy, score, origin, start, end }): Candidate => {
    const whole = phrases[phrase]
    const isWhole = !whole || (whole.start === start && whole.end === end)
    return {
      ...{ phrase, xyxy, score, origin, label: null, contrast: null },
      ...(!isWhole && { relabelled: { rule: stage, start, end } }),
    }
  })
  // Some of its boxes may be people's: by its teacher a rule knows whose scores it has.
  const found = row.regions.find((region) => !isReviewed(region)) ?? row.regions[0]
  return { boxes, teacher: found?.origin }
}

/** A box that a person added, and nobody had proposed. */
function addedBox({ verdict, person, judge, phrase, xyxy }: StageVerdict): Candidate[] {
  if (verdict !== 'add' || !person || xyxy === null) return []
  const nobody = { label: null, contrast: null, source: noSource }
  return [{ phrase, xyxy, score: 1, ...nobody, origin: reviewOrigin(judge) }]
}
