import { join } from 'node:path'
import { UserError } from '../../base/user-error.js'
import type { Mark } from '../../formats/mark.js'
import { csvRows } from '../../formats/read-cells.js'
import type { Caption, CaptionKind } from '../../rows/rows.js'
import { noColumn } from '../read/columns.js'
import { goldRegion, metaOf, sizeOf, textOf } from '../read/region-values.js'
import { fileSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { baseUrl, imageFolder, listPath, outside, sourceSchema } from '../read/source-keys.js'
import { type GoldRegion, problemRow, type SourceRow, sourceRow } from '../read/source-row.js'

const schema = sourceSchema('csv-regions', {
  path: listPath,
  images: imageFolder,
  base_url: baseUrl,
  outside,
}).describe('regions, a line each, as `groundmill export --format csv` writes them')
const endings = ['.csv']

const required = ['key', 'caption', 'text', 'start', 'end', 'x1', 'y1', 'x2', 'y2'] as const

type Cell = (column: string) => string

/** The lines of a picture. */
interface Group {
  readonly mark: Mark
  readonly key: string
  readonly cells: Cell[]
}

/**
 * Pictures of a table of regions as `groundmill export --format csv` writes it: a region a row, those of a
 * picture one behind the other. The picture is `file_name` below `images`, else what is fetched from `url`.
 */
export const csvRegions: SourceFormat<typeof schema> = {
  name: 'csv-regions',
  schema,
  isRemote: true,
  endings,
  hasBoxes: () => true,
  open: (config) =>
    fileSource(requirePath(config), endings, (path, from) => rowsOf(path, config.images, from)),
}

async function* rowsOf(path: string, images: string | undefined, from?: Mark): AsyncGenerator<SourceRow> {
  const { places, next } = await readHeader(path)
  if (!next) return
  let group: Group | undefined
  for await (const { mark, cells, problem } of csvRows(path, from ?? next, true)) {
    if (!cells) {
      yield problemRow(mark, `${path}:${mark.line}`, problem)
      continue
    }
    const cell: Cell = (column) => cells[places.get(column) ?? -1] ?? ''
    const key = cell('key')
    if (group && group.key !== key) {
      yield pictureRow(path, group, images)
      group = undefined
    }
    group ??= { mark, key, cells: [] }
    group.cells.push(cell)
  }
  if (group) yield pictureRow(path, group, images)
}

async function readHeader(path: string) {
  let places: Map<string, number> | undefined
  for await (const { mark, cells } of csvRows(path)) {
    if (places) return { places, next: mark }
    places = new Map(cells?.map((name, index) => [name, index]))
    const missing = required.find((name) => !places?.has(name))
    if (missing !== undefined) throw noColumn(path, missing, places.keys(), { advice: '' })
  }
  if (places) return { places }
  throw new UserError(`${path} has no header: a first line with column names was expected.`)
}

function pictureRow(path: string, { mark, cells }: Group, images: string | undefined): SourceRow {
  const place = `${path}:${mark.line}`
  const first: Cell = (column) => cells[0]?.(column) ?? ''
  const file = first('file_name')
  const dropped: Record<string, number> = {}
  const captions: Caption[] = []
  // Captions are known by their numbers: a row is dropped where one is not there.
  const numbers = new Map<string, number>()
  const regions: GoldRegion[] = []
  for (const cell of cells) {
    let caption = numbers.get(cell('caption'))
    if (caption === undefined) {
      caption = captions.push({ text: cell('text'), kind: kindOf(cell('kind')) }) - 1
      numbers.set(cell('caption'), caption)
    }
    if (cell('x1') === '') continue
    const start = Number(cell('start'))
    const end = Number(cell('end'))
    const xyxy = ['x1', 'y1', 'x2', 'y2'].map((name) => Number(cell(name)))
    const score = cell('score') === '' ? 1 : Number(cell('score'))
    if (
      !Number.isInteger(start) ||
      !Number.isInteger(end) ||
      !xyxy.every(Number.isFinite) ||
      !(score >= 0 && score <= 1)
    )
      dropped.malformed_box = (dropped.malformed_box ?? 0) + 1
    else
      regions.push(
        goldRegion({
          caption,
          start,
          end,
          head: cell('head'),
          xyxy,
          score,
          origin: cell('origin') || 'gold',
        }),
      )
  }
  return sourceRow({
    mark,
    place,
    ...(images && file !== '' ? { file: join(images, file), roots: [images] } : {}),
    url: textOf(first('url')),
    captions,
    regions,
    dropped,
    size: sizeOf(first('width'), first('height')),
    license: textOf(first('license')),
    meta: metaOf(first('meta')),
  })
}

const kindOf = (text: string): CaptionKind => (text === 'gold' || text === 'categories' ? text : 'web')
