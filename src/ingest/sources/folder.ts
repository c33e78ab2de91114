import { extname, join } from 'node:path'
import { z } from 'zod'
import { decodeText } from '../../base/decode-text.js'
import { filesBelow } from '../../base/files/files-below.js'
import { unreadable } from '../../base/files/read-file.js'
import { memoize } from '../../base/memoize.js'
import { nameList } from '../../base/name-list.js'
import { random } from '../../base/random.js'
import { UserError } from '../../base/user-error.js'
import type { Mark } from '../../formats/mark.js'
import type { Caption } from '../../rows/rows.js'
import { nameInPrompt } from '../../words/name-prompt.js'
import { packNames } from '../../words/pack-names.js'
import { Reject } from '../fetch/reject.js'
import { distinctCaptions } from '../read/join-captions.js'
import { type LocalFiles, readLocalFile } from '../read/local-file.js'
import {
  type ListedPicture,
  listNames,
  listProblemRow,
  type MetadataLists,
  readMetadataLists,
} from '../read/metadata-lists.js'
import { pictureEndings } from '../read/picture-endings.js'
import { rowSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { optionalText, outside, pairColumns, sourceSchema } from '../read/source-keys.js'
import { type SourceRow, sourceRow } from '../read/source-row.js'

const schema = sourceSchema('folder', {
  path: optionalText('the folder of pictures'),
  columns: pairColumns.describe('of the lists in the folder: `url` is the key of the file name'),
  names: z
    .array(z.string().trim().min(1))
    .min(1)
    .optional()
    .describe(
      'names of things that each picture without a caption is asked for: its prompts are made of them',
    ),
  outside,
}).describe('a folder of pictures, with text files of captions beside them or a list of captions')

/**
 * Pictures of a folder and those below it. Captions come from a text file beside each, of its name, a line
 * each; and from a list in the folder or in those below it (`captions.jsonl`, `metadata.jsonl`, `metadata.csv`,
 * `metadata.parquet`), rows of `file_name` and of `text`, `caption` or `captions` (the form of Hugging Face's image
 * folders), or of the columns that the configuration names. Each caption is taken once, `mostCaptions` at most. A picture
 * without one gets prompts of `names`, where there are any.
 */
export const folder: SourceFormat<typeof schema> = {
  name: 'folder',
  schema,
  hasBoxes: () => false,
  open(config) {
    const path = requirePath(config)
    const contents = memoize(() => readContents(path, config))
    const prompts = promptsOf(config.names ?? [])
    return rowSource({
      async *rows(from) {
        yield* rowsOf(
          path,
          await contents(),
          { roots: [path], outside: config.outside, maxBytes: maxTextBytes },
          prompts,
          from,
        )
      },
    })
  },
}

/** What a folder holds: its pictures, sorted, and what its list says of them. */
interface Contents {
  readonly pictures: readonly string[]
  readonly lists: MetadataLists
}

async function readContents(
  path: string,
  { columns, outside, names: asked }: z.infer<typeof schema>,
): Promise<Contents> {
  const names = await filesBelow(path).catch(unreadable(path))
  const pictures = names
    .filter((name) => pictureEndings.has(extname(name).toLowerCase()))
    .map((name) => name.replaceAll('\\', '/'))
    .sort()
  if (pictures.length === 0)
    throw new UserError(`${path} has no pictures (${[...pictureEndings].join(', ')}).`)
  const files = names.map((name) => name.replaceAll('\\', '/'))
  const known = new Set(files)
  const hasOtherCaptions = asked !== undefined || pictures.some((name) => known.has(captionFileOf(name)))
  const lists = await readMetadataLists(path, files, pictures, { columns, outside, hasOtherCaptions })
  return { pictures, lists }
}

async function* rowsOf(
  path: string,
  { pictures, lists }: Contents,
  files: LocalFiles,
  prompts: readonly Caption[],
  from?: Mark,
): AsyncGenerator<SourceRow> {
  const { problems } = lists
  for (let at = from?.at ?? 0; at < pictures.length + problems.length; at++) {
    const mark = { at, line: 0 }
    const name = pictures[at]
    const problem = problems[at - pictures.length]
    if (name !== undefined) {
      const row = await pictureRow(mark, files, path, name, lists.pictures.get(name))
      const isBare = row.problem?.reason === 'empty_caption' && prompts.length > 0
      yield isBare ? { ...row, captions: prompts, problem: null } : row
    } else if (problem) yield listProblemRow(mark, problem)
  }
}

/** Tokens of a prompt of names: what the text encoders of teachers have room for. */
const promptTokens = 200

/** Names of things as prompts, as few as have room for them. */
function promptsOf(names: readonly string[]): Caption[] {
  const limits = { max_tokens: promptTokens, negatives: 0 }
  return packNames(names.map(nameInPrompt), [], limits, random(0, 'names')).map(
    ({ text }): Caption => ({ text, kind: 'categories' }),
  )
}

const captionFileOf = (name: string) => `${name.slice(0, -extname(name).length)}.txt`

/** Captions are lines, of which a picture has few. */
const maxTextBytes = 1 << 20

async function pictureRow(
  mark: Mark,
  files: LocalFiles,
  folder: string,
  name: string,
  listed: ListedPicture | undefined,
): Promise<SourceRow> {
  const file = join(folder, name)
  const captionFile = captionFileOf(file)
  const read = await readLocalFile(captionFile, files).catch((error: Error) => error)
  const refused = read instanceof Reject ? read : undefined
  const text = read instanceof Error ? '' : decodeText(read)
  const lines = [...(listed?.captions ?? []), ...(text ?? '').split(/\r*\n|\r/)]
  const { texts, dropped } = distinctCaptions(lines.filter((line) => line.trim() !== ''))
  const problem =
    refused !== undefined
      ? { reason: refused.reason, detail: `${file}: ${refused.message}` }
      : text === undefined
        ? { reason: 'malformed_row', detail: `${file}: ${captionFile} is not UTF-8` }
        : {
            reason: 'empty_caption',
            detail: `${file}: no caption in ${captionFile} or a list (${nameList(listNames)})`,
          }
  return sourceRow({
    mark,
    place: file,
    file,
    roots: files.roots,
    captions: texts.map((line) => ({ text: line, kind: 'web' })),
    dropped: { ...dropped, ...(listed?.blanks && { blank_caption: listed.blanks }) },
    license: listed?.license ?? null,
    meta: { file_name: name, ...listed?.meta },
    problem: texts.length === 0 ? problem : null,
  })
}
