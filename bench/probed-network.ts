/** A network of the toy's kind with the maps within it as results: what each layer knows of a place. */
import { join } from 'node:path'
import type { Tensor } from '../src/graph/ops/tensor.js'
import { floats, longs, Session, valueNamed } from '../src/graph/session.js'
import { toOnnx } from '../src/graph/to-onnx.js'
import { encodePrompt, tokensOf } from '../src/model/encode-prompt.js'
import { readModelConfig } from '../src/model/model-folder.js'
import { convBackbone } from '../src/model/network/backbone-conv.js'
import { type GlipConfig, levelStrides } from '../src/model/network/config.js'
import { fusionTower, glipInputs, head, pictureLevels } from '../src/model/network/glip.js'
import { initialValue, parametersOf } from '../src/model/network/parameters.js'
import { readTokenizer, type Tokenizer } from '../src/model/word-piece.js'
import { openSafetensors } from '../src/weights/safetensors.js'
import type { NamePrompt } from '../src/words/name-prompt.js'

/** A layer that is looked at. */
export interface ProbedLayer {
  readonly name: string
  /** Whether the prompt has a part in it. */
  readonly readsText: boolean
}

/** A picture as the network sees it, and what it is asked for. */
export interface ProbedSample {
  /** [S, S, 3], normalised. */
  readonly image: Float32Array
  readonly prompt: NamePrompt
}

/** What the network makes of a sample. */
export interface ProbedAnswer {
  /** A layer's features at a point of the input, in pixels. */
  featuresAt(layer: string, x: number, y: number): Float32Array
  /**
   * For each name of the prompt the mean of its words' probabilities at a point, on the finest level: what a
   * box there would be scored by.
   */
  scoresAt(x: number, y: number): number[]
}

export interface ProbedNetwork {
  readonly config: GlipConfig
  readonly layers: readonly ProbedLayer[]
  /**
   * @param read is told each sample's answer, by the sample's place; maps are let go of after it
   * @throws Error where a prompt is longer than the network takes
   */
  run(samples: readonly ProbedSample[], read: (answer: ProbedAnswer, sample: number) => void): Promise<void>
  close(): Promise<void>
}

/** Samples that are run at once. */
const batch = 16

/**
 * Opens a model folder with its layers as results: the backbone's, the finest level of the pyramid, of each
 * block of the tower what was fused and what came out (the last are the features that the head aligns with
 * words), and the region embeddings of the contrastive loss.
 *
 * @param weights those of the folder, or those that a network of its configuration starts from
 */
export async function openProbedNetwork(
  folder: string,
  weights: 'trained' | 'untrained',
): Promise<ProbedNetwork> {
  const config = await readModelConfig(folder)
  if (config.backbone.kind !== 'conv' || config.image_resize)
    throw new Error(`${folder} is of preset ${config.preset}: layers are known of the preset toy alone`)
  const tokenizer = await readTokenizer(join(folder, 'tokenizer.json'))
  const { maps, logits } = layersOf(config, config.backbone)
  const outputs = { ...Object.fromEntries(maps.map(({ name, tensor }) => [name, tensor])), logits }
  const values = new Map<string, Float32Array>()
  if (weights === 'untrained')
    for (const one of parametersOf([logits, ...maps.slice(-1).map(({ tensor }) => tensor)]))
      values.set(one.name, initialValue(one, 1))
  else {
    const file = await openSafetensors(join(folder, 'model.safetensors'))
    for (const [name, tensor] of file.tensors) values.set(name, await tensor.read())
    await file.close()
  }
  const model = toOnnx({
    outputs,
    parameters: (name) => {
      const value = values.get(name)
      if (!value) throw new Error(`${folder} has no value for ${name}`)
      return value
    },
  })
  const session = await Session.open(model, { threads: 1, ownGraph: true })
  return {
    config,
    layers: maps.map(({ name, readsText }) => ({ name, readsText })),
    async run(samples, read) {
      for (let at = 0; at < samples.length; at += batch) {
        const answers = await runBatch(session, config, tokenizer, maps, samples.slice(at, at + batch))
        answers.forEach((answer, index) => {
          read(answer, at + index)
        })
      }
    },
    close: () => session.close(),
  }
}

