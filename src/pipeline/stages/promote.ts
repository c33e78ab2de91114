import { jsonOf } from '../../base/files/read-json.js'
import { hashBytes, hashJson } from '../../base/hash.js'
import { UserError } from '../../base/user-error.js'
import { zip } from '../../base/zip.js'
import type { Evaluation } from '../../evaluate/evaluate-model.js'
import { sharedPictures } from '../../shards/shared-pictures.js'
import type { Storage } from '../../storage/storage.js'
import type { TrainResult } from '../../train/train-task.js'
import type { Answers } from '../promotion/compare-answers.js'
import { decidePromotion } from '../promotion/decide-promotion.js'
import {
  evaluationName,
  evaluationRecord,
  folderTeacher,
  outcomesFile,
} from '../promotion/evaluation-record.js'
import { isEvaluation } from '../promotion/is-evaluation.js'
import { isPromotion } from '../promotion/is-promotion.js'
import { parseOutcomes } from '../promotion/parse-outcomes.js'
import { type PromoteConfig, promoteConfig } from '../promotion/promote-config.js'
import type { Promotion } from '../promotion/promotion.js'
import { type RoundReport, reportFile, roundReport } from '../promotion/round-report.js'
import { notePromotion } from '../records/note-promotion.js'
import { findRunRecord, type RunRecord, readRunRecord, runOnce } from '../records/run-record.js'
import {
  type Model,
  modelOf,
  needed,
  outputOf,
  runOf,
  type StageContext,
  type StageOf,
} from './stage-context.js'
import { oneKind } from './stage-kind.js'

/** Decides on a student's promotion, and writes the round's record and the run's report. */
export const promote = oneKind({
  name: 'promote',
  schema: promoteConfig,
  optional: false,
  makes: 'one',
  record: (stage) => roundRecord(stage),
  resource: 'cpu',
  offersModel: 'model',
  // Where the teacher lies; and what is only told of.
  notHashed: ['teacher', 'learned', 'judging'],
  async find(stage, configHash, context) {
    const { models, inputs } = await openInputs(stage, context)
    const made = await findRunRecord<Promotion>(
      runOf(context),
      roundRecord(stage),
      { configHash, inputs },
      { isResult: isPromotion },
    )
    return made && { model: nextOf(models, made.result), missing: [] }
  },
  async run(stage, configHash, context) {
    const { means, round, judging = [] } = stage.with
    const run = runOf(context)
    const { student, teacher, candidates, models, evaluations, inputs } = await openInputs(stage, context)
    const task = { stage: stage.name, configHash, inputs }
    const decide = async () => {
      await tellOfShared(stage, context)
      const training = await readRunRecord<TrainResult>(run, `${context.models}${student}/record.json`)
      const lineage = {
        inputs: training?.inputs ?? {},
        losses: training?.result.last ?? {},
        stages: Object.fromEntries(
          [`round-${round}-label`, ...judging, `round-${round}-filter`, student, ...means].map((part) => [
            part,
            outputOf(context, part).config,
          ]),
        ),
      }
      const answers = new Map<string, ReadonlyMap<string, Answers>>()
      for (const [set, records] of evaluations) answers.set(set, await answersOf(run, models, set, records))
      return decidePromotion(stage.with, teacher, candidates, answers, lineage)
    }
    const { record, skipped } = await runOnce<Promotion>(run, roundRecord(stage), task, decide, {
      isResult: isPromotion,
    })
    const { result } = record
    for (const { name } of candidates) await notePromotion(run, `${context.models}${name}`, result)
    const labels = stage.needs.map((name) => outputOf(context, name).labels).find(Boolean)
    await writeReport(run, roundReport(result, labels), skipped)
    return { offers: { model: nextOf(models, result), missing: [] }, result, skipped }
  },
})

const roundRecord = ({ with: { round } }: StageOf<PromoteConfig>) => `rounds/${round}.json`

/**
 * Writes the report of a round, unless another process has written that of a later one meanwhile.
 *
 * @param isOld whether the round was decided before: then it is not what makes later ones void
 */
async function writeReport(run: Storage, report: RoundReport, isOld: boolean): Promise<void> {
  const text = `${JSON.stringify(report, null, 1)}\n`
  for (;;) {
    const now = await run.readVersioned(reportFile)
    const other = now && roundOf(now.bytes)
    if (isOld && other !== undefined && other > report.round && (await run.exists(`rounds/${other}.json`)))
      return
    if (await run.swap(reportFile, text, now?.version)) return
  }
}

/** The round that a report is of; undefined where it cannot be read: then it is written anew. */
function roundOf(bytes: Uint8Array): number | undefined {
  try {
    const { round } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<RoundReport>
    return Number.isSafeInteger(round) ? round : undefined
  } catch {
    return undefined
  }
}

const nextOf = (models: readonly Model[], { next }: Promotion) =>
  models.find(({ name }) => name === next.name)

