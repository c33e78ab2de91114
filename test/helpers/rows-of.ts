import { planIngest } from '../../src/ingest/plan-ingest.js'
import type { SourceRow } from '../../src/ingest/read/source-row.js'
import { ingestConfig } from '../../src/ingest/sources/config.js'
import { readSource, withCard } from '../../src/ingest/sources/read-source.js'

/** All rows of a source, from a mark on. */
export async function rowsOf(given: object, from?: SourceRow['mark']): Promise<SourceRow[]> {
  const { config } = await withCard(ingestConfig.parse(given))
  const rows: SourceRow[] = []
  for await (const row of readSource(config, from)) rows.push(row)
  return rows
}

/** The rows of a source as its shards read them: each from its own mark, and closed behind its last row. */
export async function rowsByShards(given: object): Promise<SourceRow[]> {
  const { config } = await withCard(ingestConfig.parse(given))
  const rows: SourceRow[] = []
  for (const { mark, rows: count } of (await planIngest(config)).shards) {
    let left = count
    for await (const row of readSource(config, mark)) {
      rows.push(row)
      if (--left === 0) break
    }
  }
  return rows
}

/** What a row holds, to be compared: functions are not. */
export const plainRows = (rows: readonly SourceRow[]) =>
  rows.map(({ load, ...row }) => ({ ...row, hasPicture: load !== null }))
