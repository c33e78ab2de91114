import { ingestConfig } from '../../src/ingest/config.js'
import { type OpenSource, openSource } from '../../src/ingest/open-source.js'
import { planIngest } from '../../src/ingest/plan-ingest.js'
import type { SourceRow } from '../../src/ingest/read/source-row.js'

/** What is done with a source, which is closed then. */
export async function withSource<T>(given: object, use: (source: OpenSource) => Promise<T>): Promise<T> {
  const source = await openSource(ingestConfig.parse(given))
  return use(source).finally(() => source.close())
}

/** All rows of a source, from a mark on. */
export const rowsOf = (given: object, from?: SourceRow['mark']): Promise<SourceRow[]> =>
  withSource(given, (source) => take(source.rows(from)))

/** How a source is cut into shards. */
export const planOf = (given: object) => withSource(given, (source) => planIngest(source))

/** The rows of a source as its shards read them: each from its own mark, and closed behind its last row. */
export const rowsByShards = (given: object): Promise<SourceRow[]> =>
  withSource(given, async (source) => {
    const rows: SourceRow[] = []
    for (const { mark, rows: count } of (await planIngest(source)).shards)
      rows.push(...(await take(source.rows(mark), count)))
    return rows
  })

/** The first rows, or all; reading stops there. */
export async function take(
  rows: AsyncGenerator<SourceRow>,
  count = Number.POSITIVE_INFINITY,
): Promise<SourceRow[]> {
  const taken: SourceRow[] = []
  for await (const row of rows) {
    taken.push(row)
    if (taken.length === count) break
  }
  return taken
}

/** What a row holds, to be compared: functions are not. */
export const plainRows = (rows: readonly SourceRow[]) =>
  rows.map(({ load, ...row }) => ({ ...row, hasPicture: load !== null }))