interface LayerMap extends ProbedLayer {
  /** [N, h, w, C], or [N, P, C] of which the first places are those of the finest level. */
  readonly tensor: Tensor
  readonly stride: number
}

function layersOf(
  config: GlipConfig,
  backbone: Extract<GlipConfig['backbone'], { readonly kind: 'conv' }>,
): { readonly maps: readonly LayerMap[]; readonly logits: Tensor } {
  const inputs = glipInputs(config, batch)
  const [stride = 1] = levelStrides(config)
  const [width] = backbone.widths
  // A backbone of one stage without blocks is the stem. Equal nodes are written once, so this costs nothing.
  const stem = convBackbone(inputs.image, { ...backbone, widths: [width], depths: [0] })
  const stages = convBackbone(inputs.image, backbone)
  const pyramid = pictureLevels(config, inputs.image)
  const { blocks, language } = fusionTower(config, pyramid, inputs)
  const { logits, contrastive } = head(config, blocks.at(-1)?.levels ?? pyramid, language)
  const finest = (levels: readonly Tensor[]) => levels[0] as Tensor
  const ofText = { readsText: true, stride }
  return {
    maps: [
      { name: 'stem', tensor: finest(stem), readsText: false, stride: backbone.patch },
      ...stages.map((tensor, stage) => ({
        name: `stage ${stage + 1}`,
        tensor,
        readsText: false,
        stride: backbone.patch * 2 ** stage,
      })),
      { name: 'pyramid', tensor: finest(pyramid), readsText: false, stride },
      ...blocks.flatMap(({ fused, levels }, block) => [
        ...(config.fusion ? [{ name: `fusion ${block + 1}`, tensor: finest(fused), ...ofText }] : []),
        { name: `block ${block + 1}`, tensor: finest(levels), ...ofText },
      ]),
      ...(contrastive ? [{ name: 'region embedding', tensor: contrastive.regions, ...ofText }] : []),
    ],
    logits,
  }
}

async function runBatch(
  session: Session,
  config: GlipConfig,
  tokenizer: Tokenizer,
  maps: readonly LayerMap[],
  samples: readonly ProbedSample[],
): Promise<ProbedAnswer[]> {
  const { image_size: size, text } = config
  const length = text.max_tokens
  const image = new Float32Array(batch * size * size * 3)
  const ids = new BigInt64Array(batch * length)
  const mask = new Float32Array(batch * length)
  const prompts = samples.map(({ image: own, prompt }, sample) => {
    const encoded = encodePrompt(prompt.text, tokenizer, length)
    if (tokenizer.encode(prompt.text).length > length)
      throw new Error(`"${prompt.text}" is longer than ${length} tokens`)
    image.set(own, sample * size * size * 3)
    ids.set(encoded.ids, sample * length)
    mask.set(encoded.mask, sample * length)
    return prompt.spans.map((span) => tokensOf(encoded, span))
  })
  const results = await session.run({
    image: floats(image, [batch, size, size, 3]),
    ids: longs(ids, [batch, length]),
    mask: floats(mask, [batch, length]),
  })
  const rowAt = (name: string, stride: number, sample: number, x: number, y: number): Float32Array => {
    const { data, shape } = valueNamed(results, name)
    const side = size / stride
    const cell = (at: number) => Math.min(side - 1, Math.max(0, Math.floor(at / stride)))
    const width = shape.at(-1) as number
    const places = shape.slice(1, -1).reduce((product, one) => product * one, 1)
    const from = (sample * places + cell(y) * side + cell(x)) * width
    return (data as Float32Array).slice(from, from + width)
  }
  const strides = new Map(maps.map(({ name, stride }) => [name, stride]))
  const [finest = 1] = levelStrides(config)
  return prompts.map((names, sample) => ({
    featuresAt: (layer, x, y) => rowAt(layer, strides.get(layer) as number, sample, x, y),
    scoresAt(x, y) {
      const logits = rowAt('logits', finest, sample, x, y)
      return names.map(
        (tokens) =>
          tokens.reduce((sum, token) => sum + 1 / (1 + Math.exp(-logits[token]!)), 0) / tokens.length,
      )
    },
  }))
}
