import type { Xyxy } from '../boxes/xyxy.js'
import type { Caption } from '../rows/rows.js'
import type { ExportRegion, ExportRow } from './export-rows.js'

/** A region as `hf` and `webdataset` hold it. */
export interface RegionObject {
  /** Place of its caption in the list of captions. */
  readonly caption: number
  /** Span in the caption, in code points, half open. */
  readonly start: number
  readonly end: number
  /** What the span covers. */
  readonly text: string
  readonly head: string
  readonly xyxy: Xyxy
  readonly score: number
  readonly origin: string
}

export const regionObject = ({ caption, start, end, text, head, xyxy, score, origin }: ExportRegion) => ({
  caption,
  start,
  end,
  text,
  head,
  xyxy,
  score,
  origin,
})

/** A picture's metadata: all but its bytes. */
export interface PictureObject {
  readonly key: string
  readonly width: number
  readonly height: number
  readonly captions: readonly Caption[]
  readonly regions: readonly RegionObject[]
  readonly url: string | null
  readonly sha256: string
  readonly license: string | null
  readonly meta: string | null
}

export const pictureObject = (row: ExportRow): PictureObject => {
  const { key, width, height, captions, regions, url, sha256, license, meta } = row
  return { key, width, height, captions, regions: regions.map(regionObject), url, sha256, license, meta }
}
