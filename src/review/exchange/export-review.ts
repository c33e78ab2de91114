import { mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { writeFileAtomic } from '../../base/files/write-file-atomic.js'
import { hashJson } from '../../base/hash.js'
import { shownName } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import { type ExportSource, exportShards } from '../../export/export-rows.js'
import { findOnly, type OnlyReport, readOnlyKeys } from '../../export/only-keys.js'
import { pictureEnding } from '../../export/place-picture.js'
import type { GroundingRow, ImageRow, PhraseRow } from '../../rows/rows.js'
import { joinRows } from '../../shards/join-rows.js'
import type { ReviewedPhrase } from '../review-entry.js'
import { longestWords } from '../review-schema.js'
import type { OutPicture } from './exchange-format.js'
import { type ExchangeFormatName, exchangeFormats } from './exchange-formats.js'
import { writeExchange } from './exchange-record.js'
import { type ExportedPicture, numbered } from './exported-picture.js'

export interface ReviewExportOptions {
  readonly format: ExchangeFormatName
  /** The file to write. */
  readonly out: string
  /** A selection of the dataset, or a file of keys. */
  readonly only?: string | undefined
  /** Pictures that are left out: those that were reviewed. */
  readonly reviewed?: ReadonlySet<string>
  /** A folder into which the pictures are written as KEY.jpg. */
  readonly pictures?: string | undefined
  /** Where the tool finds a picture: an address with `{key}` and `{ext}` in it. */
  readonly pictureUrl?: string | undefined
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
}

export interface ReviewExportReport {
  /** Under which what comes back is held against this. */
  readonly id: string
  readonly file: string
  /** What else was written beside it; null where nothing was. */
  readonly beside: string | null
  readonly grounding: string
  readonly pictures: number
  readonly boxes: number
  readonly phrases: number
  /** Why pictures and boxes were left out. */
  readonly leftOut: Readonly<Record<string, number>>
  /** Shards whose grounding is not there. */
  readonly missing: readonly string[]
  readonly only?: OnlyReport
}

/**
 * Writes the boxes of a grounding as a file of a labelling tool, and keeps in the dataset what was written, against
 * which `importReview` holds what comes back. The same data give the same file.
 *
 * @throws UserError where there is nothing to review, or more than one file may have
 */
export async function exportReview(
  source: ExportSource,
  options: ReviewExportOptions,
): Promise<ReviewExportReport> {
  const { out, signal } = options
  const format = exchangeFormats[options.format]
  const addressOf = addresses(options)
  const { complete: shards, missing } = await exportShards(source)
  if (shards.length === 0)
    throw new UserError(
      `${source.storage.url}: no shard of grounding "${source.grounding}" is there: run its stage first.`,
    )
  const only = options.only === undefined ? undefined : await readOnlyKeys(source, options.only)
  const onlyReport = only && (await findOnly(source, shards, only))
  const leftOut: Record<string, number> = {}
  const drop = (reason: string) => {
    leftOut[reason] = (leftOut[reason] ?? 0) + 1
  }
  const total = shards.reduce((sum, { rows }) => sum + rows, 0)
  let done = 0
  const pictures: ExportedPicture[] = []
  const files: { readonly name: string; readonly address: string }[] = []
  if (options.pictures !== undefined) await mkdir(options.pictures, { recursive: true })
  for (const { shard } of shards) {
    const rows = joinRows(
      source.storage,
      shard,
      {
        images: { columns: ['width', 'height', 'captions', 'url', 'image'] },
        phrases: { stage: source.phrases, columns: ['phrases'] },
        grounding: { stage: source.grounding, columns: ['regions'] },
        selection:
          source.selection === undefined ? undefined : { stage: source.selection, columns: ['reason'] },
      },
      { ...(signal && { signal }) },
    )
    for await (const { key, images, phrases, grounding, selection } of rows) {
      options.onProgress?.(++done, total)
      if (only && !only.keys.has(key)) continue
      const reason = selection?.reason ?? (options.reviewed?.has(key) ? 'reviewed' : null)
      const picture =
        reason === null ? pictureOf(images, phrases, grounding, () => drop('box_without_words')) : null
      if (!picture || picture.phrases.length === 0) {
        drop(reason ?? 'no_phrase')
        continue
      }
      const { bytes } = images.image
      const ending = pictureEnding(bytes)
      const name = `${key}.${ending}`
      if (options.pictures !== undefined) await writeFileAtomic(join(options.pictures, name), bytes)
      pictures.push(picture)
      files.push({ name, address: addressOf(key, ending, images.url) })
    }
  }
  const boxes = pictures.reduce((sum, one) => sum + one.boxes.length, 0)
  if (pictures.length === 0)
    throw new UserError(
      `Nothing of grounding "${source.grounding}" of ${source.storage.url} is left to review: ${leftOutText(leftOut)}.`,
    )
  const id = hashJson([1, source.name, source.grounding, pictures]).slice(0, 8)
  const exported = {
    ...{ id, dataset: source.name, grounding: source.grounding },
    pictures: numbered(pictures).map((picture, at): OutPicture => ({ ...picture, ...files[at]! })),
  }
  // First what it is held against: a file that nobody knows would be of no use.
  await writeExchange(source.storage, { id, grounding: source.grounding, pictures })
  await writeFileAtomic(out, chunks(format.write(exported)))
  const beside = format.beside && `${out.replace(/\.(json|xml)$/i, '')}${format.beside.ending}`
  if (format.beside && beside !== undefined) await writeFileAtomic(beside, format.beside.text(exported))
  return {
    ...{ id, file: out, beside: beside ?? null, grounding: source.grounding },
    ...{ pictures: pictures.length, boxes, leftOut, missing },
    phrases: pictures.reduce((sum, { phrases }) => sum + phrases.length, 0),
    ...(onlyReport && { only: onlyReport }),
  }
}

function leftOutText(leftOut: Readonly<Record<string, number>>): string {
  const reasons = Object.entries(leftOut).map(([reason, count]) => `${reason} ${count}`)
  return reasons.length > 0 ? reasons.join(', ') : 'it has no picture'
}

/** The text of a file in pieces of some size. */
async function* chunks(texts: Iterable<string>): AsyncGenerator<Uint8Array> {
  let waiting = ''
  for (const text of texts) {
    waiting += text
    if (waiting.length < 1 << 20) continue
    yield Buffer.from(waiting)
    waiting = ''
  }
  yield Buffer.from(waiting)
}

/** Where a tool finds the pictures. */
function addresses({ pictures, pictureUrl, format }: ReviewExportOptions) {
  if (pictureUrl !== undefined && !pictureUrl.includes('{key}'))
    throw new UserError(
      `--picture-url ${shownName(pictureUrl)} has no {key} in it: all pictures would be one; such as https://pictures.example/{key}.{ext}`,
    )
  return (key: string, ending: string, url: string | null): string => {
    if (pictureUrl !== undefined) return pictureUrl.replaceAll('{key}', key).replaceAll('{ext}', ending)
    if (format !== 'label-studio') return `${key}.${ending}`
    // Label Studio serves files below its document root, of which this is a folder.
    if (pictures !== undefined)
      return `/data/local-files/?d=${encodeURIComponent(basename(pictures))}/${key}.${ending}`
    return url ?? `${key}.${ending}`
  }
}

/** What is exported of a picture: the phrases of its sentences, and those that have boxes. */
function pictureOf(
  { key, width, height, captions }: Pick<ImageRow, 'key' | 'width' | 'height' | 'captions'>,
  { phrases }: Pick<PhraseRow, 'phrases'>,
  { regions }: Pick<GroundingRow, 'regions'>,
  onWordless: () => void,
): ExportedPicture {
  const named = new Set(regions.map(({ phrase }) => phrase))
  const known = new Map<string, number>()
  const kept: ReviewedPhrase[] = []
  const indexOf = phrases.map(({ caption, start, end, text }, index): number | undefined => {
    const own = captions[caption]
    if (!own || end <= start || text.length > longestWords) return undefined
    if (own.kind === 'categories' && !named.has(index)) return undefined
    const words = `${caption} ${start} ${end}`
    const place = known.get(words) ?? kept.push({ caption, start, end, text }) - 1
    known.set(words, place)
    return place
  })
  const boxes = regions.flatMap(({ phrase, xyxy, score }) => {
    const place = indexOf[phrase]
    if (place === undefined) onWordless()
    return place === undefined ? [] : [{ phrase: place, xyxy, score }]
  })
  return { key, width, height, captions: captions.map(({ text }) => text), phrases: kept, boxes }
}
