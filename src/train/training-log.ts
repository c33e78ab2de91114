import { join } from 'node:path'
import { openEventFile } from './events/event-file.js'
import { type MetricsLog, openMetricsLog, type StepMetrics } from './metrics-log.js'

/** Terms and parts of losses, which TensorBoard shows beside each other. */
const lossTerms = /^(classification|regression|grounding|contrastive|auxiliary|giou|centerness|distance)$/

/**
 * Opens the logs of a training: `metrics.jsonl`, and beside it an event file of TensorBoard with the same figures.
 *
 * @param steps that an earlier run has done; later ones will be made again
 * @param settings of the training, which TensorBoard shows as a text
 */
export async function openTrainingLog(
  folder: string,
  steps: number,
  settings: Readonly<Record<string, unknown>>,
): Promise<MetricsLog> {
  const metrics = await openMetricsLog(join(folder, 'metrics.jsonl'), steps)
  const texts = { settings: ['```json', JSON.stringify(settings, null, 2), '```'].join('\n') }
  const events = await openEventFile(folder, metrics.lines.map(scalarsOf), texts)
  return {
    lines: metrics.lines,
    async add(line) {
      await metrics.add(line)
      await events.add(scalarsOf(line))
    },
  }
}

/** A line under the names of TensorBoard: `train/loss`, `train/loss_giou`, `train/learning_rate`, `eval/ap`. */
function scalarsOf({ step, ...line }: StepMetrics) {
  const scalars = Object.entries(line).map(([name, value]): [string, number] => [tagOf(name), value])
  return { step, scalars: Object.fromEntries(scalars) }
}

function tagOf(name: string): string {
  if (name.startsWith('eval_')) return `eval/${name.slice('eval_'.length)}`
  return lossTerms.test(name) ? `train/loss_${name}` : `train/${name}`
}
