import { access, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseJson } from '../base/read-json.js'
import { UserError } from '../base/user-error.js'

/** Reads a JSON object of a model folder; undefined where the file is absent. */
export async function readJson(folder: string, name: string): Promise<Record<string, unknown> | undefined> {
  const path = join(folder, name)
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const value = parseJson(text, path)
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new UserError(`${path} does not hold a JSON object.`)
}

/** The same for a file that a model cannot do without. */
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
  const there = (await Promise.all([join(folder, 'onnx'), folder].map(onnxFiles))).flat()
  throw new UserError(
    `${folder} has no ${name}.onnx${there.length > 0 ? `; it has: ${there.join(', ')}` : ', nor any other .onnx file, in it or in onnx/'}.`,
  )
}

export async function optionalModelFile(folder: string, name: string): Promise<string | undefined> {
  for (const path of [join(folder, 'onnx', `${name}.onnx`), join(folder, `${name}.onnx`)])
    if (await access(path).then(...presence)) return path
  return undefined
}

const presence = [() => true, () => false] as const

async function onnxFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => name.endsWith('.onnx'))
}

/** Files of weights beside a model, by the names that exporters give them: which are its own, only the model knows. */
export async function weightFiles(model: string): Promise<string[]> {
  const folder = join(model, '..')
  const names = await readdir(folder)
  return names
    .filter((name) => /(_data(_\d+)?|\.data|\.bin|\.weight)$/.test(name))
    .map((name) => join(folder, name))
}
