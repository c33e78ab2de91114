import { dirname } from 'node:path'
import { drawSample } from '../audit/draw-sample.js'
import type { AuditOptions } from '../audit/grounded-pictures.js'
import { judgeLabels } from '../audit/judge-labels.js'
import { judgedByReview } from '../audit/judged-by-review.js'
import { type Judgement, readJudgements } from '../audit/judgements.js'
import type { GroundingSource } from '../audit/known-heads.js'
import { placedLabels } from '../audit/placed-labels.js'
import { counted } from '../base/counted.js'
import { makeFolder } from '../base/files/make-folder.js'
import { parseConfig } from '../base/files/parse-config.js'
import { writeFileAtomic } from '../base/files/write-file-atomic.js'
import { nameList } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { chooseStage, describeChosen } from '../catalog/choose-stage.js'
import { type OpenDataset, openDataset } from '../catalog/open-dataset.js'
import { addOutput } from '../pipeline/add-output.js'
import { datasetOutput, runOfDataset } from '../pipeline/dataset-output.js'
import { audit as auditKind } from '../pipeline/stages/audit.js'
import type { StageOutput } from '../pipeline/stages/stage-context.js'
import { runStage } from '../pipeline/tasks/run-stage.js'
import { reviewsOf } from '../review/effective-reviews.js'
import { readReviews } from '../review/read-reviews.js'
import { listReviews } from '../review/review-files.js'
import { stageName } from '../rows/stage-name.js'
import { openNamed } from './options/named-grounding.js'
import { note, print, printJson, say } from './terminal/print.js'
import { auditTable, calibrationTable, judgedTable, unnamedText } from './terminal/print-audit.js'
import { createProgress } from './terminal/progress.js'

export interface AuditCommandOptions {
  readonly grounding?: string
  readonly truth?: string
  readonly by?: 'category'
  readonly synonyms?: string
  readonly known?: string
  readonly as?: string
  readonly sample?: number
  readonly withoutBox?: number
  readonly seed: number
  readonly out?: string
  readonly judged?: string
  readonly review?: string
  readonly json?: boolean
}

/** `groundmill audit`: how right a grounding is, by a truth or by a sample that a person judges. */
export async function audit(url: string, options: AuditCommandOptions, signal: AbortSignal): Promise<void> {
  const ways = (['truth', 'sample', 'judged'] as const).filter((way) => options[way] !== undefined)
  if (ways.length !== 1)
    throw new UserError('audit: give one of --truth FILE or STAGE, --sample N, and --judged FILE.')
  for (const [given, way] of [
    ['as', 'truth'],
    ['by', 'truth'],
    ['synonyms', 'by'],
    ['withoutBox', 'sample'],
    ['out', 'sample'],
    ['review', 'judged'],
  ] as const) {
    if (options[given] !== undefined && options[way] === undefined)
      throw new UserError(`audit: --${given === 'withoutBox' ? 'without-box' : given} goes with --${way}.`)
  }
  const dataset = await openDataset(url)
  const grounding = chooseStage(dataset, 'grounding', {
    requested: options.grounding,
    option: '--grounding STAGE',
    // What it is held against is not what is audited.
    except: options.truth === undefined ? [] : [options.truth],
  })
  if (options.truth === grounding)
    throw new UserError(`audit: --truth ${grounding} is what is audited: name another grounding, or a file.`)
  note(`auditing ${describeChosen(dataset, 'grounding', grounding)}${truthText(dataset, options)}`)
  const given: Given = { dataset, grounding, options, signal }
  if (options.truth !== undefined) await byTruth(given, options.truth)
  else if (options.sample !== undefined) await drawn(given, options.sample)
  else if (options.judged !== undefined) await byJudgements(given, options.judged)
}

interface Given {
  readonly dataset: OpenDataset
  readonly grounding: string
  readonly options: AuditCommandOptions
  readonly signal: AbortSignal
}

async function byTruth({ dataset, grounding, options, signal }: Given, truth: string): Promise<void> {
  const name = parseConfig(stageName.optional(), options.as, '--as')
  const outputs = new Map<string, StageOutput>()
  const add = async (of: OpenDataset, stage: string) =>
    addOutput(outputs, await datasetOutput(of, 'grounding', stage))
  const needs = [await add(dataset, grounding)]
  const known = options.known === undefined ? undefined : await knownIn(dataset, options.known)
  const { by, synonyms } = options
  const config = {
    ...(by && { by }),
    ...(synonyms !== undefined && { synonyms }),
    truth: dataset.groundings.includes(truth) ? await add(dataset, truth) : truth,
    ...(known && { known: await add(known.dataset, known.grounding) }),
  }
  const progress = createProgress()
  const { outcome, result } = await runStage(
    auditKind,
    { name: name ?? 'audit', needs, with: config },
    // Without a name there is nothing that a later run could look for.
    { outputs, ...(name !== undefined && { run: runOfDataset(dataset) }) },
    { signal, onProgress: (_, pictures, of) => progress.update('pictures', pictures, of) },
  )
  const done = outcome.ran === 0 ? ', already done' : ''
  const [all] = result.kinds
  progress.finish(
    `✓ ${grounding}: ${counted(all?.labels ?? 0, 'region')}, ${all?.judged ?? 0} of them with truth, in ${counted(result.pictures, 'picture')}${done}`,
  )
  if (result.unaskedMentions > 0)
    progress.finish(
      `  spans of the truth that are no phrase of the dataset: ${result.unaskedMentions}; recall is without them`,
    )
  if (result.unnamed) progress.finish(`  ${unnamedText(result.unnamed)}`)
  if (options.json) {
    printJson({ dataset: dataset.url, grounding, truth, ...result })
    return
  }
  print(`${auditTable(result)}\n\n${calibrationTable(result)}`)
}

