import { join } from 'node:path'
import { parseConfig } from '../base/files/parse-config.js'
import { readTextIfThere } from '../base/files/read-file.js'
import { jsonOf } from '../base/files/read-json.js'
import { writeFileAtomic } from '../base/files/write-file-atomic.js'
import { hashJson } from '../base/hash.js'
import { shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { sigmoid } from '../graph/ops/activation.js'
import type { Tensor } from '../graph/ops/tensor.js'
import { toOnnx } from '../graph/to-onnx.js'
import {
  type LazyArray,
  type NamedArray,
  type TensorPlace,
  writeSafetensors,
} from '../weights/safetensors.js'
import { localModelFolder } from './fetch-onnx.js'
import { glipConfigSchema } from './glip-config-schema.js'
import { type HashOptions, hashModelFiles } from './hash-model-files.js'
import { anchorsOf } from './network/anchors.js'
import { decodeBoxes } from './network/box-coder.js'
import { boxEdgesOf, type GlipConfig, type ImageSize, inputSizes, queriesOf } from './network/config.js'
import { glip, glipInputs } from './network/glip.js'
import { cornersInPixels, glipQueries } from './network/glip-queries.js'
import { noModelFolder } from './no-model-folder.js'
import { startProblem, startTokenizer } from './start-weights.js'
import { tokenizerJson } from './word-piece.js'

/** Pictures that a model file takes in one run where nothing else is asked for. */
const inferenceBatch = 8

export interface GlipModel {
  readonly config: GlipConfig
  readonly vocabulary: ReadonlyMap<string, number>
  readonly parameters: readonly (NamedArray | LazyArray)[]
  /** The text of the model card. */
  readonly card: string
  /**
   * Pictures that `model.onnx` takes in one run; 8 where it is not given, which is much for a large network.
   */
  readonly batch?: number
}

/** The ONNX files of a model folder, one for each of `inputSizes`. */
export const modelFiles = (config: GlipConfig): string[] =>
  inputSizes(config).map(({ height, width }, index) =>
    index === 0 ? 'model.onnx' : `model-${height}x${width}.onnx`,
  )

/** The files of such a folder that are opened, its configuration and tokenizer aside. */
export const ownFiles = (config: GlipConfig): string[] => [...modelFiles(config), 'model.safetensors']

/**
 * Writes a model folder: `model.onnx`, and a file beside it for each further size, all with their weights in
 * `model.safetensors`; `config.json`, `tokenizer.json`, `preprocessor_config.json` and the model card.
 * `config.json` comes last: without it the folder is not a model.
 */
export async function writeModelFolder(
  folder: string,
  { config, vocabulary, parameters, card, batch = inferenceBatch }: GlipModel,
): Promise<void> {
  const places = await writeSafetensors(join(folder, 'model.safetensors'), parameters)
  const files = modelFiles(config)
  for (const [index, size] of inputSizes(config).entries()) {
    await writeFileAtomic(join(folder, files[index]!), sizeGraph(config, batch, size, places))
  }
  const preprocessor = {
    image_processor_type: 'GroundmillImageProcessor',
    size: config.image_resize ?? { height: config.image_size, width: config.image_size },
    image_mean: config.image_mean,
    image_std: config.image_std,
    rescale_factor: 1 / 255,
    do_pad: true,
    data_format: 'channels_last',
  }
  await writeFileAtomic(join(folder, 'tokenizer.json'), tokenizerJson(vocabulary))
  await writeFileAtomic(
    join(folder, 'preprocessor_config.json'),
    `${JSON.stringify(preprocessor, null, 2)}\n`,
  )
  await writeFileAtomic(join(folder, 'README.md'), card)
  const written = { ...config, image_sizes: inputSizes(config).map(({ height, width }) => [height, width]) }
  await writeFileAtomic(join(folder, 'config.json'), `${JSON.stringify(written, null, 2)}\n`)
}

/**
 * The ONNX graph of a model for one size of input, over the weights in `model.safetensors`.
 *
 * @param places where each tensor lies in that file
 * @param portable whether it is written out of operators that WebGPU has; a folder's own files are not
 */
export function sizeGraph(
  config: GlipConfig,
  batch: number,
  size: ImageSize,
  places: ReadonlyMap<string, TensorPlace>,
  portable = false,
): Uint8Array {
  return toOnnx({
    outputs: detectorOutputs(config, batch, size),
    portable,
    parameters: (name) => {
      const place = places.get(name)
      if (!place) throw new UserError(`model.safetensors has no value for ${name}.`)
      return { location: 'model.safetensors', offset: place.offset, length: place.length }
    },
    metadata: { preset: config.preset },
  })
}

/**
 * What a model file gives: probabilities of words, boxes in pixels of the input, and centerness where the
 * network has it.
 */
function detectorOutputs(config: GlipConfig, batch: number, size: ImageSize): Record<string, Tensor> {
  const inputs = glipInputs(config, batch, size)
  if (queriesOf(config) !== undefined) {
    const { logits, boxes } = glipQueries(config, inputs)
    return { scores: sigmoid(logits), boxes: cornersInPixels(boxes, size) }
  }
  const outputs = glip(config, inputs)
  return {
    scores: sigmoid(outputs.logits),
    boxes: decodeBoxes(outputs.deltas, anchorsOf(config, size)),
    objectness: sigmoid(outputs.centerness),
  }
}

/**
 * Reads `config.json` of a model folder. Throws a UserError where the folder is not one of this program's, or
 * where a key of it cannot be what a network is built by (`glipConfigSchema`).
 */
export async function readModelConfig(folder: string): Promise<GlipConfig> {
  const path = join(folder, 'config.json')
  const text = await readTextIfThere(path)
  if (text === undefined) throw await noModelFolder(folder)
  const config = Object(jsonOf(text, path)) as Partial<GlipConfig>
  if (config.model_type !== 'groundmill-glip') {
    throw new UserError(
      `${path}: model_type ${shownValue(config.model_type)} is of another family: a model that groundmill has trained or imported was expected (groundmill-glip).`,
    )
  }
  if (!config.tower) {
    throw new UserError(`${path} is of an earlier version of groundmill: train or import the model again.`)
  }
  parseConfig(glipConfigSchema, config, path)
  // As it was read: hashes of configurations go by the order of keys.
  return config as GlipConfig
}

/**
 * SHA-256 over what decides a model's answers. Throws as `hashModelFiles` does.
 *
 * @param onFile is told the SHA-256 of each file
 */
export async function hashModel(folder: string, onFile?: HashOptions['onFile']): Promise<string> {
  const config = await readModelConfig(folder)
  const names = ['config.json', 'tokenizer.json', ...modelFiles(config), 'model.safetensors']
  const hash = await hashFiles(folder, names, onFile)
  return boxEdgesOf(config) === 'outer' ? hash : hashJson([hash, answersOfPixels])
}

/** Changed whenever a network with boxes of pixels is asked in another way: its answers are others then. */
const answersOfPixels = 'boxes scaled by their pixels'

/** A model of this program on this machine, of the Hub too, with all that it consists of and its card. */
export const localOwnModel = (folder: string): Promise<string> =>
  localModelFolder(folder, async (listing) => [
    'README.md',
    ...ownFiles(await readModelConfig(listing.folder)),
  ])

/** SHA-256 over what training takes from a folder to start from. Throws a UserError where nothing can start from it. */
export async function hashStart(folder: string): Promise<string> {
  const problem = await startProblem(folder)
  if (problem !== undefined) throw new UserError(`init: ${problem}.`)
  const tokenizer = await startTokenizer(folder)
  return hashFiles(folder, [...(tokenizer ? ['tokenizer.json'] : []), 'model.safetensors'])
}

const hashFiles = (
  folder: string,
  names: readonly string[],
  onFile?: HashOptions['onFile'],
): Promise<string> =>
  hashModelFiles(
    folder,
    names.map((name) => join(folder, name)),
    { withNames: false, ...(onFile && { onFile }) },
  )
