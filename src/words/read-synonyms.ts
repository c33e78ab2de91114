import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { packaged } from '../base/files/packaged.js'
import { parseConfig } from '../base/files/parse-config.js'
import { readYaml } from '../base/files/parse-yaml.js'
import { UserError } from '../base/user-error.js'

/** Further names by label, such as person: [goalkeeper]. */
export type Synonyms = Readonly<Record<string, readonly string[]>>

/** A list of synonyms in a configuration: the names themselves, or a file or the name of a list. */
export const synonymsSchema = z.union(
  [z.record(z.string(), z.array(z.string().min(1))), z.string().min(1)],
  'expected names by label, such as person: [goalkeeper], or a file or name of a list, such as coco',
)

const fileSchema = z.record(z.string(), z.array(z.string().min(1)))

/** Lists that come with the program. */
export const ownSynonyms = ['coco', 'lvis', 'objects365'] as const

/**
 * The file that a list of synonyms is in: a path; or a name, of `datasets/synonyms/NAME.yaml` in the folder that the
 * program was started in, else of the program's own.
 *
 * @throws UserError that says which lists come with the program
 */
export function synonymsPath(fileOrName: string): string {
  const isName = /^[\w-]+$/.test(fileOrName)
  const beside = `datasets/synonyms/${fileOrName}.yaml`
  const places = isName ? [beside, packaged(beside)] : [fileOrName]
  const found = places.find(existsSync) ?? (isName && existsSync(fileOrName) ? fileOrName : undefined)
  if (found !== undefined) return found
  const looked = isName ? `no ${beside} here, and ` : 'no such file; '
  throw new UserError(
    `synonyms: ${fileOrName}: there is ${looked}the lists that come with groundmill are ${ownSynonyms.join(', ')}.`,
  )
}

/** Whether a list is one that comes with the program. */
export const isOwnSynonyms = (fileOrName: string): boolean =>
  /^[\w-]+$/.test(fileOrName) &&
  resolve(synonymsPath(fileOrName)) === resolve(packaged(`datasets/synonyms/${fileOrName}.yaml`))

/**
 * Reads a list of synonyms, as `synonymsPath` finds it.
 *
 * @throws UserError where there is none, or it is of another form
 */
export async function readSynonyms(fileOrName: string): Promise<Synonyms> {
  const path = synonymsPath(fileOrName)
  return parseConfig(fileSchema, await readYaml(path), path)
}
