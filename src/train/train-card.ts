import { modelCard } from '../model/model-card.js'
import type { GlipConfig } from '../model/network/config.js'
import type { TrainRun } from './config.js'
import type { StepMetrics } from './plot-losses.js'
import type { SampleStream } from './samples/read-samples.js'
import type { TrainStart, TrainTask } from './train-model.js'

/** The README of a trained model: the data with its licences and who drew its boxes, the start, the recipe. */
export function trainCard(
  { name, sources }: TrainTask,
  config: TrainRun,
  streams: readonly SampleStream[],
  network: GlipConfig,
  last: StepMetrics,
  start: TrainStart | undefined,
): string {
  const rows = streams.map(({ name: own, size, origins, license }, index) => {
    const boxes = [...origins].map(([origin, count]) => `${count} ${origin}`).join(', ')
    const { grounding } = sources[index]
    return `| ${own} | ${grounding} | ${size} | ${boxes} | ${config.mix === 'size' ? size : (config.mix[own] ?? 1)} | ${license ?? 'unknown'} |`
  })
  const terms = ['classification', 'regression', 'grounding', 'contrastive']
    .filter((term) => term in last)
    .map((term) => `${term} ${last[term].toFixed(4)}`)
    .join(', ')
  const lineage = `Trained by groundmill. ${startText(start)}

| source | grounding | samples | boxes by origin | weight | licence |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

${config.steps} steps of ${config.batch} pictures, AdamW at ${config.learning_rate}, seed ${config.seed}. Last loss: ${last.loss.toFixed(4)}
(${terms}).`
  return modelCard({ name, config: network, license: config.license, lineage })
}

function startText(start: TrainStart | undefined): string {
  if (!start) return 'It started from random weights.'
  const { folder, taken, fresh } = start
  return `It started from \`${folder}\`: ${taken.length} parameters taken, ${fresh.length} started fresh.`
}
