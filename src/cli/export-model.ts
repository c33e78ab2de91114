import { basename } from 'node:path'
import { counted } from '../base/counted.js'
import { readText } from '../base/files/read-file.js'
import { UserError } from '../base/user-error.js'
import type { AttributeTable } from '../evaluate/attribute-contrast.js'
import { exportModel } from '../model/export-model.js'
import type { CardScore } from '../model/model-card.js'
import { print, printJson } from './terminal/print.js'
import { whileWorking } from './terminal/progress.js'

export interface ExportModelOptions {
  readonly out: string
  readonly module?: boolean
  readonly scores: readonly string[]
  readonly license?: string
  readonly json?: boolean
}

/** Scores that a card shows, beside how far attributes are read. */
const shown = ['ap', 'ap50', 'recall1', 'recall5', 'recall10'] as const

/** `groundmill export-model`: official key names, PyTorch's layouts, and a card. */
export async function exportModelCommand(folder: string, options: ExportModelOptions): Promise<void> {
  const scores = (await Promise.all(options.scores.map(readScores))).flat()
  const { out: file, module = false, license } = options
  const result = await whileWorking(`writing ${file}`, () =>
    exportModel({ folder, file, modulePrefix: module, scores, license }),
  )
  if (options.json) printJson(result)
  else print(`${result.file}: ${counted(result.parameters, 'parameter')}; card: ${result.card}`)
}

/** What `evaluate --json` printed, or the record of a pipeline's evaluate stage. */
async function readScores(path: string): Promise<CardScore[]> {
  const text = await readText(path)
  let json: Record<string, unknown> = {}
  try {
    json = JSON.parse(text)
  } catch {}
  const values = (json.result ?? json) as Record<string, unknown>
  const set = basename(String(json.dataset ?? json.stage ?? ''))
  const attributes = values.attributes as AttributeTable | undefined
  const named = [
    ...shown.map((name) => [name, values[name]] as const),
    ...Object.entries(attributes ?? {}).map(([kind, { auc }]) => [`attribute_auc_${kind}`, auc] as const),
  ]
  const scores = named.flatMap(([name, value]) =>
    typeof value === 'number' && value >= 0 ? [{ set, name, value }] : [],
  )
  if (!set || scores.length === 0)
    throw new UserError(`${path} has no scores: give what \`groundmill evaluate --json\` printed.`)
  return scores
}
