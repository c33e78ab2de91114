import { hashJson } from '../../base/hash.js'
import { UserError } from '../../base/user-error.js'
import type { Evaluation } from '../../evaluate/evaluate-model.js'
import type { Storage } from '../../storage/storage.js'
import type { TrainResult } from '../../train/train-task.js'
import { decidePromotion, type Promotion, promoteConfig } from './decide-promotion.js'
import { evaluationName, evaluationRecord } from './evaluation-record.js'
import { readRunRecord, runOnce } from './run-record.js'
import { needed, outputOf, runOf } from './stage-context.js'
import { stageKind } from './stage-kind.js'

/** Decides on a student's promotion, and writes the round's record and the run's report. */
export const promote = stageKind({
  name: 'promote',
  schema: promoteConfig,
  optional: false,
  makes: 'one',
  notHashed: [],
  async run(stage, configHash, context) {
    const { student, sets, round } = stage.with
    if (!student)
      throw new UserError(`Stage "${stage.name}": promote is laid out by \`rounds\`, not written by hand.`)
    const run = runOf(context)
    const teacher = needed(stage, context, ['model'], 'a teacher').model
    const trained = outputOf(context, student).model
    if (!trained) throw new UserError(`Stage "${stage.name}": student: "${student}" is not a train stage.`)
    const scores: Record<string, { teacher: Evaluation; student: Evaluation }> = {}
    for (const set of sets) {
      scores[set] = {
        teacher: await scoresOf(run, teacher.name, set),
        student: await scoresOf(run, trained.name, set),
      }
    }
    // Scores change without the models where the way of scoring does.
    const inputs = { teacher: teacher.hash, student: trained.hash, scores: hashJson(scores) }
    const task = { stage: stage.name, configHash, inputs }
    const { record, skipped } = await runOnce<Promotion>(run, `rounds/${round}.json`, task, async () => {
      const training = await readRunRecord<TrainResult>(run, `${context.models}${student}/record.json`)
      const lineage = {
        inputs: training?.inputs ?? {},
        losses: training?.result.last ?? {},
        stages: Object.fromEntries(
          [`round-${round}-label`, `round-${round}-filter`, student].map((part) => [
            part,
            outputOf(context, part).config,
          ]),
        ),
      }
      return decidePromotion(stage.with, teacher, trained, scores, lineage)
    })
    context.count(skipped)
    const { result } = record
    const labels = stage.needs.map((name) => outputOf(context, name).labels).find(Boolean)
    const decided = { teacher: teacher.name, student, promoted: result.promoted }
    const report = { round, ...scores, ...decided, ...(labels && { labels }) }
    await run.write('report.json', `${JSON.stringify(report, null, 1)}\n`)
    return { offers: { model: result.promoted ? trained : teacher, missing: [] }, result }
  },
})

async function scoresOf(run: Storage, model: string, set: string): Promise<Evaluation> {
  const record = await readRunRecord<Evaluation>(run, evaluationRecord(evaluationName(model, set)))
  if (!record)
    throw new UserError(`There is no evaluation of ${model} on ${set}: run the pipeline's evaluate stages.`)
  return record.result
}
