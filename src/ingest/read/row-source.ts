import { createHash } from 'node:crypto'
import { memoize } from '../../base/memoize.js'
import type { Mark } from '../../formats/mark.js'
import { hashFiles } from './hash-files.js'
import type { RowReader, Source } from './source.js'
import { sourceFiles } from './source-files.js'
import type { SourceRow } from './source-row.js'

/**
 * A source of the rows that a reader gives. Until it is closed it keeps the reader, and what that has in
 * memory.
 */
export function rowSource(rowReader: RowReader): Source {
  let reader: RowReader | undefined = rowReader
  /** Rows that somebody stopped reading. */
  let parked: AsyncGenerator<SourceRow> | undefined
  const open = (from: Mark | undefined, marksOnly: boolean) => {
    if (!reader) throw new Error('the source is closed')
    return reader.rows(from, marksOnly)
  }
  const park = async (rows: AsyncGenerator<SourceRow>) => {
    const before = parked
    parked = reader && rows
    await (reader ? before : rows)?.return(undefined)
  }
  return {
    async *plan() {
      if (reader?.marks) yield* reader.marks()
      else for await (const { mark } of open(undefined, true)) yield [mark]
    },
    async *rows(from) {
      let rows = parked
      parked = undefined
      let next = await rows?.next()
      if (!rows || !next || next.done || !from || !isSameMark(next.value.mark, from)) {
        await rows?.return(undefined)
        rows = open(from, false)
        next = await rows.next()
      }
      let isFinished = false
      try {
        for (; !next.done; next = await rows.next()) yield next.value
        isFinished = true
      } catch (error) {
        isFinished = true
        throw error
      } finally {
        if (isFinished) await rows.return(undefined)
        else await park(rows)
      }
    },
    async hash() {
      const files = await reader?.files?.()
      return files ? hashFiles(files.filter((file) => file !== undefined)) : hashRows(open(undefined, true))
    },
    async close() {
      reader = undefined
      await parked?.return(undefined)
      parked = undefined
    },
  }
}

/**
 * A source of one or many files that are read one after another; the marks of their rows are numbered by
 * them.
 *
 * @param path a file, a folder of files or a pattern
 * @param endings of the files that a folder is looked through for
 * @param read the rows of one file, from a mark on
 * @param otherFiles other files that the rows are made of, for the hash
 * @param marks where the rows of one file begin, where that can be told without making them
 */
export function fileSource(
  path: string,
  endings: readonly string[],
  read: (path: string, from: Mark | undefined, marksOnly: boolean) => AsyncGenerator<SourceRow>,
  otherFiles: readonly (string | undefined)[] = [],
  marks?: (path: string) => AsyncGenerator<readonly Mark[]>,
): Source {
  const list = memoize(() => sourceFiles(path, endings))
  return rowSource({
    async *rows(from, marksOnly) {
      const first = from?.file ?? 0
      for (const [file, filePath] of (await list()).entries()) {
        if (file < first) continue
        const rows = read(filePath, file === first ? from : undefined, marksOnly)
        if (file === 0) yield* rows
        else for await (const row of rows) yield { ...row, mark: { ...row.mark, file } }
      }
    },
    marks:
      marks &&
      async function* () {
        for (const [file, filePath] of (await list()).entries())
          for await (const some of marks(filePath))
            yield file === 0 ? some : some.map((mark) => ({ ...mark, file }))
      },
    files: async () => [...(await list()), ...otherFiles],
  })
}

const isSameMark = (a: Mark, b: Mark) => a.at === b.at && a.line === b.line && (a.file ?? 0) === (b.file ?? 0)

async function hashRows(rows: AsyncGenerator<SourceRow>): Promise<string> {
  const hash = createHash('sha256')
  for await (const { place, captions, regions } of rows)
    hash.update(`${place}\n${JSON.stringify(regions ? [captions, regions] : captions)}\n`)
  return hash.digest('hex')
}
