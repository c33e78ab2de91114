import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { UserError } from '../base/user-error.js'

/** A model as the Hugging Face Hub names it, also by its address there. */
const hubName = /^(?:https?:\/\/(?:www\.)?huggingface\.co\/)?([\w-][\w.-]*\/[\w-][\w.-]*)$/

/** Why a path that has no `config.json` is not the folder of a model, and what would be. */
export async function noModelFolder(path: string): Promise<UserError> {
  const isThere = async (one: string) => (await stat(one).catch(() => undefined)) !== undefined
  const error = (why: string) => new UserError(`${path} is not a model folder: ${why}.`)
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) return error(`${join(path, 'config.json')} is missing`)
  if (found) {
    const folder = dirname(path)
    return error(
      (await isThere(join(folder, 'config.json')))
        ? `it is a file; name the folder that it lies in, ${folder}`
        : 'it is a file, and a folder with its config.json and model.onnx is needed',
    )
  }
  const [, name] = hubName.exec(path) ?? []
  if (name === undefined || (await isThere(dirname(path)))) return error('there is no such folder')
  return error(
    `there is no such folder. If it is a model of the Hugging Face Hub, name it as one: hf://${name}`,
  )
}
