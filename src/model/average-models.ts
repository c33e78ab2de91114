import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson } from '../base/hash.js'
import { UserError } from '../base/user-error.js'
import { type LazyArray, openSafetensors } from '../weights/safetensors.js'
import type { StoredTensor, WeightFile } from '../weights/weight-file.js'
import { licenseOf, modelCard } from './model-card.js'
import { hashModel, readModelConfig, writeModelFolder } from './model-folder.js'
import type { GlipConfig } from './network/config.js'
import { readTokenizer } from './word-piece.js'

export interface AverageTask {
  /** What the model is called. */
  readonly name: string
  /** The folder to write. */
  readonly folder: string
  /** The two model folders. */
  readonly from: string
  readonly to: string
  /** Share of `to` in the mean, 0 to 1. */
  readonly weight: number
}

/**
 * Writes the model whose every parameter is the mean of those of two models, (1 - weight) from + weight to, as
 * WiSE-FT (Wortsman et al., 2022) mixes a model with what was fine-tuned from it. Of two models that were
 * trained apart the mean is of no use. One parameter is in memory at a time. Sizes of input are those of `to`.
 *
 * @throws UserError where the networks or the tokenizers differ
 */
export async function averageModels(task: AverageTask): Promise<void> {
  const { folder, from, to, weight } = task
  const none = (why: string) => new UserError(`${from} and ${to} have no mean: ${why}`)
  const config = await readModelConfig(to)
  const key = differingKey(await readModelConfig(from), config)
  if (key !== undefined)
    throw none(
      `their networks differ in "${key}" of config.json. A student must start from its teacher, and have its preset.`,
    )
  const tokenizer = join(to, 'tokenizer.json')
  const [first, second] = await Promise.all([readFile(join(from, 'tokenizer.json')), readFile(tokenizer)])
  if (!first.equals(second))
    throw none('their tokenizers differ. A student that starts from its teacher keeps its tokenizer.')
  const weights = await openSafetensors(join(to, 'model.safetensors'))
  try {
    const others = await openSafetensors(join(from, 'model.safetensors'))
    try {
      const parameters = meansOf(others, weights, weight)
      if (typeof parameters === 'string') throw none(`only one of them has ${parameters} with that shape.`)
      const { vocabulary } = await readTokenizer(tokenizer)
      await writeModelFolder(folder, { config, vocabulary, parameters, card: await meanCard(task, config) })
    } finally {
      await others.close()
    }
  } finally {
    await weights.close()
  }
}

/** Keys that say how pictures are shown, and nothing of the weights. */
const inputKeys = new Set(['image_size', 'image_sizes', 'image_resize'])

function differingKey(from: GlipConfig, to: GlipConfig): string | undefined {
  const [a, b] = [from, to] as unknown as Record<string, unknown>[]
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].find(
    (key) => !inputKeys.has(key) && canonicalJson(a?.[key] ?? null) !== canonicalJson(b?.[key] ?? null),
  )
}

/** The mean of every parameter, made when it is about to be written; the name of one that has none. */
function meansOf(from: WeightFile, to: WeightFile, weight: number): LazyArray[] | string {
  const extra = [...from.tensors.keys()].find((name) => !to.tensors.has(name))
  if (extra !== undefined) return extra
  const means: LazyArray[] = []
  for (const [name, second] of to.tensors) {
    const first = from.tensors.get(name)
    if (!first || first.shape.join() !== second.shape.join()) return name
    means.push({ name, shape: second.shape, read: () => meanOf(first, second, weight) })
  }
  return means
}

/** Computed in float64, so that the ends are the models themselves, bit for bit. */
async function meanOf(first: StoredTensor, second: StoredTensor, weight: number): Promise<Float32Array> {
  const values = await first.read()
  const others = await second.read()
  return values.map((value, index) => (1 - weight) * value + weight * others[index]!)
}

async function meanCard({ name, from, to, weight }: AverageTask, config: GlipConfig): Promise<string> {
  const [first, second] = await Promise.all([licenseOf(from), licenseOf(to)])
  const share = (part: number) => `${Number((100 * part).toPrecision(6))} %`
  const lineage = `The mean of two models, parameter by parameter.

| model | share | licence | SHA-256 |
| --- | --- | --- | --- |
| \`${from}\` | ${share(1 - weight)} | ${first} | ${await hashModel(from)} |
| \`${to}\` | ${share(weight)} | ${second} | ${await hashModel(to)} |`
  return modelCard({ name, config, license: first === second ? first : 'unknown', lineage })
}
