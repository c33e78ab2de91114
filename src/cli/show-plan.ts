import { faultsError } from '../pipeline/plan/check-stages.js'
import { planRun } from '../pipeline/plan/plan-run.js'
import { withNeeds } from '../pipeline/run-pipeline.js'
import type { Pipeline } from '../pipeline/stages/pipeline-config.js'
import { tellFailure } from './run-end.js'
import { print, printJson } from './terminal/print.js'
import { planText } from './terminal/print-plan.js'
import { createProgress } from './terminal/progress.js'

export interface ShowPlanOptions {
  readonly only?: readonly string[] | undefined
  readonly signal: AbortSignal
  readonly json?: boolean | undefined
}

/** Prints what a run would do, and does nothing of it. Exit code 2 where something would stop it. */
export async function showPlan(
  pipeline: Pipeline,
  url: string,
  { only, signal, json }: ShowPlanOptions,
): Promise<void> {
  const wanted = only && withNeeds(pipeline, only)
  const stages = pipeline.stages.filter(({ name }) => !wanted || wanted.has(name))
  const progress = createProgress()
  const onStage = ({ name }: { readonly name: string }, at: number) =>
    progress.update(`plan: ${name}`, at, stages.length)
  const plan = await planRun({ name: pipeline.name, stages }, url, { signal, onStage })
  progress.stop()
  if (!json) print(planText(plan))
  const { faults } = plan
  const end = tellFailure(faults.length > 0 ? { message: faultsError(faults).message, code: 2 } : undefined)
  if (json) printJson({ ...plan, ...end })
}
