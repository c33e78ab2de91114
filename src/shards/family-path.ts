import type { Family } from './rows.js'

/** Name of a shard's file or commit record: `images/00000.parquet`, `phrases/<stage>/00000.json`. */
export function familyPath(
  family: Family,
  stage: string | null,
  shard: string,
  extension: 'parquet' | 'json',
): string {
  return `${familyFolder(family, stage)}/${shard}.${extension}`
}

/** Images are written once and belong to no stage but ingest; every other family has a folder for each stage. */
export function familyFolder(family: Family, stage: string | null): string {
  return family === 'images' || stage === null ? family : `${family}/${stage}`
}
