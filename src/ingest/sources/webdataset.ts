import { open } from 'node:fs/promises'
import type { z } from 'zod'
import { decodeText } from '../../base/decode-text.js'
import { notUtf8 } from '../../base/files/read-file.js'
import { nameList } from '../../base/name-list.js'
import { parseJson } from '../../base/parse-json.js'
import { UserError } from '../../base/user-error.js'
import type { Mark } from '../../formats/mark.js'
import { isCompressed } from '../../formats/read-bytes.js'
import { readAt, readTar, type TarEntry } from '../../formats/read-tar.js'
import { openObject } from '../../storage/open-storage.js'
import { isS3 } from '../../storage/s3-storage.js'
import { Reject } from '../fetch/reject.js'
import { pictureEndings } from '../read/picture-endings.js'
import { regionRow, sizeOf } from '../read/region-values.js'
import { fileSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { join, joinsPairs, listPath, pictureColumns, sourceSchema } from '../read/source-keys.js'
import { captionedRow, problemRow, type SourceRow, sourceRow } from '../read/source-row.js'

const schema = sourceSchema('webdataset', { path: listPath, columns: pictureColumns, join }).describe(
  'pictures and captions in tar files (WebDataset)',
)
type Columns = NonNullable<z.infer<typeof schema>['columns']>
const endings = ['.tar', '.tgz']

interface Sample {
  readonly key: string
  /** The first of each name. */
  readonly fields: Map<string, TarEntry>
  /** Names of two members of one field, the first that there are. */
  twins?: readonly [string, string]
}

/** Longer texts are no captions. */
const longestText = 1 << 20

/**
 * Samples of a WebDataset tar: files one behind the other whose names are the same up to the first dot of the
 * base name; the rest is the field, whatever its case. So names with dots (`v1.5.jpg`, `v1.7.jpg`) are one
 * sample: where two members are the same field, or both pictures and none is named, it is rejected with both
 * names; where the first member's very name comes again, it is the same picture with another caption. The picture is the field that ends as pictures do, or the one that the configuration names; the
 * caption comes from `txt`, else from `caption` in `json`, or from the field named
 * (`json.title` is a key of `json`); regions from the field named. Keys of `json` become meta where the
 * configuration names them. Pictures are read when they are wanted; of a compressed tar they are held from
 * the first reading on.
 */
export const webdataset: SourceFormat<typeof schema> = {
  name: 'webdataset',
  schema,
  isRemote: true,
  endings,
  hasBoxes: ({ columns }) => columns?.regions !== undefined,
  open: (config) =>
    fileSource(
      requirePath(config),
      endings,
      (path, from, marksOnly) => readSamples(path, config, from, marksOnly),
      { joins: joinsPairs(config) },
    ),
}

/** @param marksOnly pictures of a compressed tar are not held then */
async function* readSamples(
  path: string,
  config: z.infer<typeof schema>,
  from: Mark | undefined,
  marksOnly: boolean,
): AsyncGenerator<SourceRow> {
  const { columns = {}, fetch } = config
  const maxBytes = fetch.max_bytes
  const joins = joinsPairs(config)
  const isHeld = isCompressed(path) && !marksOnly
  const wanted = (name: string, size: number) => {
    const field = fieldOf(name)?.field
    if (field === undefined) return false
    return isPicture(field, columns) ? isHeld && size <= maxBytes : size <= longestText
  }
  let sample: Sample | undefined
  for await (const entry of readTar(path, wanted, from?.at)) {
    const split = fieldOf(entry.name)
    if (!split) continue
    const { key, field } = split
    // The name of its first member begins the same sample once more, with another caption.
    const isAgain = joins && sample?.fields.values().next().value?.name === entry.name
    if (sample && (isAgain || sample.key !== key)) {
      yield sampleRow(path, columns, maxBytes, sample)
      sample = undefined
    }
    sample ??= { key, fields: new Map() }
    const twin = sample.fields.get(field)
    if (twin) sample.twins ??= [twin.name, entry.name]
    else sample.fields.set(field, entry)
  }
  if (sample) yield sampleRow(path, columns, maxBytes, sample)
}

/** Files of macOS and without an ending belong to no sample. */
function fieldOf(name: string): { readonly key: string; readonly field: string } | undefined {
  const base = name.slice(name.lastIndexOf('/') + 1)
  const dot = base.indexOf('.')
  if (dot <= 0 || base.startsWith('._')) return undefined
  const field = base.slice(dot + 1)
  return field === ''
    ? undefined
    : { key: name.slice(0, name.length - field.length - 1), field: field.toLowerCase() }
}

function isPicture(field: string, columns: Columns): boolean {
  if (columns.image !== undefined) return field === columns.image.toLowerCase()
  return pictureEndings.has(`.${field.slice(field.lastIndexOf('.') + 1)}`)
}

function sampleRow(path: string, columns: Columns, maxBytes: number, sample: Sample): SourceRow {
  const { key, fields } = sample
  const first = fields.values().next().value as TarEntry
  const mark = { at: first.at, line: 0 }
  const place = `${path} ${key}`
  const pictures = [...fields].filter(([field]) => isPicture(field, columns)).map(([, entry]) => entry)
  const [picture, second] = pictures
  const twins = sample.twins ?? (picture && second && [picture.name, second.name])
  if (twins)
    return sourceRow({ mark, place, problem: { reason: 'duplicate_member', detail: both(place, twins) } })
  if (!picture) return problemRow(mark, place, `no picture among ${nameList(fields.keys())}`)
  const json = jsonOf(fields.get('json'))
  if (json === null)
    return problemRow(mark, place, unreadText(fields.get('json')) ?? 'its json is not a JSON object')
  const text = (name: string): unknown => {
    if (name.startsWith('json.')) return json?.[name.slice(5)]
    const bytes = fields.get(name.toLowerCase())?.bytes
    return bytes && decodeText(bytes)
  }
  const named = (name: string | number | undefined) => {
    if (typeof name === 'number')
      throw new UserError(
        `The fields of a WebDataset have names, such as txt or json.caption, not numbers: ${name}.`,
      )
    return name
  }
  const caption = named(columns.caption)
  const [url, license] = [named(columns.url), named(columns.license)].map((name, index) =>
    text(name ?? (index === 0 ? 'json.url' : 'json.license')),
  )
  const id = columns.id === undefined ? undefined : text(named(columns.id) as string)
  const meta = (columns.meta ?? []).map(
    (name) => [named(name) as string, text(`json.${name}`) ?? null] as const,
  )
  const common = {
    url: typeof url === 'string' ? url : null,
    license: typeof license === 'string' ? license : null,
    load: () => pictureOf(path, picture, maxBytes, place),
    meta: { key, ...(id !== undefined && { id }), ...Object.fromEntries(meta) },
    pictureName: id !== undefined ? `id ${id}` : typeof url === 'string' ? url : `key ${key}`,
  }
  const words = caption ? text(caption) : (text('txt') ?? json?.caption)
  if (columns.regions === undefined) {
    const row = captionedRow(mark, place, words, common)
    if (!row.problem) return row
    const unread = unreadText(fields.get((caption ?? 'txt').toLowerCase()))
    if (unread !== undefined) return problemRow(mark, place, unread)
    const detail = `${row.problem.detail} among its fields ${nameList(fields.keys())}: a name is split at its first dot`
    return { ...row, problem: { ...row.problem, detail } }
  }
  const size = sizeOf(json?.width, json?.height)
  return regionRow({ ...common, mark, place, size }, words, text(columns.regions))
}

const both = (place: string, [first, second]: readonly [string, string]) =>
  `${place}: ${first} and ${second} are of one sample, whose name ends at its first dot: rename them, or name the picture's field in columns.image`

/** Why a member that should be a text is none. */
function unreadText(entry: TarEntry | undefined): string | undefined {
  if (!entry) return undefined
  if (!entry.bytes) return `${entry.name} is over ${longestText >> 20} MiB`
  return decodeText(entry.bytes) === undefined ? `${entry.name} is ${notUtf8}` : undefined
}

/** The object; undefined where there is no field, null where it is none. */
function jsonOf(entry: TarEntry | undefined): Readonly<Record<string, unknown>> | null | undefined {
  if (!entry) return undefined
  try {
    const value = parseJson(decodeText(entry.bytes ?? new Uint8Array()) ?? '')
    return value && typeof value === 'object' && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}

async function pictureOf(
  path: string,
  { name, bytes, start, size }: TarEntry,
  maxBytes: number,
  place: string,
): Promise<Uint8Array> {
  if (size > maxBytes) throw new Reject('too_large', `${place}: ${name} has more than ${maxBytes} bytes`)
  if (bytes) return bytes
  if (isS3(path)) {
    const object = await openObject(path)
    try {
      return new Uint8Array(await object.read(start, start + size))
    } finally {
      await object.close()
    }
  }
  const handle = await open(path, 'r')
  try {
    const read = await readAt(handle, start, size)
    if (read.length === size) return read
    throw new Reject('truncated', `${place}: the tar ends within the picture`)
  } finally {
    await handle.close()
  }
}
