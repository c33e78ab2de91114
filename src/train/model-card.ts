import type { GlipConfig } from '../model/config.js'
import type { StepMetrics } from './plot-losses.js'
import type { SampleStream } from './read-samples.js'
import type { TrainTask } from './train-model.js'

/** The README of a model folder. */
export function modelCard(
  { name, config, init }: TrainTask,
  streams: readonly SampleStream[],
  network: GlipConfig,
  last: StepMetrics,
): string {
  const sources = streams.map(({ name: own, size }) => `| ${own} | ${size} | ${config.mix[own] ?? 1} |`)
  const terms = ['classification', 'regression', 'grounding', 'contrastive']
    .filter((term) => term in last)
    .map((term) => `${term} ${last[term].toFixed(4)}`)
    .join(', ')
  return `---
library_name: groundmill
pipeline_tag: zero-shot-object-detection
tags: [glip, grounding, onnx]
---

# ${name}

A GLIP network (preset \`${network.preset}\`, ${network.image_size} pixels, ${network.text.max_tokens} tokens) trained by groundmill.
${init ? 'It started from the weights of another model.' : 'It started from random weights.'}

| source | samples | weight |
| --- | --- | --- |
${sources.join('\n')}

${config.steps} steps of ${config.batch} pictures, AdamW at ${config.learning_rate}, seed ${config.seed}. Last loss: ${last.loss.toFixed(4)}
(${terms}).

Inputs of \`model.onnx\`: \`image\` [N, S, S, 3] float32, normalised by \`preprocessor_config.json\`; \`ids\` [N, L] int64 and
\`mask\` [N, L] float32 of \`tokenizer.json\`. Outputs: \`scores\` [N, A, L], the probability that a place shows a word;
\`boxes\` [N, A, 4], x1 y1 x2 y2 in pixels of the input; \`objectness\` [N, A].
`
}