async function drawn({ dataset, grounding, options, signal }: Given, labels: number): Promise<void> {
  const { out, seed, withoutBox = 0 } = options
  if (out === undefined) throw new UserError('audit: --sample needs --out FILE, the sample to judge.')
  const progress = createProgress()
  const { source, read } = await readingOf({ dataset, grounding, options, signal }, progress)
  const rows = await drawSample(placedLabels(source, read), { labels, withoutBox, seed })
  if (rows.length === 0)
    throw new UserError(`${dataset.url}: grounding "${grounding}" has no regions to judge.`)
  await makeFolder(dirname(out))
  await writeFileAtomic(out, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const boxes = rows.filter(({ xyxy }) => xyxy !== null).length
  const strata = new Set(rows.map(({ stratum }) => stratum)).size
  progress.finish(
    `✓ ${out}  ${counted(boxes, 'region')} and ${counted(rows.length - boxes, 'phrase')} without a box, of ${strata === 1 ? '1 stratum' : `${strata} strata`}: fill in \`right\``,
  )
  if (options.json)
    printJson({
      dataset: dataset.url,
      grounding,
      file: out,
      labels: boxes,
      withoutBox: rows.length - boxes,
      strata,
    })
}

async function byJudgements(given: Given, file: string): Promise<void> {
  const { dataset, grounding, options } = given
  const read = await readJudgements(file)
  const judgements = options.review === undefined ? read : await reviewed(dataset, options.review, read)
  const progress = createProgress()
  const { source, read: reading } = await readingOf(given, progress)
  const result = await judgeLabels(judgements, placedLabels(source, reading))
  progress.finish(`✓ ${grounding}: ${result.judged} of ${result.drawn} regions judged, of ${result.labels}`)
  if (result.covered < 1)
    progress.finish(
      `  nothing is judged of some strata: the figures are about ${(100 * result.covered).toFixed(1)} % of the regions`,
    )
  if (options.json) {
    printJson({ dataset: dataset.url, grounding, file, ...result })
    return
  }
  print(`${judgedTable(result)}\n\n${calibrationTable(result)}`)
}

/** A sample as people have judged it on the page; the file stays as it is. */
async function reviewed(
  { storage, url }: OpenDataset,
  name: string,
  read: readonly Judgement[],
): Promise<readonly Judgement[]> {
  const entries = await readReviews(storage, name, say)
  if (entries.length > 0) return judgedByReview(read, reviewsOf(entries))
  const known = await listReviews(storage)
  throw new UserError(
    `audit: ${url} has no review ${nameList([name])}; it has: ${known.length > 0 ? nameList(known) : 'none yet'}.`,
  )
}

/** The grounding to read, and how. */
async function readingOf(
  { dataset, grounding, options, signal }: Given,
  progress: ReturnType<typeof createProgress>,
): Promise<{ readonly source: GroundingSource; readonly read: AuditOptions }> {
  const { source, selection } = await sourceOf(dataset, grounding)
  const known = options.known === undefined ? undefined : await knownIn(dataset, options.known)
  const { knownHeads } = await import('../audit/known-heads.js')
  const heads = known && (await knownHeads((await sourceOf(known.dataset, known.grounding)).source, signal))
  return {
    source,
    read: {
      ...(heads && { known: heads }),
      ...(selection !== undefined && { selection }),
      signal,
      // How many there are is not known before all are read.
      onProgress: (pictures) => progress.update('pictures', pictures, 0),
    },
  }
}

async function sourceOf(dataset: OpenDataset, grounding: string) {
  const { phrases = grounding, selection, missing } = await datasetOutput(dataset, 'grounding', grounding)
  const shards = dataset.shards.filter((shard) => !missing.includes(shard))
  return { source: { storage: dataset.storage, shards, grounding, phrases }, selection }
}

/** A grounding of the dataset itself, or `DATASET[:STAGE]`. */
async function knownIn(dataset: OpenDataset, known: string) {
  const named = dataset.groundings.includes(known) ? { dataset, grounding: known } : await openNamed(known)
  note(`known is what ${describeChosen(named.dataset, 'grounding', named.grounding)} has regions of`)
  return named
}

function truthText(dataset: OpenDataset, { truth, by }: AuditCommandOptions): string {
  if (truth === undefined) return ''
  const text = dataset.groundings.includes(truth)
    ? describeChosen(dataset, 'grounding', truth)
    : `the file ${truth}`
  return `, held against ${text}${by ? `, words by their ${by}` : ''}`
}
