import { stringifyJson } from '../base/parse-json.js'
import { textWithoutCredentials, withoutCredentials } from '../base/without-credentials.js'
import type { GroundingRow, ImageRow, NegativeRow, PhraseRow, RejectRow } from '../rows/rows.js'
import type { Fetched, Fetcher } from './fetch/fetch-image.js'
import type { TdmReservation } from './fetch/opt-out.js'
import { Reject } from './fetch/reject.js'
import { goldRows } from './gold-rows.js'
import type { ImageConfig } from './image/image-config.js'
import { normaliseImage } from './image/normalise-image.js'
import type { Room } from './map-in-order.js'
import { placeBoxes } from './place-boxes.js'
import { readPicture } from './read/local-file.js'
import type { PromptConfig } from './read/source-keys.js'
import { isLocal, type SourceRow } from './read/source-row.js'

/** What a row of a source became. */
export type Ingested =
  | {
      readonly kind: 'row'
      readonly image: ImageRow
      readonly phrases: PhraseRow
      readonly grounding: GroundingRow
      readonly negatives: NegativeRow
      /** Boxes and captions of the picture that were left out, by reason. */
      readonly dropped: readonly Readonly<Record<string, number>>[]
      readonly tdm?: TdmReservation
      /** Pairs of the source that it was made of, where it is not one. */
      readonly pairs?: number
    }
  | {
      readonly kind: 'reject'
      readonly reject: RejectRow
      /** What the source left out, where the row is no row for want of it. */
      readonly dropped: readonly Readonly<Record<string, number>>[]
      readonly pairs?: number
    }

/**
 * How often the bytes of a fetched picture count while it waits for a decoder: a network that is faster than the decoders
 * would fill all room, and a quarter keeps them as busy. What is read is there when it is asked for.
 */
const undecodedWeight = 4

/** What of an ingest stage's configuration decides what becomes of a row. */
export interface RowConfig {
  readonly prompt: PromptConfig
  readonly image: ImageConfig
  readonly license?: string | undefined
  readonly base_url?: string | undefined
  /** Whether pictures may lie outside of the folders that the configuration names. */
  readonly outside?: boolean | undefined
  readonly fetch: { readonly max_bytes: number }
}

/**
 * Fetches or reads the picture of a row and makes of both what the shard stores, or a reject that says why
 * not. Where the signal is aborted with a Reject, that is what becomes of the row.
 *
 * @param room is waited for before a picture is fetched
 */
export async function ingestRow(
  row: SourceRow,
  key: string,
  config: RowConfig,
  fetcher: Pick<Fetcher, 'fetch'>,
  signal?: AbortSignal,
  room?: Room,
): Promise<Ingested> {
  let dropped: readonly Readonly<Record<string, number>>[] = []
  try {
    signal?.throwIfAborted()
    if (row.problem) {
      dropped = [row.dropped]
      throw new Reject(row.problem.reason, row.problem.detail)
    }
    const { captions, regions, negatives } = row
    if (captions.length === 0 && !regions?.length && negatives.length === 0 && !isBackground(row)) {
      dropped = [row.dropped]
      throw new Reject('empty_caption', `${row.place}: neither captions nor boxes${leftOut(dropped)}`)
    }
    const { bytes, tdm } = await bytesOf(row, config, fetcher, signal, room)
    room?.take((isLocal(row) ? 1 : undecodedWeight) * bytes.length)
    if (!(signal?.reason instanceof Reject)) signal?.throwIfAborted()
    const picture = await normaliseImage(bytes, row.url ?? row.file ?? row.place, config.image)
    room?.take(picture.bytes.length)
    const { width, height } = picture
    const stored = { width, height, ...placeBoxes(row, picture) }
    const gold = goldRows(row, stored, config.prompt, row.place)
    const isEmpty = gold.captions.length === 0 && gold.absence.negatives.length === 0
    if (isEmpty && !(isBackground(row) && !regions?.length)) {
      dropped = [row.dropped, gold.dropped]
      throw new Reject(
        'empty_caption',
        `${row.place}: no captions, and no box in the picture${leftOut(dropped)}`,
      )
    }
    const image: ImageRow = {
      key,
      image: { bytes: picture.bytes, path: null },
      width,
      height,
      captions: gold.captions,
      url: storedUrl(row),
      sha256: picture.sha256,
      phash: picture.phash,
      fingerprint: picture.fingerprint,
      license: row.license ?? config.license ?? null,
      meta: metaOf(row, picture.orientation, tdm),
    }
    return {
      kind: 'row',
      image,
      phrases: { key, phrases: gold.phrases },
      grounding: {
        key,
        regions: gold.regions,
        ignored: gold.ignored,
        // Boxes that are shares of its sides are in the picture as it came.
        scale: row.boxUnit === 'share' ? picture.scale : stored.scale[0],
      },
      negatives: { key, ...gold.absence },
      dropped: [row.dropped, gold.dropped],
      ...(tdm && { tdm }),
    }
  } catch (error) {
    const why = error instanceof Reject ? error : signal?.aborted && signal.reason
    if (!(why instanceof Reject)) throw error
    room?.take(0)
    const { reason, message } = why
    const reject = { key, url: storedUrl(row), reason, detail: textWithoutCredentials(message) }
    return { kind: 'reject', reject, dropped }
  }
}

