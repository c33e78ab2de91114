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
  'grounding',
  'negatives',
  'rejects',
]

/**
 * Name of a shard's file or commit record: `images/00000.parquet`, `phrases/<stage>/00000.json`.
 *
 * @throws UserError where stage or shard cannot be the name of a file
 */
export function familyPath(
  family: Family,
  stage: string | null,
  shard: string,
  extension: 'parquet' | 'json',
): string {
  return `${familyFolder(family, stage)}/${checkName('shard', shard)}.${extension}`
}

/**
 * Images are written once and belong to no stage but ingest; every other family has a folder for each stage.
 */
export function familyFolder(family: Family, stage: string | null): string {
  return family === 'images' || stage === null ? family : `${family}/${checkName('stage', stage)}`
}

function checkName(what: string, name: string): string {
  if (/^[\w][\w.-]*$/.test(name)) return name
  throw new UserError(
    `"${name}" cannot name a ${what}: letters, digits, hyphens, dots and underscores can, the first no dot or hyphen.`,
  )
}
