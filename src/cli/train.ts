import { basename, resolve } from 'node:path'
import { parseConfig } from '../parse-config.js'
import { readDataset } from '../shards/dataset.js'
import { openStorage } from '../shards/storage.js'
import { trainConfig } from '../train/config.js'
import type { SampleSource } from '../train/read-samples.js'
import { trainModel } from '../train/train-model.js'
import { UserError } from '../user-error.js'
import { createProgress, duration } from './progress.js'
import { readStats } from './read-stats.js'
import { setOptions } from './set-options.js'

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
    onNotice: (text) => progress.finish(`  ${text}`),
    onProgress: ({ step, loss }) =>
      progress.update(options.out, step, config.steps, `loss ${loss.toFixed(3)}`),
  })
  progress.finish(`✓ ${options.out}  ${steps} steps, loss ${last.loss.toFixed(3)}, ${duration(seconds)}`)
  if (options.json) process.stdout.write(`${JSON.stringify({ model: options.out, steps, seconds, last })}\n`)
}

/** Gold ingest wrote phrases and grounding under one name; a filter's grounding points to a chunk stage's phrases. */
async function sourceOf(given: string): Promise<SampleSource> {
  const [, url, asked] = /^(.*?)(?::([a-z0-9-]+))?$/.exec(given) as unknown as [
    string,
    string,
    string | undefined,
  ]
  const storage = openStorage(url)
  const { name, shards } = await readDataset(storage)
  const stages = await readStats(url)
  const grounding = asked ?? name
  const isGold = stages.some(({ stage, family }) => stage === grounding && family === 'images')
  const phrases = isGold ? grounding : stages.filter(({ family }) => family === 'phrases').at(-1)?.stage
  if (!isGold && !stages.some(({ stage, family }) => stage === grounding && family === 'grounding')) {
    const known = stages
      .filter(({ family }) => family === 'grounding' || family === 'images')
      .map(({ stage }) => stage)
    throw new UserError(`${url} has no grounding "${grounding}"; it has: ${known.join(', ')}.`)
  }
  return { name: asked ? `${name}-${asked}` : name, storage, shards, grounding, phrases: phrases as string }
}