/** A row's address as it is stored: without credentials. */
export const storedUrl = ({ url }: Pick<SourceRow, 'url'>) => url && withoutCredentials(url)

/**
 * Whether a picture is known to have none of the things that its source looked for, or crowds of them alone:
 * what a model finds there counts as wrong. Where a box was lost nobody knows.
 */
function isBackground({ exhaustive, regions, ignored, dropped }: SourceRow): boolean {
  const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0) - ignored.length
  return exhaustive && regions !== null && lost <= 0
}

/** What was left out, by reason, to be said behind a message. */
function leftOut(dropped: readonly Readonly<Record<string, number>>[]): string {
  const counts = dropped.flatMap((reasons) => Object.entries(reasons))
  if (counts.length === 0) return ''
  return `; left out were: ${counts.map(([reason, count]) => `${reason} ${count}`).join(', ')}`
}

/** What the source said of the picture, how it was turned, and what its server says of mining it. */
export function metaOf(
  { meta }: Pick<SourceRow, 'meta'>,
  orientation: number,
  tdm: TdmReservation | undefined,
): string | null {
  const more = {
    ...(orientation !== 1 && { exif_orientation: orientation }),
    ...(tdm && { tdm_reservation: tdm.reserved ? 1 : 0, ...(tdm.policy && { tdm_policy: tdm.policy }) }),
  }
  if (Object.keys(more).length === 0 && !meta) return null
  // Tables have columns of further addresses.
  const safe = Object.entries({ ...meta, ...more }).map(([name, value]) => [
    name,
    typeof value === 'string' ? textWithoutCredentials(value) : value,
  ])
  return stringifyJson(Object.fromEntries(safe))
}

/** What the source holds, else what lies on the disk, else what the web answers. */
function bytesOf(
  row: SourceRow,
  config: RowConfig,
  fetcher: Pick<Fetcher, 'fetch'>,
  signal?: AbortSignal,
  room?: Room,
): Promise<Fetched> {
  const { outside, fetch } = config
  const { load, file, elsewhere, roots } = row
  if (load) return load().then(fetchedOf)
  if (file) return readPicture(file, elsewhere, { roots, outside, maxBytes: fetch.max_bytes }).then(fetchedOf)
  return fetcher.fetch(resolveUrl(row, config.base_url), signal, room)
}

const fetchedOf = (bytes: Uint8Array): Fetched => ({ bytes })

function resolveUrl({ url, place }: SourceRow, base: string | undefined): string {
  if (url === null) throw new Reject('malformed_row', `${place}: no url`)
  return base && URL.canParse(url, base) ? new URL(url, base).href : url
}
