import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readTextIfThere } from '../base/files/read-file.js'
import { shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { openSafetensors } from '../weights/safetensors.js'
import type { StoredTensor, WeightFile } from '../weights/weight-file.js'
import { localModelFolder } from './fetch-onnx.js'
import type { Parameter } from './network/parameters.js'

/** The mark, in a file's metadata, of weights that are not those of a whole network. */
export const partialWeights = { weights: 'partial' } as const

/** The `model_type` of this program's own models. */
const ownFamily = 'groundmill-glip'

/** Weights that training starts from. `close` frees the file. */
export interface StartWeights {
  /** For each parameter that is taken, its values. */
  readonly taken: ReadonlyMap<string, StoredTensor>
  /** Names of the parameters that start fresh. */
  readonly fresh: readonly string[]
  close: WeightFile['close']
}

/**
 * Why training cannot start from what is at a path, in words; undefined where it is a model of this program, imported
 * weights, or nothing that can be read: that is told of when it is opened.
 */
export async function startProblem(path: string): Promise<string | undefined> {
  const use =
    'it can label (teach, rounds.teacher) and be measured (evaluate, benchmark); training starts from a model that groundmill has trained, or from weights that import-model has imported'
  if ((await stat(path).catch(() => undefined))?.isFile()) return `${path} is a file: ${use}`
  const text = await readTextIfThere(join(path, 'config.json')).catch(() => undefined)
  let type: unknown
  try {
    type = (JSON.parse(text ?? 'null') as { readonly model_type?: unknown } | null)?.model_type
  } catch {
    return undefined
  }
  if (type === undefined || type === ownFamily) return undefined
  return `${path} is a model of another family (model_type ${shownValue(type)}): ${use}`
}

/** What training starts from on this machine: of the Hub with its weights, where it is of a family that may be. */
export const localStart = (folder: string): Promise<string> =>
  localModelFolder(folder, async (listing) =>
    (await startProblem(listing.folder)) === undefined
      ? ['model.safetensors', 'record.json'].filter((name) => listing.names.includes(name))
      : [],
  )

/** The tokenizer of a folder to start from, which imported weights of a backbone do not have. */
export async function startTokenizer(folder: string): Promise<string | undefined> {
  const path = join(folder, 'tokenizer.json')
  return (await stat(path).catch(() => undefined)) ? path : undefined
}

/**
 * Opens a model folder, or a folder of imported weights of parts of a network, for a network with these
 * parameters.
 *
 * @param mayBeFresh parameters that a whole model need not have
 * @throws UserError where a shape differs, or where a whole model lacks a parameter
 */
export async function openStartWeights(
  folder: string,
  parameters: readonly Pick<Parameter, 'name' | 'shape'>[],
  mayBeFresh: (name: string) => boolean = () => false,
): Promise<StartWeights> {
  const path = join(folder, 'model.safetensors')
  const file = await openSafetensors(path)
  try {
    const isPartial = file.metadata.weights === partialWeights.weights
    const taken = new Map<string, StoredTensor>()
    const fresh: string[] = []
    for (const { name, shape } of parameters) {
      const tensor = file.tensors.get(name)
      if (tensor && tensor.shape.join() !== shape.join())
        throw new UserError(
          `Parameter ${name} has shape [${tensor.shape}] in the model to start from, [${shape}] here.`,
        )
      if (tensor) taken.set(name, tensor)
      else if (isPartial || mayBeFresh(name)) fresh.push(name)
      else throw new UserError(`The model to start from has no parameter ${name}: its preset differs.`)
    }
    if (taken.size === 0) throw new UserError(`${path} has no parameter of this network: its preset differs.`)
    return { taken, fresh, close: () => file.close() }
  } catch (error) {
    await file.close()
    throw error
  }
}
