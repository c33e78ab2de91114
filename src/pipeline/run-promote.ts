import { hashJson } from '../base/hash.js'
import { UserError } from '../base/user-error.js'
import type { Evaluation } from '../evaluate/evaluate-model.js'
import type { TrainResult } from '../train/train-task.js'
import type { StageOf } from './config.js'
import { decidePromotion, type Promotion } from './decide-promotion.js'
import { evaluationName } from './lay-out-rounds.js'
import { readRunRecord, runOnce } from './run-record.js'
import { type Model, needed, outputOf, type StageContext, type StageOutput } from './stage-context.js'

/** Decides on a student's promotion, and writes the round's record and the run's report. */
export async function runPromote(
  stage: StageOf<'promote'>,
  configHash: string,
  context: StageContext,
): Promise<StageOutput> {
  const { student, sets, round } = stage.with
  if (!student)
    throw new UserError(`Stage "${stage.name}": promote is laid out by \`rounds\`, not written by hand.`)
  const teacher = needed(stage, context, 'a teacher', ({ model }) => model !== undefined).model as Model
  const pupil = outputOf(context, student).model as Model
  const scores: Record<string, { teacher: Evaluation; student: Evaluation }> = {}
  for (const set of sets) {
    scores[set] = {
      teacher: await scoresOf(context, teacher.name, set),
      student: await scoresOf(context, pupil.name, set),
    }
  }
  // Scores change without the models where the way of scoring does.
  const inputs = { teacher: teacher.hash, student: pupil.hash, scores: hashJson(scores) }
  const made = { stage: stage.name, configHash, inputs }
  const { record, skipped } = await runOnce<Promotion>(
    context.run,
    `rounds/${round}.json`,
    made,
    async () => {
      const training = await readRunRecord<TrainResult>(context.run, `models/${student}/record.json`)
      const lineage = {
        inputs: training?.inputs ?? {},
        losses: training?.result.last ?? {},
        stages: Object.fromEntries(
          [`round-${round}-label`, `round-${round}-filter`, student].map((part) => [
            part,
            outputOf(context, part).stage.with,
          ]),
        ),
      }
      return decidePromotion(stage.with, teacher, pupil, scores, lineage)
    },
  )
  context.count(skipped)
  const { result } = record
  const report = {
    round,
    ...scores,
    teacher: teacher.name,
    student,
    promoted: result.promoted,
  }
  await context.run.write('report.json', `${JSON.stringify(report, null, 1)}\n`)
  return { stage, model: result.promoted ? pupil : teacher, missing: [] }
}

async function scoresOf(context: StageContext, model: string, set: string): Promise<Evaluation> {
  const record = await readRunRecord<Evaluation>(
    context.run,
    `evaluations/${evaluationName(model, set)}.json`,
  )
  if (!record)
    throw new UserError(`There is no evaluation of ${model} on ${set}: run the pipeline's evaluate stages.`)
  return record.result
}
