import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../base/files/write-file-atomic.js'
import { writeModelFolder } from '../model/model-folder.js'
import { openSafetensors } from '../weights/safetensors.js'
import type { StepMetrics } from './metrics-log.js'
import { checkpointFile, type Training } from './open-training.js'
import { parametersOfState } from './optimizer/optimizer-state.js'
import { plotLosses } from './plot-losses.js'
import { trainCard } from './train-card.js'
import type { TrainResult, TrainTask } from './train-task.js'
import { bestFile, validatedFolder } from './validation.js'

/**
 * Writes the model of a training that is through (of a validated one, that of its best validation), with its card and
 * the plot of its losses, and removes the checkpoint.
 *
 * @param seconds that this run took
 */
export async function writeTrained(
  { name, folder, sources }: TrainTask,
  { config, network, tokenizer, streams, start, state, metrics, validator }: Training,
  seconds: number,
): Promise<TrainResult> {
  const last = metrics.lines.at(-1) as StepMetrics
  const best = validator?.state.best
  const weights = best && (await openSafetensors(join(folder, bestFile)))
  await writeFileAtomic(join(folder, 'loss.svg'), plotLosses(metrics.lines, name))
  await writeModelFolder(folder, {
    config: network,
    vocabulary: tokenizer.vocabulary,
    parameters: weights ? [...weights.tensors.values()] : parametersOfState(state),
    card: trainCard({ name, sources, config, streams, network, last, start, best }),
  })
  await weights?.close()
  for (const left of [checkpointFile, bestFile, validatedFolder])
    await rm(join(folder, left), { recursive: true, force: true })
  return { ...(start && { start }), steps: last.step, ...(best && { best }), seconds, last }
}
