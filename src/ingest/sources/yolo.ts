import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, extname, isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { memoize } from '../../base/memoize.js'
import { parseConfig, readYaml } from '../../base/parse-config.js'
import { UserError } from '../../base/user-error.js'
import type { Mark } from '../../formats/mark.js'
import { pictureEndings } from '../read/picture-endings.js'
import { rowSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { exhaustive, optionalText, prompt, sourceSchema } from '../read/source-keys.js'
import { type GoldRegion, type SourceRow, sourceRow } from '../read/source-row.js'

const schema = sourceSchema('yolo', {
  path: optionalText('the data.yaml'),
  split: optionalText('the key of it that names the pictures, such as val; train by default'),
  exhaustive,
  prompt,
})

const yamlSchema = z.looseObject({
  path: z.string().optional(),
  names: z.union([z.array(z.string()), z.record(z.string(), z.string())]),
})

/**
 * Pictures of Ultralytics' YOLO: `path` is the data.yaml, `split` (train) the key of it that names the
 * pictures' folder, or folders. Beside each picture's folder `images` lies `labels` with a text file of the
 * same name: a line a box, or a line an outline, of which the box around it is taken. A picture without such
 * a file has no boxes. A class without a box is absent, unless the configuration says otherwise.
 */
export const yolo: SourceFormat<typeof schema> = {
  name: 'yolo',
  schema,
  hasBoxes: () => true,
  open(config) {
    const path = requirePath(config)
    const listing = memoize(() => readListing(path, config.split))
    return rowSource({
      async *rows(from) {
        yield* rowsOf(await listing(), config, from)
      },
    })
  },
}

/** The pictures of a split, and the names of the classes. */
interface Listing {
  readonly files: readonly string[]
  readonly names: ReadonlyMap<number, string>
}

async function readListing(path: string, split = 'train'): Promise<Listing> {
  const yaml = parseConfig(yamlSchema, await readYaml(path), path)
  const splitPath = yaml[split]
  const folders = [splitPath].flat().filter((folder): folder is string => typeof folder === 'string')
  if (folders.length === 0)
    throw new UserError(`${path} has no split "${split}"; it has: ${Object.keys(yaml).join(', ')}.`)
  const names = new Map(Object.entries(yaml.names).map(([id, name]) => [Number(id), name]))
  const files = (await Promise.all(folders.map((folder) => picturesOf(path, yaml.path, folder)))).flat()
  if (files.length === 0) throw new UserError(`${path}: ${folders.join(', ')} has no pictures.`)
  return { files, names }
}

async function* rowsOf(
  { files, names }: Listing,
  { exhaustive = true }: z.infer<typeof schema>,
  from?: Mark,
): AsyncGenerator<SourceRow> {
  for (const [at, file] of files.entries()) {
    if (at < (from?.at ?? 0)) continue
    const labels = await readFile(labelPath(file), 'utf8').catch(() => '')
    const dropped: Record<string, number> = {}
    const partial: string[] = []
    /** Whether it is known what all boxes are of. */
    let isClosed = true
    const regions = labels.split('\n').flatMap((line): GoldRegion[] => {
      if (line.trim() === '') return []
      const region = regionOf(line, names)
      if (region) return [region]
      dropped.malformed_box = (dropped.malformed_box ?? 0) + 1
      const name = names.get(Number(line.trim().split(/\s+/)[0]))
      if (name === undefined) isClosed = false
      else partial.push(name)
      return []
    })
    const isExhaustive = isClosed && exhaustive
    const mark = { at, line: 0 }
    yield sourceRow({
      mark,
      place: file,
      file,
      regions,
      boxUnit: 'share',
      exhaustive: isExhaustive,
      partial,
      dropped,
      meta: { file_name: file },
    })
  }
}

/**
 * Pictures in a folder of data.yaml and below it, sorted. Paths start from its `path`, or from where it lies.
 */
async function picturesOf(yaml: string, root = '', folder: string): Promise<string[]> {
  const base = isAbsolute(root) ? root : join(dirname(yaml), root)
  const path = isAbsolute(folder) ? folder : join(base, folder)
  if (!(await stat(path).catch(() => undefined))?.isDirectory())
    throw new UserError(`${yaml}: ${path} is not a folder of pictures.`)
  const names = await readdir(path, { recursive: true })
  return names
    .filter((name) => pictureEndings.has(extname(name).toLowerCase()))
    .sort()
    .map((name) => join(path, name))
}

/** The last folder `images` of a path becomes `labels`, as Ultralytics finds them. */
function labelPath(file: string): string {
  const at = file.replaceAll('\\', '/').lastIndexOf('/images/')
  const labelFile = at === -1 ? file : `${file.slice(0, at)}/labels/${file.slice(at + '/images/'.length)}`
  return `${labelFile.slice(0, -extname(labelFile).length)}.txt`
}

/** Class and centre, width, height, or class and the points of an outline: shares of the picture's sides. */
function regionOf(line: string, names: ReadonlyMap<number, string>): GoldRegion | undefined {
  const [id = Number.NaN, ...values] = line.trim().split(/\s+/).map(Number)
  const category = names.get(id)
  const isOutline = values.length >= 6 && values.length % 2 === 0
  if (category === undefined || !values.every(Number.isFinite) || (values.length !== 4 && !isOutline))
    return undefined
  if (isOutline) {
    const side = (first: 0 | 1) => values.filter((_, index) => index % 2 === first)
    const xs = side(0)
    const ys = side(1)
    const xyxy = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] as const
    return { category, order: id, xyxy, spans: [] }
  }
  const [x, y, width, height] = values as [number, number, number, number]
  const xyxy = [x - width / 2, y - height / 2, x + width / 2, y + height / 2] as const
  return { category, order: id, xyxy, spans: [] }
}
