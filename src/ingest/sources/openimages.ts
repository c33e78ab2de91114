import { join } from 'node:path'
import type { z } from 'zod'
import { counted } from '../../base/counted.js'
import { memoize } from '../../base/memoize.js'
import { UserError } from '../../base/user-error.js'
import { cornersOf, numberOf } from '../../formats/box-numbers.js'
import { entryId } from '../../formats/entry-id.js'
import type { Mark } from '../../formats/mark.js'
import { csvRows } from '../../formats/read-cells.js'
import { columnIndex } from '../read/columns.js'
import { rowSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { baseUrl, imageFolder, optionalText, outside, prompt, sourceSchema } from '../read/source-keys.js'
import {
  type GoldRegion,
  type IgnoredBox,
  problemRow,
  type SourceRow,
  sourceRow,
} from '../read/source-row.js'

const schema = sourceSchema('openimages', {
  path: optionalText('the CSV of boxes'),
  images: imageFolder,
  classes: optionalText('the CSV of class descriptions'),
  image_list: optionalText('the CSV of image addresses'),
  image_labels: optionalText('the CSV of labels of whole pictures that people have verified'),
  base_url: baseUrl,
  prompt,
  outside,
}).describe('boxes of Open Images, in CSV files')
type Config = z.infer<typeof schema>

const requiredColumns = ['ImageID', 'LabelName', 'XMin', 'XMax', 'YMin', 'YMax', 'IsGroupOf'] as const

/**
 * Pictures of OpenImages from its CSV of boxes, whose lines of one picture stand together: `path` is that
 * file (such as `oidv6-train-annotations-bbox.csv`), `classes` the class descriptions, `images` the folder of
 * `ID.jpg`; without it pictures are fetched from `base_url`, or from where `image_list`
 * (`train-images-boxable-with-rotation.csv`) has them. Boxes are shares of the picture's sides. A box around
 * a group (`IsGroupOf`) names no one thing: it is left out, and counted, and evaluation takes it for a crowd. A category without a box may well be
 * in the picture, since only some were asked for: those are absent of which `image_labels`
 * (`oidv7-train-annotations-human-imagelabels.csv`) says so, with a confidence of 0.
 */
export const openImages: SourceFormat<typeof schema> = {
  name: 'openimages',
  schema,
  isWhole: true,
  hasBoxes: () => true,
  open(config) {
    const path = requirePath(config)
    const { classes, image_list, images, base_url, image_labels } = config
    if (!classes)
      throw new UserError('An openimages source needs `classes`: the path of its class descriptions (CSV).')
    if (!images && !base_url && !image_list)
      throw new UserError(
        'An openimages source needs `images`, `base_url` or `image_list`: where its pictures are.',
      )
    const lists = memoize(
      async (): Promise<Lists> => ({
        names: await readClasses(classes),
        absent: image_labels ? await readAbsent(image_labels) : undefined,
        places: images || base_url || !image_list ? undefined : await readPlaces(image_list),
      }),
    )
    return rowSource({
      async *rows(from) {
        yield* rowsOf(path, await lists(), config, from)
      },
      files: async () => [path, classes, image_list, image_labels],
    })
  },
}

/** What stands in files beside the boxes. */
interface Lists {
  /** Names of the classes, in the order of the file. */
  readonly names: ReadonlyMap<string, { readonly text: string; readonly order: number }>
  /** Where pictures are that are fetched from their own addresses. */
  readonly places?: Places
  /** Labels that people have verified not to be in a picture. */
  readonly absent?: AbsentLabels
}

async function* rowsOf(
  path: string,
  lists: Lists,
  config: Config,
  from: Mark | undefined,
): AsyncGenerator<SourceRow> {
  const { names } = lists
  const header = await headerOf(path)
  if (!header.next) return
  const indices = requiredColumns.map((name) => [name, columnIndex(name, header.names, path)] as const)
  const indexOf = new Map(indices)
  const last = Math.max(...indexOf.values())
  let open: OpenPicture | undefined
  for await (const { mark, cells, problem } of csvRows(path, from ?? header.next)) {
    if (!cells || cells.length <= last) {
      if (open) yield pictureRow(path, open, config, lists)
      open = undefined
      yield problemRow(mark, `${path}:${mark.line}`, problem ?? counted(cells?.length ?? 0, 'column'))
      continue
    }
    const cell = (name: (typeof requiredColumns)[number]) => cells[indexOf.get(name) ?? -1] ?? ''
    const id = entryId(cell('ImageID'))
    if (open && open.id !== id) {
      yield pictureRow(path, open, config, lists)
      open = undefined
    }
    if (id === undefined) {
      yield problemRow(mark, `${path}:${mark.line}`, 'no ImageID')
      continue
    }
    open ??= { id, mark, regions: [], ignored: [], dropped: {}, unboxed: [] }
    const xyxy = cornersOf([cell('XMin'), cell('YMin'), cell('XMax'), cell('YMax')])
    const name = names.get(cell('LabelName').trim())
    const why = isGroup(cell('IsGroupOf'))
      ? 'group_box'
      : name === undefined
        ? 'unnamed_box'
        : xyxy === undefined
          ? 'malformed_box'
          : undefined
    if (why !== undefined) {
      open.dropped[why] = (open.dropped[why] ?? 0) + 1
      if (name) open.unboxed.push(name.text)
      if (name && why === 'group_box' && xyxy) open.ignored.push({ category: name.text, xyxy, crowd: true })
    } else if (name && xyxy) open.regions.push({ category: name.text, order: name.order, xyxy, spans: [] })
  }
  if (open) yield pictureRow(path, open, config, lists)
}

/** Set is 1, which pandas writes as 1.0 or True; -1 says that nobody has looked. */
const isGroup = (cell: string) => numberOf(cell) === 1 || /^\s*true\s*$/i.test(cell)

interface OpenPicture {
  readonly id: string
  readonly mark: Mark
  readonly regions: GoldRegion[]
  readonly ignored: IgnoredBox[]
  readonly dropped: Record<string, number>
  /** Names of boxes that are left out. */
  readonly unboxed: string[]
}

/** By picture. */
type AbsentLabels = ReadonlyMap<string, readonly string[]>

type Places = ReadonlyMap<string, { readonly url: string; readonly license: string }>

function pictureRow(
  path: string,
  { id, mark, regions, ignored, dropped, unboxed }: OpenPicture,
  config: Config,
  { names, places, absent }: Lists,
): SourceRow {
  const place = `${path}:${mark.line} picture ${id}`
  const found = places?.get(id)
  const negatives = (absent?.get(id) ?? []).flatMap((label) => names.get(label)?.text ?? [])
  const problem = { reason: 'malformed_row', detail: `${place}: ${config.image_list} has no address for it` }
  return sourceRow({
    mark,
    place,
    file: config.images && !config.base_url ? join(config.images, `${id}.jpg`) : null,
    roots: config.images ? [config.images] : [],
    url: config.base_url ? `${id}.jpg` : (found?.url ?? null),
    license: found?.license || null,
    regions,
    ignored,
    boxUnit: 'share',
    dropped,
    absent: config.prompt.negatives > 0 ? negatives : [],
    negatives,
    partial: unboxed,
    meta: { id },
    problem: places && !found ? problem : null,
  })
}

/**
 * Names by label (`/m/011k07`), in the order of the file. Version 7 has a header, older ones have none. A label
 * without a name, or with several, has none: its boxes are counted as such.
 */
async function readClasses(path: string) {
  const names = new Map<string, { readonly text: string; readonly order: number }>()
  const shared = new Set<string>()
  let fault: string | undefined
  for await (const { mark, cells, problem } of csvRows(path)) {
    const [label, text] = (cells ?? []).map((cell) => cell.trim())
    if (!label || !text) fault ??= `${path}:${mark.line}: ${problem ?? 'a label and a name were expected'}.`
    else if (label !== 'LabelName') {
      if (names.has(label) && names.get(label)?.text !== text) shared.add(label)
      names.set(label, { text, order: names.size })
    }
  }
  if (names.size === 0 && fault !== undefined) throw new UserError(fault)
  for (const label of shared) names.delete(label)
  return names
}

/** Labels with a confidence of 0, by picture: those of the whole list are held. */
async function readAbsent(path: string): Promise<AbsentLabels> {
  const absent = new Map<string, string[]>()
  /** A label's text as it is held: a file has some thousand of them, millions of times. */
  const held = new Map<string, string>()
  let columns: number[] | undefined
  for await (const { cells } of csvRows(path)) {
    if (!cells) continue
    if (columns) {
      const [id, label, confidence] = columns.map((index) => cells[index])
      const image = entryId(id)
      if (image === undefined || label === undefined || numberOf(confidence) !== 0) continue
      const text = held.get(label) ?? label.trim()
      held.set(label, text)
      const known = absent.get(image)
      if (known) known.push(text)
      else absent.set(image, [text])
    } else columns = ['ImageID', 'LabelName', 'Confidence'].map((name) => columnIndex(name, cells, path))
  }
  return absent
}

async function readPlaces(image_list: string): Promise<Places> {
  const places = new Map<string, { url: string; license: string }>()
  let columns: number[] | undefined
  for await (const { cells } of csvRows(image_list)) {
    if (!cells) continue
    if (columns) {
      const [image, url, license] = columns.map((index) => cells[index])
      const id = entryId(image)
      if (id !== undefined && url) places.set(id, { url, license: license ?? '' })
    } else columns = ['ImageID', 'OriginalURL', 'License'].map((name) => columnIndex(name, cells, image_list))
  }
  return places
}

async function headerOf(path: string): Promise<{ readonly names: readonly string[]; readonly next?: Mark }> {
  let names: readonly string[] | undefined
  for await (const { mark, cells } of csvRows(path)) {
    if (names) return { names, next: mark }
    if (!cells) break
    names = cells
  }
  if (names) return { names }
  throw new UserError(`${path} has no header: a first line with column names was expected.`)
}
