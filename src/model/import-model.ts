import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { writeFileAtomic } from '../base/files/write-file-atomic.js'
import { UserError } from '../base/user-error.js'
import { fetchModelFile } from '../hub/fetch-model.js'
import { isHub } from '../hub/hub-address.js'
import { openWeightFile } from '../weights/open-weight-file.js'
import { writeSafetensors } from '../weights/safetensors.js'
import type { Part } from './checkpoint-names.js'
import { modelCard } from './model-card.js'
import { writeModelFolder } from './model-folder.js'
import { type GlipConfig, type ImageSize, sizeStep } from './network/config.js'
import { glipConfig, officialSizes } from './network/presets.js'
import { parameterSpecs } from './parameter-specs.js'
import { type Checkpoint, type ImportReport, planImport } from './plan-import.js'
import { partialWeights } from './start-weights.js'
import { readTokenizer, type Tokenizer, tokenizerJson } from './word-piece.js'

export interface ImportOptions {
  /** Files of weights: one with the whole network, or one for each part. */
  readonly checkpoints: readonly string[]
  /** The folder to write. */
  readonly folder: string
  readonly preset: string
  readonly parts: readonly Part[]
  /** `tokenizer.json` or `vocab.txt`, or a repository of the Hub (`hf://ORG/MODEL`) that has one; where not given it is looked for beside the checkpoints. */
  readonly tokenizer?: string
  /** Take the moving averages of a training state. */
  readonly average: boolean
  /** Write what there is where parameters are missing or of a wrong shape, for training to start from. */
  readonly allowMissing: boolean
  /** Pictures that `model.onnx` takes in one run. */
  readonly batch: number
  /** Sizes of inputs to write graphs for; those of the official network where nothing else is asked for. */
  readonly sizes?: readonly ImageSize[]
  readonly changes: { readonly image_size?: number; readonly max_tokens?: number }
}

export interface ImportResult extends ImportReport {
  /** A model that can label, weights for training to start from, or nothing where weights are missing. */
  readonly written: 'model' | 'weights' | 'nothing'
}

/**
 * Writes the weights of published checkpoints as a model folder; where they are not those of a whole network,
 * as a folder of weights that `train` starts from. Nothing is written where parameters are missing or of a
 * wrong shape, unless that is allowed. Tensors are read and written one at a time.
 */
export async function importModel(options: ImportOptions): Promise<ImportResult> {
  const { folder, preset, parts } = options
  const needsTokenizer = parts.some((part) => part !== 'backbone')
  const tokenizer = needsTokenizer ? await findTokenizer(options) : undefined
  // The vocabulary decides the size of the word embeddings alone, which no backbone has.
  const config = withSizes(glipConfig(preset, tokenizer?.vocabulary.size ?? 1, options.changes), options)
  const checkpoints: Checkpoint[] = []
  try {
    for (const path of options.checkpoints)
      checkpoints.push({ path, file: await openWeightFile(path, options) })
    const { report, arrays } = planImport(parameterSpecs(config), checkpoints, parts)
    const { missing, wrongShape, absent } = report
    if (arrays.length === 0) return { ...report, written: 'nothing' }
    if (missing.length + wrongShape.length > 0 && !options.allowMissing)
      return { ...report, written: 'nothing' }

    if (parts.includes('all') && missing.length + wrongShape.length + absent.length === 0) {
      const { vocabulary } = tokenizer as Tokenizer
      const name = basename(resolve(folder))
      const card = modelCard({ name, config, license: 'unknown', lineage: await lineageOf(report) })
      await writeModelFolder(folder, { config, vocabulary, parameters: arrays, card, batch: options.batch })
      await writeReport(folder, report)
      return { ...report, written: 'model' }
    }
    // Weights of a part under a whole model's config.json would pass for that model.
    if (await stat(join(folder, 'config.json')).catch(() => undefined))
      throw new UserError(`${folder} holds a whole model: give another folder for weights of a part of one.`)
    await writeSafetensors(join(folder, 'model.safetensors'), arrays, { ...partialWeights, preset })
    if (tokenizer) await writeFileAtomic(join(folder, 'tokenizer.json'), tokenizerJson(tokenizer.vocabulary))
    await writeReport(folder, report)
    return { ...report, written: 'weights' }
  } finally {
    await Promise.all(checkpoints.map(({ file }) => file.close()))
  }
}

/** A configuration with the sizes that graphs are written for. */
function withSizes(config: GlipConfig, { sizes, changes }: ImportOptions): GlipConfig {
  const { image_resize: resize, preset } = config
  if (!resize) {
    if (sizes)
      throw new UserError(`--sizes: preset "${preset}" shows every picture on one square, image_size.`)
    return config
  }
  const step = sizeStep(config)
  const wrong = sizes?.find(({ height, width }) => height % step !== 0 || width % step !== 0)
  if (wrong)
    throw new UserError(
      `--sizes ${wrong.height}x${wrong.width}: sizes of preset "${preset}" are multiples of ${step}.`,
    )
  const wanted = sizes ?? (changes.image_size === undefined ? officialSizes : undefined)
  return wanted
    ? { ...config, image_sizes: wanted.map(({ height, width }) => [height, width] as const) }
    : config
}

async function writeReport(folder: string, report: ImportReport): Promise<void> {
  await writeFileAtomic(join(folder, 'import.json'), `${JSON.stringify(report, null, 1)}\n`)
}

async function findTokenizer({ checkpoints, tokenizer }: ImportOptions): Promise<Tokenizer> {
  if (tokenizer && isHub(tokenizer))
    return readTokenizer(await fetchModelFile(tokenizer, ['tokenizer.json', 'vocab.txt']))
  if (tokenizer) return readTokenizer(tokenizer)
  for (const checkpoint of checkpoints) {
    const isFolder = (await stat(checkpoint).catch(() => undefined))?.isDirectory()
    for (const name of ['tokenizer.json', 'vocab.txt']) {
      const path = join(isFolder ? checkpoint : dirname(checkpoint), name)
      if (await stat(path).catch(() => undefined)) return readTokenizer(path)
    }
  }
  throw new UserError(
    `There is no tokenizer.json or vocab.txt beside ${checkpoints.join(' or ')}: give the one of bert-base-uncased with --tokenizer.`,
  )
}

async function lineageOf({ sources, matched, values, ignored }: ImportReport): Promise<string> {
  const rows: string[] = []
  for (const { path, source } of sources)
    rows.push(`| ${basename(path)} | ${source} | ${await hashOf(path)} |`)
  return `Imported by groundmill: ${matched.length} parameters, ${(values / 1e6).toFixed(1)} million values; ${ignored.length} weights of
the file are not part of the network (\`import.json\` names them all). The licence of the weights is that of their publisher.

| checkpoint | names | sha256 |
| --- | --- | --- |
${rows.join('\n')}
`
}

/** SHA-256 of a file; a folder of shards has none of its own. */
async function hashOf(path: string): Promise<string> {
  if ((await stat(path)).isDirectory()) return '-'
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}
