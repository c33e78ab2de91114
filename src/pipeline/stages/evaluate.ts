import { dirname } from 'node:path/posix'
import { type EvaluateConfig, evaluateConfig, evaluateNotHashed } from '../../evaluate/config.js'
import type { Evaluation } from '../../evaluate/evaluate-model.js'
import type { PictureOutcomes } from '../../evaluate/picture-outcomes.js'
import { rowParts, sweepParts } from '../../shards/row-parts.js'
import { evaluationRecord, outcomesFile } from '../promotion/evaluation-record.js'
import { isEvaluation } from '../promotion/is-evaluation.js'
import { findRunRecord, runOnce } from '../records/run-record.js'
import { hashSource } from './hash-inputs.js'
import { looksAtModel, openModel } from './open-model.js'
import { modelOf, needed, outputOf, type StageContext, type StageOf } from './stage-context.js'
import { oneKind } from './stage-kind.js'

/** Scores a model on gold. */
export const evaluate = oneKind({
  name: 'evaluate',
  schema: evaluateConfig,
  optional: true,
  makes: 'one',
  record: ({ name }) => evaluationRecord(name),
  resource: 'gpu',
  notHashed: [...evaluateNotHashed, 'model'],
  looks(stage, context) {
    needed(stage, context, ['images', 'dataset'], 'a held-out dataset')
    if (stage.with.unseen_in) outputOf(context, stage.with.unseen_in)
    return looksAtModel(stage, context)
  },
  async find(stage, configHash, context) {
    const { inputs } = await openInputs(stage, context)
    const { run } = context
    const task = { configHash, inputs }
    const made =
      run &&
      (await findRunRecord(run, evaluationRecord(stage.name), task, {
        file: outcomesFile(stage.name),
        isResult: isEvaluation,
      }))
    return made && { missing: [] }
  },
  async run(stage, configHash, context) {
    const { set, unseen, model, inputs } = await openInputs(stage, context)
    const task = { stage: stage.name, configHash, inputs }
    const { run } = context
    const { record, skipped } = await runOnce<Evaluation>(
      context.run,
      evaluationRecord(stage.name),
      task,
      async ({ leave, lost }) => {
        const { categoriesOf, evaluateModel, isWindowAnswers } = await import(
          '../../evaluate/evaluate-model.js'
        )
        const parts = run && rowParts(run, evaluationRecord(stage.name), task, isWindowAnswers)
        const seen = unseen ? await categoriesOf({ ...unseen, stage: unseen.name }) : []
        const categories = (await categoriesOf(set)).filter((name) => !seen.includes(name))
        const teacher = await openModel(model, {
          ...stage.with,
          sizes: stage.with.sizes ?? 'auto',
          notice: context.notice,
        })
        let outcomes: PictureOutcomes | undefined
        try {
          const scores = await evaluateModel(teacher, set, stage.with, categories, {
            onProgress: context.progress,
            onOutcomes: (all) => {
              outcomes = all
            },
            signal: context.signal ? AbortSignal.any([context.signal, lost]) : lost,
            ...(parts && { parts }),
          })
          await leave(outcomesFile(stage.name), `${JSON.stringify(outcomes)}\n`)
          return scores
        } finally {
          await teacher.close()
        }
      },
      {
        file: outcomesFile(stage.name),
        isResult: isEvaluation,
        inputsNow: async () => (await openInputs(stage, context)).inputs,
      },
    )
    // What was kept of this, and of another model or set that was stopped.
    if (run) await sweepParts(run, dirname(evaluationRecord(stage.name)))
    return { offers: { missing: [] }, result: record.result, skipped }
  },
})

/** The set, the model and the hashes of both. */
async function openInputs(stage: StageOf<EvaluateConfig>, context: StageContext) {
  const source = needed(stage, context, ['images', 'dataset'], 'a held-out dataset')
  const set = { ...source.dataset, stage: source.images }
  const model = await modelOf(stage, context)
  const unseen = stage.with.unseen_in ? outputOf(context, stage.with.unseen_in).dataset : undefined
  const inputs: Record<string, string> = {
    model: model.hash,
    set: await hashSource({ ...set, grounding: set.stage, phrases: set.stage }),
  }
  if (unseen) inputs.unseen_in = await hashSource({ ...unseen, grounding: unseen.name, phrases: unseen.name })
  return { set, unseen, model, inputs }
}
