import { access } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { decodeText } from '../../base/decode-text.js'
import { filesBelow } from '../../base/files/files-below.js'
import { isInside, outsideAdvice } from '../../base/files/inside.js'
import { unreadable } from '../../base/files/read-file.js'
import { memoize } from '../../base/memoize.js'
import { UserError } from '../../base/user-error.js'
import { slashed } from '../../formats/coco-entries.js'
import type { Mark } from '../../formats/mark.js'
import { readObjects } from '../../formats/read-objects.js'
import { Reject } from '../fetch/reject.js'
import { type PairColumns, requireKey } from '../read/columns.js'
import { type LocalFiles, readLocalFile } from '../read/local-file.js'
import { pictureEndings } from '../read/picture-endings.js'
import { rowSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { column, columnObject, optionalText, outside, sourceSchema } from '../read/source-keys.js'
import { problemRow, type SourceRow, sourceRow } from '../read/source-row.js'

const schema = sourceSchema('folder', {
  path: optionalText('the folder of pictures'),
  columns: columnObject({
    url: column.optional().describe('the key or column of file names'),
    caption: column.optional().describe('the key or column of captions'),
  })
    .optional()
    .describe('of the list in the folder: its keys of the file name and of the caption'),
  outside,
}).describe('a folder of pictures, with text files of captions beside them or a list of captions')

/**
 * Pictures of a folder and those below it. Captions come from a text file beside each, of its name, a line
 * each; and from `captions.jsonl` or `metadata.jsonl` in the folder, an object a line with `file_name` and
 * `caption` or `text` (the form of Hugging Face's image folders) or the columns that the configuration names.
 */
export const folder: SourceFormat<typeof schema> = {
  name: 'folder',
  schema,
  hasBoxes: () => false,
  open(config) {
    const path = requirePath(config)
    const contents = memoize(() => readContents(path, config.columns, config.outside))
    return rowSource({
      async *rows(from) {
        yield* rowsOf(
          path,
          await contents(),
          { roots: [path], outside: config.outside, maxBytes: maxTextBytes },
          from,
        )
      },
    })
  },
}

/** What a folder holds: its pictures, sorted, and what its list says of them. */
interface Contents extends CaptionList {
  readonly pictures: readonly string[]
}

async function readContents(
  path: string,
  columns?: Partial<PairColumns>,
  outside?: boolean,
): Promise<Contents> {
  const names = await filesBelow(path).catch(unreadable(path))
  const pictures = names
    .filter((name) => pictureEndings.has(extname(name).toLowerCase()))
    .map((name) => name.replaceAll('\\', '/'))
    .sort()
  if (pictures.length === 0)
    throw new UserError(`${path} has no pictures (${[...pictureEndings].join(', ')}).`)
  return { pictures, ...(await readList(path, columns, new Set(pictures), outside)) }
}

async function* rowsOf(
  path: string,
  { pictures, captions, problems }: Contents,
  files: LocalFiles,
  from?: Mark,
): AsyncGenerator<SourceRow> {
  for (let at = from?.at ?? 0; at < pictures.length + problems.length; at++) {
    const mark = { at, line: 0 }
    const name = pictures[at]
    const problem = problems[at - pictures.length]
    if (name !== undefined) yield await pictureRow(mark, files, path, name, captions.get(name) ?? [])
    else if (problem) yield { ...problem, mark }
  }
}

/** Captions are lines, of which a picture has few. */
const maxTextBytes = 1 << 20

async function pictureRow(
  mark: Mark,
  files: LocalFiles,
  folder: string,
  name: string,
  listed: readonly string[],
): Promise<SourceRow> {
  const file = join(folder, name)
  const captionFile = `${file.slice(0, -extname(file).length)}.txt`
  const read = await readLocalFile(captionFile, files).catch((error: Error) => error)
  const refused = read instanceof Reject ? read : undefined
  const text = read instanceof Error ? '' : decodeText(read)
  const texts = [...listed, ...(text ?? '').split(/\r*\n|\r/)].filter((line) => line.trim() !== '')
  const problem =
    refused !== undefined
      ? { reason: refused.reason, detail: `${file}: ${refused.message}` }
      : text === undefined
        ? { reason: 'malformed_row', detail: `${file}: ${captionFile} is not UTF-8` }
        : { reason: 'empty_caption', detail: `${file}: no caption in ${captionFile} or a list` }
  return sourceRow({
    mark,
    place: file,
    file,
    roots: files.roots,
    captions: texts.map((line) => ({ text: line, kind: 'web' })),
    meta: { file_name: name },
    problem: texts.length === 0 ? problem : null,
  })
}

interface CaptionList {
  /** By file name. */
  readonly captions: ReadonlyMap<string, readonly string[]>
  /** Lines that give no picture of the folder a caption. */
  readonly problems: readonly SourceRow[]
}

async function readList(
  path: string,
  columns: Partial<PairColumns> | undefined,
  found: ReadonlySet<string>,
  outside = false,
): Promise<CaptionList> {
  const captions = new Map<string, string[]>()
  const problems: SourceRow[] = []
  const list = await firstOf([join(path, 'captions.jsonl'), join(path, 'metadata.jsonl')])
  if (!list) return { captions, problems }
  if (!outside && !(await isInside(list, [path])))
    throw new UserError(`${list} is a link that leads out of ${path}: ${outsideAdvice}.`)
  let keys: readonly [string | number, string | number] | undefined
  for await (const { mark, place, value, problem } of readObjects(list)) {
    if (!value) {
      problems.push(problemRow(mark, place, problem))
      continue
    }
    if (!keys) {
      const caption = columns?.caption ?? (Object.hasOwn(value, 'text') ? 'text' : 'caption')
      keys = [columns?.url ?? 'file_name', caption]
      for (const key of keys) requireKey(value, key, place)
    }
    const [given, caption] = keys.map((key) => value[key])
    const name = typeof given === 'string' ? slashed(given) : given
    if (typeof name !== 'string' || typeof caption !== 'string') {
      problems.push(problemRow(mark, place, 'no file name or no caption'))
    } else if (!found.has(name)) {
      const missing = { reason: 'missing_file', detail: `${place}: there is no ${join(path, name)}` }
      problems.push(sourceRow({ mark, place, problem: missing }))
    } else captions.set(name, [...(captions.get(name) ?? []), caption])
  }
  return { captions, problems }
}

async function firstOf(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path
  }
  return undefined
}
