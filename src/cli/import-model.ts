import { basename, dirname, resolve } from 'node:path'
import { z } from 'zod'
import { counted } from '../base/counted.js'
import { parseConfig } from '../base/files/parse-config.js'
import { UserError } from '../base/user-error.js'
import { type Part, parts } from '../model/checkpoint-names.js'
import { type ImportResult, importModel } from '../model/import-model.js'
import type { ImageSize } from '../model/network/config.js'
import { requireOwnFolder } from '../model/require-own-folder.js'
import { acquireLock } from '../storage/lock.js'
import { openStorage } from '../storage/open-storage.js'
import { setOptions } from './options/set-options.js'
import { print, printJson } from './terminal/print.js'
import { whileWorking } from './terminal/progress.js'
import { tellFailure } from './terminal/run-end.js'

export interface ImportModelOptions {
  readonly out: string
  readonly preset: string
  readonly part: readonly string[]
  readonly tokenizer?: string
  readonly ema?: boolean
  readonly allowMissing?: boolean
  readonly batch: number
  readonly sizes?: string
  readonly set: readonly string[]
  readonly json?: boolean
}

const changesSchema = z.strictObject({
  image_size: z.number().int().positive().optional(),
  max_tokens: z.number().int().positive().optional(),
})

/**
 * `groundmill import-model CHECKPOINT…`: published weights as a model folder, every one of them accounted
 * for.
 */
export async function importModelCommand(
  checkpoints: readonly string[],
  options: ImportModelOptions,
): Promise<void> {
  const wanted = {
    checkpoints,
    folder: options.out,
    preset: options.preset,
    parts: options.part.length > 0 ? options.part.map(partOf) : ['all' as const],
    tokenizer: options.tokenizer,
    average: options.ema ?? false,
    allowMissing: options.allowMissing ?? false,
    batch: options.batch,
    sizes: options.sizes === undefined ? undefined : readSizes(options.sizes),
    changes: parseConfig(changesSchema, setOptions(options.set), '--set'),
  }
  const out = resolve(options.out)
  await requireOwnFolder(out)
  const what = `importing ${checkpoints.join(', ')}`
  const lock = await acquireLock(openStorage(dirname(out)), `${basename(out)}.lock`, { what, wait: false })
  const result = await whileWorking(what, () => importModel(wanted)).finally(lock.release)
  if (!options.json) print(importText(result, options.out))
  const isRefused = result.written === 'nothing'
  const end = tellFailure(isRefused ? { message: refusal(result), code: 2 } : undefined)
  if (options.json) printJson({ ...result, ...end })
}

/** `HEIGHTxWIDTH,…` in pixels; a size that is given twice counts once. */
function readSizes(text: string): ImageSize[] {
  return [...new Set(text.split(','))].map((one) => {
    const match = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(one.trim())
    if (!match)
      throw new UserError(
        `--sizes ${text}: expected HEIGHTxWIDTH, with commas between, such as 800x1344,1344x800.`,
      )
    return { height: Number(match[1]), width: Number(match[2]) }
  })
}

function partOf(name: string): Part {
  if (!Object.hasOwn(parts, name))
    throw new UserError(`--part ${name}: use one of ${Object.keys(parts).join(', ')}.`)
  return name as Part
}

function refusal({ matched, missing, wrongShape, sources }: ImportResult): string {
  const paths = sources.map(({ path }) => path).join(', ')
  if (matched.length + wrongShape.length === 0)
    return `Nothing was written: ${paths} has no weight of what was asked for.`
  return `Nothing was written: ${missing.length} parameters are missing and ${wrongShape.length} have a wrong shape. Import a --part, choose another --preset, or take what there is with --allow-missing.`
}

/** Lines of a list that are printed; --json has all of it. */
const longest = 20

function importText(result: ImportResult, out: string): string {
  const { sources, matched, values, missing, wrongShape, absent, unused, ignored, others } = result
  const shape = (sides: readonly number[]) => `[${sides.join(', ')}]`
  const reasons = new Map<string, string[]>()
  for (const { key, reason } of ignored) reasons.set(reason, [...(reasons.get(reason) ?? []), key])
  const lines = [
    ...sources.map(({ path, source }) => `${path}: ${source}`),
    `${counted(matched.length, 'parameter')} taken, ${(values / 1e6).toFixed(1)} million values`,
    ...list('missing', missing, (one) => `${one.name} ${shape(one.shape)}`),
    ...list(
      'of a wrong shape',
      wrongShape,
      ({ name, key, expected, found }) => `${name} needs ${shape(expected)}, ${key} has ${shape(found)}`,
    ),
    ...(absent.length > 0
      ? list('that such files never have, to start fresh', absent, ({ name, reason }) => `${name}: ${reason}`)
      : []),
    ...list('unused', unused, (one) => `${one.key} ${shape(one.shape)}`),
    `${ignored.length} ignored`,
    ...[...reasons].map(([reason, keys]) => `  ${keys.length} ${keys[0]}${keys[1] ? ', …' : ''}: ${reason}`),
    ...(others.length > 0 ? [`beside the weights: ${others.join(', ')}`] : []),
    ...(result.written === 'model' ? [`${out} is a model: it labels, evaluates and can be trained`] : []),
    ...(result.written === 'weights'
      ? [`${out} has weights for \`train --set init=${out}\`; it is no whole model`]
      : []),
  ]
  return lines.join('\n')
}

function list<T>(what: string, items: readonly T[], line: (item: T) => string): string[] {
  const more = items.length > longest ? [`  and ${items.length - longest} more; --json has them all`] : []
  return [`${items.length} ${what}`, ...items.slice(0, longest).map((item) => `  ${line(item)}`), ...more]
}
