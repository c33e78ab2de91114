import { modelCard } from '../model/model-card.js'
import type { GlipConfig } from '../model/network/config.js'
import type { TrainRun } from './config.js'
import type { StepMetrics } from './metrics-log.js'
import type { SampleSource, SampleStream } from './samples/sample.js'
import type { TrainResult, TrainStart } from './train-task.js'

/** What the card of a trained model describes. */
export interface TrainedModel {
  readonly name: string
  readonly sources: readonly SampleSource[]
  /** The opened sources, in the same order. */
  readonly streams: readonly SampleStream[]
  readonly config: TrainRun
  readonly network: GlipConfig
  readonly last: StepMetrics
  readonly start: TrainStart | undefined
  /** The validation whose weights these are; undefined where nothing was validated on. */
  readonly best?: TrainResult['best'] | undefined
}

/**
 * The README of a trained model: the data with its licences and who drew its boxes, the start, the recipe.
 */
export function trainCard({
  name,
  sources,
  streams,
  config,
  network,
  last,
  start,
  best,
}: TrainedModel): string {
  const rows = streams.map(({ name: source, size, origins, license }, index) => {
    const boxes = [...origins].map(([origin, count]) => `${count} ${origin}`).join(', ')
    const grounding = sources[index]?.grounding
    return `| ${source} | ${grounding} | ${size} | ${boxes} | ${config.mix === 'size' ? size : (config.mix[source] ?? 1)} | ${license ?? 'unknown'} |`
  })
  const terms = ['classification', 'regression', 'grounding', 'contrastive']
    .filter((term) => term in last)
    .map((term) => `${term} ${last[term]?.toFixed(4)}`)
    .join(', ')
  const lineage = `Trained by groundmill. ${startText(start)}

| source | grounding | samples | labels by origin | weight | licence |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

${last.step} steps of ${config.batch} pictures, AdamW at ${config.learning_rate}, seed ${config.seed}. Last loss: ${last.loss.toFixed(4)}
(${terms}).${bestText(config, best)}`
  return modelCard({ name, config: network, license: config.license, lineage })
}

/** Which weights these are, where not the last ones. */
function bestText({ validate, steps }: TrainRun, best: TrainedModel['best']): string {
  if (!best || !validate) return ''
  const { set, metric = 'ap' } = validate
  return ` Of ${steps} steps at most; the weights are those of step ${best.step}, with the best ${metric} on ${set}: ${best.value.toFixed(4)}.`
}

function startText(start: TrainStart | undefined): string {
  if (!start) return 'It started from random weights.'
  const { folder, taken, fresh } = start
  return `It started from \`${folder}\`: ${taken.length} parameters taken, ${fresh.length} started fresh.`
}
