import { basename, resolve } from 'node:path'
import { parseConfig } from '../base/parse-config.js'
import { openDataset } from '../catalog/open-dataset.js'
import { phrasesOfGrounding } from '../catalog/phrases-of.js'
import { trainConfig } from '../train/config.js'
import { speedNote } from '../train/metrics-log.js'
import type { SampleSource } from '../train/samples/sample.js'
import { trainModel } from '../train/train-model.js'
import { setOptions } from './set-options.js'
import { createProgress, duration } from './terminal/progress.js'

export interface TrainOptions {
  readonly out: string
  readonly set: readonly string[]
  readonly json?: boolean
}

/** `groundmill train DATASET[:STAGE]…`: a model of the grounding of some datasets. */
export async function train(
  datasets: readonly string[],
  options: TrainOptions,
  signal: AbortSignal,
): Promise<void> {
  const config = parseConfig(trainConfig, setOptions(options.set), '--set')
  const sources = await Promise.all(datasets.map(sourceOf))
  const progress = createProgress()
  const { steps, seconds, last } = await trainModel({
    name: basename(resolve(options.out)),
    folder: options.out,
    config,
    sources,
    texts: [],
    init: config.init,
    signal,
    onStart: ({ folder, taken, fresh }) =>
      progress.finish(`✓ ${folder}  ${taken.length} parameters taken, ${freshText(fresh)}`),
    onNotice: (text) => progress.finish(`  ${text}`),
    onProgress: (line, total) =>
      progress.update(
        options.out,
        line.step,
        total,
        `loss ${line.loss.toFixed(3)}, ${speedNote(line, config.batch)}`,
      ),
  })
  progress.finish(`✓ ${options.out}  ${steps} steps, loss ${last.loss.toFixed(3)}, ${duration(seconds)}`)
  if (options.json) process.stdout.write(`${JSON.stringify({ model: options.out, steps, seconds, last })}\n`)
}

/** How many parameters start fresh, and in which parts of the network. */
function freshText(fresh: readonly string[]): string {
  if (fresh.length === 0) return 'none fresh'
  const counts = new Map<string, number>()
  for (const name of fresh) {
    const part = name.split('.').slice(0, 2).join('.')
    counts.set(part, (counts.get(part) ?? 0) + 1)
  }
  return `${fresh.length} start fresh: ${[...counts].map(([part, count]) => `${part} ${count}`).join(', ')}`
}

/** `DATASET` is its gold, else its last grounding; `DATASET:STAGE` is that of a filter stage. */
async function sourceOf(given: string): Promise<SampleSource> {
  const [, url, asked] = /^(.*?)(?::([a-z0-9-]+))?$/.exec(given) as unknown as [string, string, string?]
  const dataset = await openDataset(url)
  const { storage, name, shards, isGold, groundings } = dataset
  const grounding = asked ?? (isGold ? name : groundings.at(-1)) ?? name
  const phrases = await phrasesOfGrounding(dataset, grounding)
  return { name: asked ? `${name}-${asked}` : name, storage, shards, grounding, phrases }
}
