import { shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import type { Family } from './rows.js'

/**
 * The families in the order in which data passes through them; rejects come last, since no stage reads them.
 */
export const families: readonly Family[] = [
  'images',
  'selection',
  'phrases',
  'proposals',
  'verdicts',
  'grounding',
  'negatives',
  'rejects',
]

/**
 * Name of a shard's commit record: `images/00000.json`, `phrases/<stage>/00000.json`.
 *
 * @throws UserError where stage or shard cannot be the name of a file
 */
export function recordPath(family: Family, stage: string | null, shard: string): string {
  return `${familyFolder(family, stage)}/${checkName('shard', shard)}.json`
}

/** How many digits of a file's hash are in its name. */
const hashDigits = 16

/**
 * Name of a shard's file, which its content gives: `images/00000-8d0b745c91f02b3e.parquet`. Who looks for a
 * file asks the shard's record: older files are named `00000.parquet`, and there may be others that no record
 * names.
 *
 * @param sha256 of the file, in hexadecimal digits
 * @throws UserError as `recordPath` does
 */
export function filePath(family: Family, stage: string | null, shard: string, sha256: string): string {
  return `${familyFolder(family, stage)}/${checkName('shard', shard)}-${sha256.slice(0, hashDigits)}.parquet`
}

/** What the name of an object below a family's folder says it is; undefined where it is nothing of a shard. */
export function shardObject(
  name: string,
): { readonly shard: string; readonly kind: 'file' | 'record' } | undefined {
  const [, shard, extension] = /([^/]+?)(?:-[0-9a-f]{16}(?=\.parquet$))?\.(json|parquet)$/.exec(name) ?? []
  if (shard === undefined) return undefined
  return { shard, kind: extension === 'json' ? 'record' : 'file' }
}

/**
 * Images are written once and belong to no stage but ingest; every other family has a folder for each stage.
 */
export function familyFolder(family: Family, stage: string | null): string {
  return family === 'images' || stage === null ? family : `${family}/${checkName('stage', stage)}`
}

/**
 * Whether a path is one that a shard of this family may name as its file: directly in the family's folder, and
 * nowhere else. Older files have other names than `filePath` gives.
 */
export function isFileOf(path: string, family: Family, stage: string): boolean {
  const folder = `${familyFolder(family, stage)}/`
  return (
    path.startsWith(folder) && isName(path.slice(folder.length), longestFile) && path.endsWith('.parquet')
  )
}

/** A file system's names have 255 bytes, and to these come a hash, an ending, and who is writing it. */
export const longestName = 128
const longestFile = 200

/** Whether a stage, a shard or a file of one can have that name: it is one of a file, and leads nowhere else. */
export const isName = (name: string, longest = longestName): boolean =>
  /^\w[\w.-]*$/.test(name) && name.length <= longest

/** What stages, and selections, are called. */
export const stageNames = /^[a-z0-9][a-z0-9-]*$/

/** Whether a stage can be called so: also a folder of its dataset or its run. */
export const isStageName = (name: string): boolean => stageNames.test(name) && name.length <= longestName

function checkName(what: string, name: string): string {
  if (isName(name)) return name
  throw new UserError(
    `${shownValue(name)} cannot name a ${what}: up to ${longestName} letters, digits, hyphens, dots and underscores can, the first no dot or hyphen.`,
  )
}
