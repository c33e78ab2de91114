import type { DuckDBConnection } from '@duckdb/node-api'
import { plainLines } from '../base/plain-text.js'
import { UserError } from '../base/user-error.js'
import type { Storage } from '../storage/storage.js'
import { datasetFiles, verifyFiles, withDatasetFiles } from './dataset-files.js'
import { type DatasetView, datasetViews } from './dataset-views.js'
import { duckDbWords, explainUnread, isUnread } from './explain-unread.js'
import { loadDuckDb } from './load-duckdb.js'
import { type OpenDuckDb, openDuckDb } from './open-duckdb.js'

export interface QueryOptions {
  /** Whether the view `images` has the pictures' bytes. */
  readonly withImages?: boolean
  readonly signal?: AbortSignal
}

/** What a query gave, as it comes. */
export interface QueryResult {
  readonly columns: readonly string[]
  /**
   * Rows of cells, a few thousand at a time: strings, numbers, bigints, booleans, dates, bytes, lists,
   * objects and null.
   */
  readonly rows: AsyncIterable<readonly (readonly unknown[])[]>
}

/** A view and its columns with their types. */
export interface ListedView extends Pick<DatasetView, 'name' | 'rows'> {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
}

/** The views that a dataset has. Throws as `datasetFiles` does. */
export async function listViews(storage: Storage, options: QueryOptions = {}): Promise<ListedView[]> {
  return withViews(
    storage,
    options,
    () => true,
    async ({ connection }, views) => {
      const listed: ListedView[] = []
      for (const { name, rows } of views) {
        const described = await connection.runAndReadAll(`describe "${name}"`)
        const columns = described
          .getRows()
          .map(([column, type]) => ({ name: String(column), type: String(type) }))
        listed.push({ name, rows, columns })
      }
      return listed
    },
  )
}

/**
 * Runs one SELECT over the views of a dataset (`datasetViews`) and hands its result to `use` while it is
 * made.
 *
 * @throws UserError for anything but one SELECT, and where DuckDB cannot run it; the signal's reason where
 * that is aborted
 */
export async function runQuery<T>(
  storage: Storage,
  sql: string,
  options: QueryOptions,
  use: (result: QueryResult) => Promise<T>,
): Promise<T> {
  // To make a view DuckDB opens its files: only those are made that the query may mean.
  const isMentioned = ({ name }: DatasetView) => new RegExp(`\\b${name}\\b`, 'i').test(sql)
  return withViews(storage, options, isMentioned, async ({ connection, explain }, all) => {
    try {
      const { StatementType } = await loadDuckDb()
      // DuckDB has no error for what has no statement in it.
      const statements = await connection.extractStatements(sql).catch((error: Error) => {
        throw error.message === 'Error in native callback' ? notOne : error
      })
      if (statements.count !== 1) throw notOne
      const statement = await statements.prepare(0)
      if (statement.statementType !== StatementType.SELECT)
        throw new UserError('Only SELECT is run: a query reads a dataset and changes nothing.')
      await connection.run('begin transaction')
      const result = await statement.stream()
      async function* rows() {
        yield* result.yieldRowsJs()
        await checkEnd(connection, sql, options.signal)
      }
      const used = await use({ columns: result.columnNames(), rows: rows() })
      options.signal?.throwIfAborted()
      return used
    } catch (error) {
      options.signal?.throwIfAborted()
      if (error instanceof UserError) throw error
      if (isUnread(error)) throw await explainUnread(storage, await datasetFiles(storage), error)
      const told = explain(error)
      throw told instanceof UserError ? told : explained(error as Error, all)
    }
  })
}

const notOne = new UserError('One SELECT is expected, without others after it.')

/**
 * Throws what a streamed result ended with, which DuckDB's API does not tell: a failed one looks like one
 * that is at its end, but leaves its transaction aborted. Its message is found by running the query again,
 * into a table.
 */
async function checkEnd(connection: DuckDBConnection, sql: string, signal?: AbortSignal): Promise<void> {
  const isFailed = await connection.run('select 1').then(
    () => false,
    () => true,
  )
  if (!isFailed) return
  signal?.throwIfAborted()
  await connection.run('rollback')
  await connection.run(`create temp table again as (${sql.trim().replace(/;+$/, '')}\n)`)
  throw new UserError('The query failed while its rows were read; run it again.')
}

/**
 * Makes views of a dataset and asks them.
 *
 * @param isMade which of them; `use` is given all
 */
async function withViews<T>(
  storage: Storage,
  { withImages, signal }: QueryOptions,
  isMade: (view: DatasetView) => boolean,
  use: (opened: OpenDuckDb, all: readonly DatasetView[]) => Promise<T>,
): Promise<T> {
  const { all, ...opened } = await withDatasetFiles(storage, async (files) => {
    const all = datasetViews(files, withImages)
    const made = all.filter(isMade)
    const paths = [...new Set(made.flatMap((view) => view.paths))]
    await verifyFiles(storage, files, paths, signal)
    const statements = made.map(({ name, select }) => `create view "${name}" as ${select}`)
    return { all, ...(await openDuckDb(paths, statements, signal)) }
  })
  try {
    return await use(opened, all)
  } finally {
    await opened.close()
  }
}

const ownOnly =
  'A query reads the views of its dataset alone: save what it gives (--format csv or jsonl), and join that with other files in DuckDB itself.'

const noViews =
  'of the shards that dataset.json lists none is made, so that there are no views. Run its stages first; `groundmill check` says what is there.'

/**
 * DuckDB's words without its name for the step that failed, and the views where one was named that is not
 * there.
 */
function explained(error: Error, views: readonly DatasetView[]): Error {
  const message = duckDbWords(error)
  // An error of whoever took the rows, such as a full disk, is not the query's.
  if (message === undefined) return error
  const [words = '', ...rest] = message.split('\n\n')
  const place = rest.join('\n\n').trimEnd()
  const isName = /Table with name \S+ does not exist/.test(words)
  if (isName && views.length === 0)
    return new UserError(`The query cannot be run: ${noViews}`, { cause: error })
  const isElsewhere = /^Permission Error: /.test(words)
  const known = isElsewhere
    ? `\n${ownOnly}`
    : isName
      ? `\nViews: ${views.map(({ name }) => name).join(', ')}`
      : ''
  // What DuckDB offers instead is mostly one of its own tables.
  const text = isName ? words.replace(/\nDid you mean[\s\S]*$/, '') : words
  return new UserError(plainLines(`The query cannot be run: ${text}${place && `\n${place}`}${known}`), {
    cause: error,
  })
}
