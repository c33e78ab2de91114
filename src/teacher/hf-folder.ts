import { access, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { jsonOf } from '../base/read-json.js'
import { UserError } from '../base/user-error.js'

/** Reads a JSON object of a model folder; undefined where the file is absent. */
export async function readJson(folder: string, name: string): Promise<Record<string, unknown> | undefined> {
  const path = join(folder, name)
  const text = await readFile(path, 'utf8').catch(() => undefined)
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
  throw new UserError(
    `${folder} has no ${name}.onnx${others.length > 0 ? `; it has: ${others.join(', ')}` : ', nor any other .onnx file, in it or in onnx/'}.`,
  )
}

export async function optionalModelFile(folder: string, name: string): Promise<string | undefined> {
  for (const path of [join(folder, 'onnx', `${name}.onnx`), join(folder, `${name}.onnx`)])
    if (await exists(path)) return path
  return undefined
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
 * Files of weights beside a model, by the names that exporters give them. They may belong to another model of
 * the folder: which ones a model reads stands in the model itself.
 */
export async function weightFiles(model: string): Promise<string[]> {
  const folder = join(model, '..')
  const names = await readdir(folder)
  return names
    .filter((name) => /(_data(_\d+)?|\.data|\.bin|\.weight)$/.test(name))
    .map((name) => join(folder, name))
}
