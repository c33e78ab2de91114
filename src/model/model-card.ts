import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type GlipConfig, queriesOf } from './network/config.js'

export interface CardFacts {
  readonly name: string
  readonly config: GlipConfig
  /** An identifier as Hugging Face knows them, such as `apache-2.0`; `unknown` where nobody said. */
  readonly license: string
  /** Where the weights come from, in Markdown: data, start, recipe. */
  readonly lineage: string
}

/** The README of a model folder: what the model is, where it comes from, how it is loaded. */
export function modelCard({ name, config, license, lineage }: CardFacts): string {
  return `---
library_name: groundmill
pipeline_tag: zero-shot-object-detection
license: ${license}
tags: [glip, grounding, onnx]
---

# ${name}

A GLIP network (preset \`${config.preset}\`, ${sizesText(config)} pixels, ${config.text.max_tokens} tokens).

${lineage.trim()}

## Loading

\`groundmill teach DATASET --model FOLDER\` labels with it, \`groundmill train … --set init=FOLDER\` starts from it, and
\`groundmill export-model FOLDER -o FILE.safetensors\` writes it with the official GLIP names and PyTorch's layouts.

Any onnxruntime runs \`model.onnx\`, which needs \`model.safetensors\` beside it${config.image_sizes && config.image_sizes.length > 1 ? ', and so do\nthe files for other sizes of input' : ''}. Inputs: \`image\` [N, H, W, 3] float32,
normalised by \`preprocessor_config.json\`; \`ids\` [N, L] int64 and \`mask\` [N, L] float32 of \`tokenizer.json\`. Outputs:
\`scores\` [N, A, L], the probability that a place shows a word; \`boxes\` [N, A, 4], x1 y1 x2 y2 in pixels of the input;
${queriesOf(config) === undefined ? '`objectness` [N, A]' : 'A counts queries'}.
`
}

function sizesText({ image_sizes: sizes, image_size: side }: GlipConfig): string {
  return (sizes ?? [[side, side]]).map(([height, width]) => `${height}x${width}`).join(', ')
}

/** A score of a model on a held-out set. */
export interface CardScore {
  readonly set: string
  readonly name: string
  readonly value: number
}

/** A card with another licence. */
export function withLicense(card: string, license: string): string {
  return card.replace(/^(---\n[\s\S]*?)^license: .*$/m, `$1license: ${license}`)
}

/** The licence that the card of a model folder names; `unknown` where it names none. */
export async function licenseOf(folder: string): Promise<string> {
  const card = await readFile(join(folder, 'README.md'), 'utf8').catch(() => '')
  return /^---\n[\s\S]*?^license: (.*)$/m.exec(card)?.[1] ?? 'unknown'
}

/** A card with what came of a promotion, as its last section, in the place of an earlier one. */
export function withPromotion(card: string, text: string): string {
  const before = card.split('\n## Promotion\n')[0]?.trimEnd()
  return `${before}\n\n## Promotion\n\n${text.trim()}\n`
}

/** A card with scores, as its last section and as the metadata that Hugging Face reads. */
export function withScores(card: string, model: string, scores: readonly CardScore[]): string {
  if (scores.length === 0) return card
  const sets = [...new Set(scores.map(({ set }) => set))]
  const results = sets.flatMap((set) => [
    '  - task: { type: zero-shot-object-detection }',
    `    dataset: { name: ${JSON.stringify(set)}, type: ${JSON.stringify(set)} }`,
    '    metrics:',
    ...scores
      .filter((score) => score.set === set)
      .map(({ name, value }) => `    - { type: ${name}, name: ${name}, value: ${value} }`),
  ])
  const index = ['model-index:', `- name: ${JSON.stringify(model)}`, '  results:', ...results].join('\n')
  const rows = scores.map(({ set, name, value }) => `| ${set} | ${name} | ${value.toFixed(4)} |`)
  const table = ['## Scores', '', '| held out | score | value |', '| --- | --- | --- |', ...rows].join('\n')
  return `${card.replace(/^(---\n[\s\S]*?\n)---\n/, `$1${index}\n---\n`)}\n${table}\n`
}
