import { localModelFolder } from '../model/fetch-onnx.js'
import { readLabels } from './closed-vocabulary.js'
import { requireJson } from './folder/hf-folder.js'

/** What a model folder says of itself. */
export interface ModelFacts {
  /** The `model_type` of its `config.json`. */
  readonly family: string
  /** How many labels a detector with a fixed list has; null of a model that is asked in words. */
  readonly labels: number | null
}

/** Families that give each box one of their labels, whatever is asked of them. */
const withLabels = ['detr', 'rt_detr', 'rt_detr_v2', 'torchvision-detector']

/** Reads what a model folder, or one of the Hub, says of itself. Throws a UserError where it is none. */
export async function modelFacts(model: string): Promise<ModelFacts> {
  // Its texts are enough.
  const folder = await localModelFolder(model, () => [])
  const config = await requireJson(folder, 'config.json')
  const family = String(config.model_type)
  return { family, labels: withLabels.includes(family) ? readLabels(folder, config).size : null }
}
