import { access, readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { UserError } from '../../base/user-error.js'
import { type Mark, problemRow, type SourceRow, sourceRow } from '../read/source-row.js'
import type { IngestConfig } from './config.js'
import { readObjects, requireKey } from './source-jsonl.js'

/** Endings of pictures. */
export const pictures = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'])

/**
 * Pictures of a folder and those below it. Captions come from a text file beside each, of its name, a line each; and
 * from `captions.jsonl` or `metadata.jsonl` in the folder, an object a line with `file_name` and `caption` or `text`
 * (the form of Hugging Face's image folders) or the columns that the configuration names.
 */
export async function* readFolder(
  config: IngestConfig & { path: string },
  from?: Mark,
): AsyncGenerator<SourceRow> {
  const { path } = config
  const names = await readdir(path, { recursive: true }).catch((error: unknown) => {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`)
  })
  const found = names
    .filter((name) => pictures.has(extname(name).toLowerCase()))
    .map((name) => name.replaceAll('\\', '/'))
    .sort()
  if (found.length === 0) throw new UserError(`${path} has no pictures (${[...pictures].join(', ')}).`)
  const { captions, problems } = await readList(config, new Set(found))
  const all = found.length + problems.length
  for (let at = from?.at ?? 0; at < all; at++) {
    const mark = { at, line: 0 }
    if (at < found.length) yield await pictureRow(mark, path, found[at], captions.get(found[at]) ?? [])
    else yield sourceRow({ ...problems[at - found.length], mark })
  }
}

async function pictureRow(
  mark: Mark,
  folder: string,
  name: string,
  listed: readonly string[],
): Promise<SourceRow> {
  const file = join(folder, name)
  const beside = `${file.slice(0, -extname(file).length)}.txt`
  const text = await readFile(beside, 'utf8').catch(() => '')
  const texts = [...listed, ...text.split(/\r?\n/)].filter((line) => line.trim() !== '')
  const problem = { reason: 'empty_caption', detail: `${file}: no caption in ${beside} or a list` }
  return sourceRow({
    mark,
    place: file,
    file,
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
  { path, columns }: IngestConfig & { path: string },
  found: ReadonlySet<string>,
): Promise<CaptionList> {
  const captions = new Map<string, string[]>()
  const problems: SourceRow[] = []
  const list = await firstOf([join(path, 'captions.jsonl'), join(path, 'metadata.jsonl')])
  if (!list) return { captions, problems }
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
    const [name, caption] = keys.map((key) => value[key])
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
