import { shortLine } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { families } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import { openCommitted } from '../shards/committed-file.js'
import type { Storage } from '../storage/storage.js'

/** DuckDB's words for an error without the step that failed; undefined where it is none of DuckDB's. */
export function duckDbWords(error: unknown): string | undefined {
  const words = (error as Error | undefined)?.message?.replace(/^Failed to \w+ statements?: /, '')
  return words !== undefined && /^[A-Z][\w -]* Error: /.test(words) ? words : undefined
}

/** Whether DuckDB could not read a file, whatever the SQL says. */
export const isUnread = (error: unknown): boolean =>
  /^(?:IO|Invalid|Serialization) Error|^Invalid Input Error: (?:Failed to read file|No magic bytes|File ')|^[\w -]+ Error: Error while reading file/.test(
    duckDbWords(error) ?? '',
  )

/**
 * Of an error with which DuckDB has ended over a dataset's files: the one that says which file is missing, cut
 * short or damaged, and what to do. Errors of others are given back as they are.
 *
 * @param isMissing whether a file was found not to be there, whoever threw
 */
export async function explainUnread(
  storage: Storage,
  files: Readonly<Record<Family, ReadonlyMap<string, readonly { readonly shard: string }[]>>>,
  error: unknown,
  isMissing = false,
): Promise<unknown> {
  const words = duckDbWords(error)
  // Of neither is a file the cause.
  if (/^(?:INTERRUPT|Out of Memory) Error/.test(words ?? '')) return error
  if (words === undefined && !isMissing) return error
  try {
    for (const family of families) {
      for (const [stage, own] of files[family])
        for (const { shard } of own) {
          const { opened } = await openCommitted(storage, family, family === 'images' ? null : stage, shard)
          await opened.close()
        }
    }
  } catch (found) {
    if (found instanceof UserError) return found
  }
  if (words === undefined) return error
  const [first] = words.split('\n')
  return new UserError(
    `The rows of ${storage.url} cannot be read (${shortLine(first ?? '')}): \`groundmill check --deep --mend ${storage.url}\` finds the file that is damaged.`,
    { cause: error },
  )
}