/** The models, what they scored, and the hashes of both. */
async function openInputs(stage: StageOf<PromoteConfig>, context: StageContext) {
  const { student, means, sets } = stage.with
  if (!student)
    throw new UserError(`Stage "${stage.name}": promote is laid out by \`rounds\`, not written by hand.`)
  const run = runOf(context)
  const given = stage.with.teacher
  // Of a model that is of no stage the evaluations say which it was.
  const teacher: Model =
    given === undefined
      ? needed(stage, context, ['model'], 'a teacher').model
      : { folder: given, name: folderTeacher, hash: await hashAsked(stage, context), isForeign: true }
  const modelNamed = (name: string) => {
    const { model } = outputOf(context, name)
    if (!model) throw new UserError(`Stage "${stage.name}": "${name}" is not a stage that makes a model.`)
    return model
  }
  const candidates = [modelNamed(student), ...means.map(modelNamed)] as const
  const models = [teacher, ...candidates]
  const evaluations = new Map<string, RunRecord<Evaluation>[]>()
  for (const set of sets) evaluations.set(set, await evaluationsOf(run, models, set))
  // Answers change without the models where the way of asking or scoring does.
  const asked = [...evaluations.values()]
    .flat()
    .map(({ configHash, files, result }) => ({ configHash, files, result }))
  const inputs: Record<string, string> = { teacher: teacher.hash, answers: hashJson(asked) }
  for (const { name, hash } of candidates) inputs[name] = hash
  return { student, teacher, candidates, models, evaluations, inputs }
}

/** The hash of the teacher that is of no stage: of those of its files that were evaluated. */
async function hashAsked(stage: StageOf<PromoteConfig>, context: StageContext): Promise<string> {
  const { sets, teacher } = stage.with
  const [set] = sets
  const record =
    set !== undefined &&
    (await readRunRecord(runOf(context), evaluationRecord(evaluationName(folderTeacher, set))))
  if (record) return record.inputs.model ?? ''
  return (await modelOf({ ...stage, with: { model: teacher } }, context)).hash
}

/**
 * Warns where a held-out set has pictures that students learn from, by their bytes: other files may list the same ones.
 */
async function tellOfShared(
  { with: { sets, learned = [] } }: StageOf<PromoteConfig>,
  { outputs, warn }: StageContext,
): Promise<void> {
  const datasets = new Map(
    learned.flatMap((name) => {
      const dataset = outputs.get(name)?.dataset
      return dataset ? [[dataset.name, dataset] as const] : []
    }),
  )
  for (const set of sets) {
    const held = outputs.get(set)?.dataset
    if (!held) continue
    for (const dataset of datasets.values()) {
      const { shared, of } = await sharedPictures(held, dataset)
      if (shared > 0)
        warn(
          `${shared} of the ${of} pictures of "${set}" are in "${dataset.name}" as well, which is learned from: scores on them say little. Hold them out by \`part\` (docs/rounds.md).`,
        )
    }
  }
}

/**
 * The records of the models' evaluations on a set.
 *
 * @throws UserError where a model was not evaluated on it, or the set has changed in between
 */
async function evaluationsOf(
  run: Storage,
  models: readonly Model[],
  set: string,
): Promise<RunRecord<Evaluation>[]> {
  const records: RunRecord<Evaluation>[] = []
  for (const { name } of models) {
    const record = await readRunRecord<Evaluation>(run, evaluationRecord(evaluationName(name, set)))
    if (!record || !isEvaluation(record.result))
      throw new UserError(`There is no evaluation of ${name} on ${set}: run the pipeline's evaluate stages.`)
    if (record.inputs.set !== (records[0] ?? record).inputs.set)
      throw new UserError(
        `${models[0]?.name} and ${name} were not evaluated on the same pictures of ${set}: run the pipeline's evaluate stages again.`,
      )
    records.push(record)
  }
  return records
}

/** Each model's scores on a set and what became of its answers, by its name. */
async function answersOf(
  run: Storage,
  models: readonly Model[],
  set: string,
  records: readonly RunRecord<Evaluation>[],
): Promise<ReadonlyMap<string, Answers>> {
  const answers = new Map<string, Answers>()
  for (const [{ name }, { result, files }] of zip(models, records)) {
    const file = outcomesFile(evaluationName(name, set))
    const bytes = await run.read(file)
    if (!bytes) throw new UserError(`${file} is missing: run the pipeline's evaluate stages again.`)
    const remedy = "delete it, and run the pipeline's evaluate stages again"
    const hash = files?.[file]
    if (hash !== undefined && hash !== hashBytes(bytes))
      throw new UserError(`${run.path(file)} is damaged, it is not what its record names: ${remedy}.`)
    const outcomes = parseOutcomes(jsonOf(Buffer.from(bytes).toString('utf8'), run.path(file), remedy))
    if (typeof outcomes === 'string')
      throw new UserError(`${run.path(file)} does not hold what became of answers (${outcomes}): ${remedy}.`)
    answers.set(name, { scores: result, outcomes })
  }
  return answers
}
