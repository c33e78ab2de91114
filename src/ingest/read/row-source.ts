import { createHash } from 'node:crypto'
import { hashBytes } from '../../base/hash.js'
import { memoize } from '../../base/memoize.js'
import { stringifyJson } from '../../base/parse-json.js'
import { UserError } from '../../base/user-error.js'
import type { Mark } from '../../formats/mark.js'
import { hashFiles } from './hash-files.js'
import { joinCaptions } from './join-captions.js'
import { type RepeatedNames, repeatedNames } from './repeated-names.js'
import type { PlannedLines, PlannedMarks, RowReader, Source } from './source.js'
import { localFile, type SourceFile } from './source-file.js'
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
  /** As `hashFiles` gave them last. */
  let fileHashes: readonly string[] | undefined
  let names: RepeatedNames | undefined
  const readHashes = async () => {
    const files = await reader?.files?.()
    if (files) fileHashes = await hashFiles(files.filter((file) => file !== undefined).map(asFile))
    else if (reader?.hash) fileHashes = [await reader.hash()]
    return fileHashes
  }
  /** Hash of what a row's picture is in, where the source itself holds it. */
  const holderOf = async ({ file = 0 }: Mark) => {
    const hashes = fileHashes ?? (await readHashes())
    return hashes?.[reader?.isOfOneFile ? file : hashes.length - 1] ?? ''
  }
  const park = async (rows: AsyncGenerator<SourceRow>) => {
    const before = parked
    parked = reader && rows
    await (reader ? before : rows)?.return(undefined)
  }
  return {
    async *plan() {
      names = reader?.joins ? repeatedNames() : undefined
      for await (const part of reader?.plan?.(names) ?? []) {
        if ('bytes' in part) yield part
        else if (part.marks[0]) yield { ...part, said: await holderOf(part.marks[0]) }
      }
      if (reader?.plan) return
      let before: string | null = null
      for await (const row of open(undefined, true)) {
        const { mark, load, pairs, pictureName, ...rest } = row
        // One of more rows than join is not named anew by those of them that begin a picture.
        if (pictureName !== null && pictureName !== before) names?.add(pictureName)
        before = pictureName
        const said = pairs > 1 ? { ...rest, pairs } : rest
        yield { marks: [mark], said: `${stringifyJson(said)}${load ? await holderOf(mark) : ''}\n` }
      }
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
      const hashes = await readHashes()
      return hashes ? (hashes.at(-1) ?? hashBytes('')) : hashRows(open(undefined, true))
    },
    joins: rowReader.joins ?? false,
    repeated: () => names,
    async close() {
      reader = undefined
      await parked?.return(undefined)
      parked = undefined
    },
  }
}

interface FileOptions {
  /** Other files that the rows are made of, for the hash. */
  readonly otherFiles?: readonly (string | undefined)[]
  /** Whether the rows of one picture that are next to each other in a file are joined. */
  readonly joins?: boolean
  /** How a plan reads one file, where its rows need not be made for that; joined as `joins` says. */
  readonly plan?:
    | ((path: string, names?: RepeatedNames) => AsyncGenerator<PlannedLines | PlannedMarks>)
    | undefined
  /** Whether that reads little of a file: then it is given where the file lies, and what is elsewhere is not fetched. */
  readonly plansPlaces?: boolean
}

/**
 * A source of one or many files that are read one after another; the marks of their rows are numbered by
 * them.
 *
 * @param path a file, a folder of files or a pattern
 * @param endings of the files that a folder is looked through for
 * @param read the rows of one file, from a mark on
 */
export function fileSource(
  path: string,
  endings: readonly string[],
  read: (path: string, from: Mark | undefined, marksOnly: boolean) => AsyncGenerator<SourceRow>,
  { otherFiles = [], joins = false, plan, plansPlaces = false }: FileOptions = {},
): Source {
  const list = memoize(() => sourceFiles(path, endings))
  return rowSource({
    async *rows(from, marksOnly) {
      const first = from?.file ?? 0
      for (const [file, one] of (await list()).entries()) {
        if (file < first) continue
        const path = await one.open()
        const single = placedRows(read(path, file === first ? from : undefined, marksOnly), path, one.place)
        const rows = joins ? joinCaptions(single) : single
        if (file === 0) yield* rows
        else for await (const row of rows) yield { ...row, mark: { ...row.mark, file } }
      }
    },
    plan:
      plan &&
      async function* (names) {
        for (const [file, one] of (await list()).entries()) {
          const numbered = (marks: readonly Mark[]) =>
            file === 0 ? marks : marks.map((mark) => ({ ...mark, file }))
          const path = plansPlaces ? one.place : await one.open()
          for await (const part of placed(plan(path, names), path, one.place))
            yield { ...part, marks: numbered(part.marks) }
        }
      },
    joins,
    isOfOneFile: true,
    files: async () => [...(await list()), ...otherFiles],
  })
}

const asFile = (file: SourceFile | string): SourceFile => (typeof file === 'string' ? localFile(file) : file)

/** What is read of a fetched file, whose errors tell of the place where it was fetched from. */
async function* placed<T>(read: AsyncGenerator<T>, path: string, place: string): AsyncGenerator<T> {
  try {
    yield* read
  } catch (error) {
    if (path === place || !(error instanceof UserError)) throw error
    throw new UserError(
      error.message.replaceAll(path, () => place),
      { cause: error },
    )
  }
}

/** Rows of a fetched file, which tell of that place as well: it is the same on every machine. */
async function* placedRows(
  rows: AsyncGenerator<SourceRow>,
  path: string,
  place: string,
): AsyncGenerator<SourceRow> {
  if (path === place) {
    yield* rows
    return
  }
  const inPlace = (text: string) => text.replaceAll(path, () => place)
  for await (const row of placed(rows, path, place)) {
    const { problem } = row
    yield {
      ...row,
      place: inPlace(row.place),
      problem: problem && { ...problem, detail: inPlace(problem.detail) },
    }
  }
}

const isSameMark = (a: Mark, b: Mark) => a.at === b.at && a.line === b.line && (a.file ?? 0) === (b.file ?? 0)

async function hashRows(rows: AsyncGenerator<SourceRow>): Promise<string> {
  const hash = createHash('sha256')
  for await (const { place, captions, regions } of rows)
    hash.update(`${place}\n${JSON.stringify(regions ? [captions, regions] : captions)}\n`)
  return hash.digest('hex')
}
