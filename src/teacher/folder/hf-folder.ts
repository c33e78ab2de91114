import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readTextIfThere } from '../../base/files/read-file.js'
import { jsonOf } from '../../base/files/read-json.js'
import { nameList, shownName, shownValue } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import { withoutNulls } from '../../base/without-nulls.js'
import { externalWeights } from '../../weights/check-onnx-file.js'

/** Reads a JSON object of a model folder; undefined where the file is absent. */
export async function readJson(folder: string, name: string): Promise<Record<string, unknown> | undefined> {
  const path = join(folder, name)
  const text = await readTextIfThere(path)
  if (text === undefined) return undefined
  const value = jsonOf(text, path)
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new UserError(`${path} does not hold a JSON object.`)
}

/** Reads a JSON object that a model folder must have. Throws a UserError where it has not. */
export async function requireJson(folder: string, name: string): Promise<Record<string, unknown>> {
  const value = await readJson(folder, name)
  if (!value) throw new UserError(`${folder} is not a whole model folder: ${name} is missing.`)
  return value
}

/** Of tokens in a text or in a vocabulary: the largest have a quarter of that. */
const mostCount = 1_000_000

/**
 * A number that a configuration gives, such as one of tokens; undefined where it has none.
 *
 * @param place of the key in messages, as "folder/config.json: text_config."
 * @param least 1 for a count, 0 for the number of a token
 * @throws UserError where it is something else
 */
export function countIn(config: unknown, key: string, place: string, least: 0 | 1 = 1): number | undefined {
  const value = (config as Readonly<Record<string, unknown>> | null | undefined)?.[key]
  if (value === undefined || value === null) return undefined
  if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= mostCount)
    return Number(value)
  throw new UserError(
    `${place}${key} is ${shownValue(value)}, not a count${least > 0 ? ' above 0' : ''}${Number(value) > mostCount ? `, or one above ${mostCount}` : ''}.`,
  )
}

/**
 * The configuration of a folder's image processor, and the file and key that it stands in: `image_processor`
 * of `processor_config.json`, where transformers 5 writes it, else `preprocessor_config.json`. Where there are
 * both, the first one counts, as it does there (image_processing_base.py, get_image_processor_dict). What is
 * null is as if it were absent; but a step (`do_pad`) that is null is not done, for Python takes it for false.
 *
 * @throws UserError where there is neither, as transformers does
 */
export async function imageProcessorConfig(
  folder: string,
): Promise<{ readonly config: Readonly<Record<string, unknown>>; readonly place: string }> {
  const nested = await nestedProcessor(folder)
  const config = nested ?? (await readJson(folder, 'preprocessor_config.json'))
  if (!config)
    throw new UserError(
      `${folder} is not a whole model folder: preprocessor_config.json is missing, and so is processor_config.json with an image_processor. One of them says how pictures are resized and normalised.`,
    )
  const place = nested ? 'processor_config.json: image_processor.' : 'preprocessor_config.json: '
  const steps = Object.entries(config).filter(([key, value]) => value === null && key.startsWith('do_'))
  const undone = Object.fromEntries(steps.map(([key]) => [key, false]))
  return { config: { ...(withoutNulls(config) as object), ...undone }, place: `${folder}/${place}` }
}

async function nestedProcessor(folder: string): Promise<Record<string, unknown> | undefined> {
  const { image_processor: nested } = (await readJson(folder, 'processor_config.json')) ?? {}
  if (nested === undefined || nested === null) return undefined
  if (typeof nested === 'object' && !Array.isArray(nested)) return nested as Record<string, unknown>
  throw new UserError(`${folder}/processor_config.json: image_processor is not a JSON object.`)
}

/**
 * The paths of the files with these names that a folder has, and of `processor_config.json` where that says
 * how pictures are read: what hashes of model folders are made from.
 */
export async function configFiles(folder: string, names: readonly string[]): Promise<string[]> {
  const read = (await nestedProcessor(folder)) ? [...names, 'processor_config.json'] : names
  const paths = read.map((name) => join(folder, name))
  const present = await Promise.all(paths.map(exists))
  return paths.filter((_, index) => present[index])
}

/**
 * The ONNX file of a Hugging Face folder, which lies in `onnx/` or beside `config.json`.
 *
 * @param name without `.onnx`, such as `model_fp16`
 * @throws UserError that lists what there is instead
 */
export async function modelFile(folder: string, name: string): Promise<string> {
  const found = await optionalModelFile(folder, name)
  if (found) return found
  const others = (await Promise.all([join(folder, 'onnx'), folder].map(onnxFiles))).flat()
  if (others.length > 0) throw new UserError(`${folder} has no ${name}.onnx; it has: ${nameList(others)}.`)
  const weights = (await readdir(folder).catch(() => [])).find((file) =>
    /\.(safetensors|bin|pth?)$/.test(file),
  )
  throw new UserError(
    `${folder} has no ${name}.onnx, nor any other .onnx file, in it or in onnx/.${weights === undefined ? '' : ` Of ${shownName(weights)} no teacher is made: it has to be exported to ONNX, or take a repository that has been (docs/teachers.md, Exports).`}`,
  )
}

export async function optionalModelFile(folder: string, name: string): Promise<string | undefined> {
  for (const path of [join(folder, 'onnx', `${name}.onnx`), join(folder, `${name}.onnx`)])
    if (await exists(path)) return path
  return undefined
}

/** The model of a folder whose file has a name of its own: `model.onnx`, or the only one beside `text_model.onnx`. */
export async function soleModelFile(folder: string): Promise<string | undefined> {
  const usual = await optionalModelFile(folder, 'model')
  if (usual) return usual
  const places = [join(folder, 'onnx'), folder]
  const found = await Promise.all(
    places.map(async (place) => (await onnxFiles(place)).map((name) => join(place, name))),
  )
  const [first, ...others] = found.flat().filter((path) => !/text_model[^/]*$/.test(path))
  return others.length === 0 ? first : undefined
}

export async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}

async function onnxFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => name.endsWith('.onnx'))
}

/**
 * Files of weights beside the models of a folder, sorted: those that they name, whatever else lies there; of a file that
 * cannot be read as a model, those that have a name as exporters give it.
 */
export async function weightFiles(...models: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  for (const model of models) {
    const folder = join(model, '..')
    const named = await externalWeights(model).catch(() => undefined)
    const names = named
      ? [...named.keys()]
      : (await readdir(folder)).filter((name) => /(_data(_\d+)?|\.data|\.bin|\.weight)$/.test(name))
    // One that is missing is told of where the model is checked.
    for (const path of names.map((name) => join(folder, name))) if (await exists(path)) found.add(path)
  }
  return [...found].sort()
}
