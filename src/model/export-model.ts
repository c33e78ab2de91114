import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../base/files/write-file-atomic.js'
import { UserError } from '../base/user-error.js'
import { openSafetensors, writeSafetensors } from '../weights/safetensors.js'
import { type CardScore, withLicense, withScores } from './model-card.js'
import { hashModel, localOwnModel, readModelConfig } from './model-folder.js'
import { parameterSpecs, toTorch } from './parameter-specs.js'

export interface ExportOptions {
  /** The model folder. */
  readonly folder: string
  /** The file to write, `NAME.safetensors`; its card is `NAME.md` beside it. */
  readonly file: string
  /** Whether the keys begin with `module.`, as those of the official checkpoints do. */
  readonly modulePrefix: boolean
  /** Scores for the card. */
  readonly scores: readonly CardScore[]
  /** The licence that the card names; the model folder's own where not given. */
  readonly license?: string
}

export interface ExportResult {
  readonly file: string
  readonly card: string
  readonly parameters: number
}

const extension = '.safetensors'

/**
 * Writes a model's weights with the official key names and in PyTorch's layouts, one tensor at a time, and
 * its card.
 */
export async function exportModel(options: ExportOptions): Promise<ExportResult> {
  const { file } = options
  if (!file.endsWith(extension))
    throw new UserError(
      `Cannot write ${file}: weights are exported as ${extension}. PyTorch reads that with safetensors.torch.load_file, and torch.save makes a .pth of it.`,
    )
  const folder = await localOwnModel(options.folder)
  const config = await readModelConfig(folder)
  const hash = await hashModel(folder)
  const weights = await openSafetensors(join(folder, 'model.safetensors'))
  try {
    const arrays = parameterSpecs(config).map((spec) => {
      const tensor = weights.tensors.get(spec.name)
      if (!tensor || tensor.shape.join() !== spec.shape.join())
        throw new UserError(
          `${folder} is not a whole model folder: its weights have no ${spec.name} [${spec.shape}].`,
        )
      return {
        name: options.modulePrefix ? `module.${spec.name}` : spec.name,
        shape: spec.torchShape,
        read: async () => toTorch(spec, await tensor.read()),
      }
    })
    await writeSafetensors(file, arrays, { preset: config.preset, model: hash })
    const card = `${file.slice(0, -extension.length)}.md`
    const text = await readFile(join(folder, 'README.md'), 'utf8').catch(() => {
      throw new UserError(`${folder} is not a whole model folder: README.md, its card, is missing.`)
    })
    const licensed = options.license ? withLicense(text, options.license) : text
    await writeFileAtomic(card, withScores(licensed, config.preset, options.scores))
    return { file, card, parameters: arrays.length }
  } finally {
    await weights.close()
  }
}
