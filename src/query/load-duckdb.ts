import type * as DuckDb from '@duckdb/node-api'
import { UserError } from '../base/user-error.js'

/**
 * DuckDB, which is loaded only when it is asked for: it is large, and nothing else needs it.
 *
 * @throws UserError where it is not installed
 */
export const loadDuckDb = (): Promise<typeof DuckDb> =>
  import('@duckdb/node-api').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new UserError(
      '`query` and `stats --exact` need DuckDB, which is not installed: npm install @duckdb/node-api',
    )
  })
