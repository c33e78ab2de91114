import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { z } from 'zod'
import { decodeText } from '../../base/decode-text.js'
import { notUtf8, readText, unreadable } from '../../base/files/read-file.js'
import { whyUnreadable } from '../../base/files/why-unreadable.js'
import { memoize } from '../../base/memoize.js'
import { UserError } from '../../base/user-error.js'
import { type EntityBoxes, parseEntityBoxes, parseEntitySentences } from '../../formats/flickr-entities.js'
import type { Mark } from '../../formats/mark.js'
import { type FileProblem, problemList } from '../../formats/problem-list.js'
import { Reject } from '../fetch/reject.js'
import { type LocalFiles, readLocalFile } from '../read/local-file.js'
import { rowSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { baseUrl, imageFolder, optionalText, outside, sourceSchema } from '../read/source-keys.js'
import { fileProblemRow, type GoldRegion, type SourceRow, sourceRow } from '../read/source-row.js'

const schema = sourceSchema('flickr30k-entities', {
  path: optionalText('the folder of Sentences and Annotations'),
  images: imageFolder,
  split: optionalText('a list of ids: those pictures are taken'),
  base_url: baseUrl,
  outside,
}).describe('captions whose phrases have boxes: Flickr30k Entities')
type Config = z.infer<typeof schema>

/**
 * Pictures of Flickr30k Entities: `path` is its folder with `Sentences/ID.txt` and `Annotations/ID.xml`
 * (names in lower case will do), `images` the folder of `ID.jpg`. A sentence a caption; a phrase with boxes a
 * region for each of them. Phrases without a box and boxes without a phrase are counted and left out. `split` is a list of ids, a line
 * each, such as `test.txt`.
 */
export const flickr30kEntities: SourceFormat<typeof schema> = {
  name: 'flickr30k-entities',
  schema,
  hasBoxes: () => true,
  open(config) {
    const path = requirePath(config)
    if (!config.images && !config.base_url)
      throw new UserError('A flickr30k-entities source needs `images`: the folder of its pictures.')
    const listing = memoize(() => readListing(path, config.split))
    return rowSource({
      async *rows(from) {
        yield* rowsOf(await listing(), config, from)
      },
    })
  },
}

/** The folders of the annotations, and the pictures that they are of. */
interface Listing {
  readonly sentences: string
  readonly annotations: string
  readonly ids: readonly string[]
  /** Pictures of the split that have no sentences. */
  readonly problems: readonly FileProblem[]
}

async function readListing(path: string, split: string | undefined): Promise<Listing> {
  const entries = await readdir(path).catch(unreadable(path))
  const folderOf = (name: string) => {
    const found = entries.find((entry) => entry === name || entry === name.toLowerCase())
    if (found) return join(path, found)
    throw new UserError(`${path} has no folder ${name}: give the folder of Flickr30k Entities as \`path\`.`)
  }
  const sentences = folderOf('Sentences')
  const annotations = folderOf('Annotations')
  const listed = split && new Set((await readText(split)).split(/\s+/).filter((id) => id !== ''))
  const ids = (await readdir(sentences))
    .filter((name) => name.endsWith('.txt'))
    .map((name) => name.slice(0, -'.txt'.length))
    .filter((id) => !listed || listed.has(id))
    .sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1))
  const problems = problemList(split ?? path)
  const known = new Set(ids)
  for (const [at, id] of [...(listed || [])].entries())
    if (!known.has(id))
      problems.add('ids', at, 'unknown_picture', `there is no ${join(sentences, `${id}.txt`)}`)
  return { sentences, annotations, ids, problems: problems.found() }
}

async function* rowsOf(listing: Listing, config: Config, from?: Mark): AsyncGenerator<SourceRow> {
  const { ids, problems } = listing
  for (let at = from?.at ?? 0; at < ids.length + problems.length; at++) {
    const mark = { at, line: 0 }
    const id = ids[at]
    const bad = problems[at - ids.length]
    if (id !== undefined) yield await pictureRow(mark, id, listing, config)
    else if (bad) yield fileProblemRow(mark, bad)
  }
}

/** A picture has five sentences and some dozen boxes. */
const maxAnnotationBytes = 4 << 20

async function textOf(path: string, files: LocalFiles): Promise<string> {
  const text = decodeText(await readLocalFile(path, files))
  if (text === undefined) throw new Error(`${path} is ${notUtf8}`)
  return text
}

async function pictureRow(
  mark: Mark,
  id: string,
  { sentences, annotations }: Listing,
  { path = '', images, base_url, outside }: Config,
): Promise<SourceRow> {
  const files = { roots: [path], outside, maxBytes: maxAnnotationBytes }
  const place = join(sentences, `${id}.txt`)
  const source = base_url
    ? { url: `${id}.jpg` }
    : { file: join(images as string, `${id}.jpg`), roots: [images as string] }
  const file = join(annotations, `${id}.xml`)
  let parsed: ReturnType<typeof parseEntitySentences>
  let found: EntityBoxes
  try {
    parsed = parseEntitySentences(await textOf(place, files))
    found = parseEntityBoxes(await textOf(file, files))
  } catch (error) {
    const reason = error instanceof Reject ? error.reason : 'malformed_row'
    const problem = {
      reason,
      detail: `${file}: ${error instanceof Reject ? error.message : whyUnreadable(error)}`,
    }
    return sourceRow({ mark, place, ...source, problem })
  }
  const { width, height, boxes } = found
  let unboxed = 0
  const named = new Set<string>()
  const regions: GoldRegion[] = []
  for (const [caption, { phrases }] of parsed.entries()) {
    for (const { id: chain, start, end } of phrases) {
      const chainBoxes = boxes.get(chain) ?? []
      if (chainBoxes.length === 0) unboxed++
      named.add(chain)
      for (const xyxy of chainBoxes) {
        regions.push({ category: '', order: regions.length, xyxy, spans: [[start, end]], caption })
      }
    }
  }
  const unnamed = [...boxes].reduce((sum, [chain, { length }]) => sum + (named.has(chain) ? 0 : length), 0)
  return sourceRow({
    mark,
    place,
    ...source,
    captions: parsed.map(({ text }) => ({ text, kind: 'gold' })),
    regions,
    dropped: {
      ...(unboxed > 0 && { phrase_without_box: unboxed }),
      ...(unnamed > 0 && { unnamed_box: unnamed }),
    },
    size: { width, height },
    meta: { id },
  })
}
