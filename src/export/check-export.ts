import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { requireWritable } from '../base/files/require-writable.js'
import { UserError } from '../base/user-error.js'
import { checkClasses } from './classes.js'
import type { ExportConfig } from './config.js'
import { checkConfig } from './export-dataset.js'
import { reportName } from './export-folder.js'
import { formats } from './formats.js'

/**
 * Looks whether an export can be made, before there is anything to export: whether its format can do what is asked,
 * its folder can be written and holds nothing else, and the files that it names are there. Nothing is made.
 *
 * @param out its folder
 * @throws UserError that says why not
 */
export async function checkExport(config: ExportConfig, out: string): Promise<void> {
  const format = formats[config.format]
  checkConfig(config, format)
  await checkClasses(config.classes, format.classes !== undefined)
  if (config.link_from !== undefined && !(await stat(config.link_from).catch(() => undefined))?.isDirectory())
    throw new UserError(`link_from: ${config.link_from} is no folder.`)
  const target = resolve(out)
  const found = await stat(target).catch(() => undefined)
  if (found && !found.isDirectory()) throw new UserError(`${out} is a file: name a folder.`)
  const names = await readdir(target).catch(() => [])
  if (names.length > 0 && !(await stat(join(target, reportName)).catch(() => undefined)))
    throw new UserError(`${out} is there and holds no export: name a new folder.`)
  await requireWritable(target)
}
