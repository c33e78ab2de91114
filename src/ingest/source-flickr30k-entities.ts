import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Xyxy } from '../shards/rows.js'
import { UserError } from '../user-error.js'
import type { IngestConfig } from './config.js'
import { type GoldRegion, type Mark, type SourceRow, sourceRow } from './source-row.js'

type Located = IngestConfig & { path: string }

/** A sentence of Flickr30k Entities without its markup. */
export interface EntitySentence {
  readonly text: string
  readonly phrases: readonly {
    /** Of the chain of phrases that name the same things; 0 names nothing that could have a box. */
    readonly id: string
    readonly types: readonly string[]
    /** Code points of `text`, half open. */
    readonly start: number
    readonly end: number
  }[]
}

/** Reads `[/EN#283585/people Two young guys] are …`. */
export function parseSentence(line: string): EntitySentence {
  const phrases: { id: string; types: string[]; start: number; end: number }[] = []
  let text = ''
  let length = 0
  let at = 0
  const add = (part: string) => {
    text += part
    length += [...part].length
  }
  for (const match of line.matchAll(/\[\/EN#(\w+)((?:\/[\w-]+)*) ([^\]]*)\]/g)) {
    add(line.slice(at, match.index))
    const [whole, id, types, words] = match
    const start = length
    add(words)
    phrases.push({ id, types: types.split('/').slice(1), start, end: length })
    at = match.index + whole.length
  }
  add(line.slice(at))
  return { text, phrases }
}

/** What the XML of a picture says. */
export interface EntityBoxes {
  readonly width: number
  readonly height: number
  /** By chain, in pixels from 0; a chain that is the scene or has no box is not there. */
  readonly boxes: ReadonlyMap<string, readonly Xyxy[]>
}

/**
 * Reads a picture's annotation: `<object>` with one or more `<name>` and a `<bndbox>`, or `<scene>` or `<nobndbox>` 1.
 * Throws an Error that says what is missing.
 */
export function parseAnnotation(xml: string): EntityBoxes {
  const number = (text: string, tag: string) => {
    const value = new RegExp(`<${tag}>\\s*(-?[\\d.]+)\\s*</${tag}>`).exec(text)?.[1]
    if (value === undefined) throw new Error(`there is no <${tag}>`)
    return Number(value)
  }
  const boxes = new Map<string, Xyxy[]>()
  for (const [, object] of xml.matchAll(/<object>([\s\S]*?)<\/object>/g)) {
    const bounds = /<bndbox>([\s\S]*?)<\/bndbox>/.exec(object)?.[1]
    if (bounds === undefined) continue
    const xyxy = ['xmin', 'ymin', 'xmax', 'ymax'].map((tag) => number(bounds, tag)) as unknown as Xyxy
    for (const [, id] of object.matchAll(/<name>\s*(\w+)\s*<\/name>/g)) {
      boxes.set(id, [...(boxes.get(id) ?? []), xyxy])
    }
  }
  const size = /<size>([\s\S]*?)<\/size>/.exec(xml)?.[1] ?? ''
  return { width: number(size, 'width'), height: number(size, 'height'), boxes }
}

/**
 * Pictures of Flickr30k Entities: `path` is its folder with `Sentences/ID.txt` and `Annotations/ID.xml` (names in lower
 * case will do), `images` the folder of `ID.jpg`. A sentence a caption; a phrase with boxes a region for each of them.
 * Phrases without a box are counted and left out. `split` is a list of ids, a line each, such as `test.txt`.
 */
export async function* readFlickr30kEntities(config: Located, from?: Mark): AsyncGenerator<SourceRow> {
  const { path, images, split } = config
  if (!images && !config.base_url)
    throw new UserError('A flickr30k-entities source needs `images`: the folder of its pictures.')
  const entries = await readdir(path).catch((error: unknown) => {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`)
  })
  const [sentences, annotations] = ['Sentences', 'Annotations'].map((name) => {
    const found = entries.find((entry) => entry === name || entry === name.toLowerCase())
    if (found) return join(path, found)
    throw new UserError(`${path} has no folder ${name}: give the folder of Flickr30k Entities as \`path\`.`)
  })
  const listed = split && new Set((await readFile(split, 'utf8')).split(/\s+/))
  const ids = (await readdir(sentences))
    .filter((name) => name.endsWith('.txt'))
    .map((name) => name.slice(0, -'.txt'.length))
    .filter((id) => !listed || listed.has(id))
    .sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1))
  for (let at = from?.at ?? 0; at < ids.length; at++) {
    yield await pictureRow({ at, line: 0 }, ids[at], sentences, annotations, config)
  }
}

async function pictureRow(
  mark: Mark,
  id: string,
  sentences: string,
  annotations: string,
  { images, base_url }: Located,
): Promise<SourceRow> {
  const place = join(sentences, `${id}.txt`)
  const source = base_url ? { url: `${id}.jpg` } : { file: join(images as string, `${id}.jpg`) }
  const lines = (await readFile(place, 'utf8')).split(/\r?\n/).filter((line) => line.trim() !== '')
  const file = join(annotations, `${id}.xml`)
  let found: EntityBoxes
  try {
    found = parseAnnotation(await readFile(file, 'utf8'))
  } catch (error) {
    const problem = { reason: 'malformed_row', detail: `${file}: ${(error as Error).message}` }
    return sourceRow({ mark, place, ...source, problem })
  }
  const { width, height, boxes } = found
  let unboxed = 0
  const regions: GoldRegion[] = []
  const parsed = lines.map(parseSentence)
  for (const [caption, { phrases }] of parsed.entries()) {
    for (const { id: chain, start, end } of phrases) {
      const own = boxes.get(chain) ?? []
      if (own.length === 0) unboxed++
      for (const xyxy of own) {
        regions.push({ category: '', order: regions.length, xyxy, spans: [[start, end]], caption })
      }
    }
  }
  return sourceRow({
    mark,
    place,
    ...source,
    captions: parsed.map(({ text }) => ({ text, kind: 'gold' })),
    regions,
    dropped: unboxed > 0 ? { phrase_without_box: unboxed } : {},
    size: { width, height },
    meta: { id },
  })
}
