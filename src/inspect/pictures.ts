import pLimit from 'p-limit'
import { LruCache } from '../base/lru-cache.js'
import { resizedPicture } from '../pictures/resized-picture.js'
import { sniffImage } from '../pictures/sniff-image.js'
import type { ShardRows } from '../shards/shard-rows.js'

export interface ServedPicture {
  readonly bytes: Uint8Array
  readonly type: string
}

/** Longer side of a picture in the grid, twice as many pixels as it is wide there. */
const thumbSide = 512
/** Pictures that claim more pixels are not decoded. */
const mostPixels = 100_000_000
const cacheBytes = 48e6

/** What browsers show; a TIFF is shown as its thumbnail alone. */
const types: Readonly<Record<string, string>> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
}

/**
 * Pictures for the page, by their first bytes raster images and nothing else: a drawing (SVG) or a web page
 * is none, whatever the dataset calls it.
 */
export class Pictures {
  readonly #thumbs = new LruCache<string, ServedPicture | undefined>({
    maxSize: cacheBytes,
    sizeOf: (picture) => picture?.bytes.length ?? 1,
  })
  // Two at once: sharp has threads of its own, and pictures are large when they are decoded.
  readonly #limit = pLimit(2)

  constructor(private readonly rows: ShardRows) {}

  /** The stored bytes; undefined where there are none or no browser shows them. */
  async whole(shard: string, row: number): Promise<ServedPicture | undefined> {
    const bytes = await this.#bytes(shard, row)
    const type = types[(bytes && sniffImage(bytes)) ?? '']
    return bytes && type ? { bytes, type } : undefined
  }

  /** A small WebP; undefined where the bytes are no picture. */
  thumb(shard: string, row: number): Promise<ServedPicture | undefined> {
    return this.#thumbs.load(`${shard}:${row}`, () => this.#limit(() => this.#shrink(shard, row)))
  }

  async #shrink(shard: string, row: number): Promise<ServedPicture | undefined> {
    const bytes = await this.#bytes(shard, row)
    const format = bytes && sniffImage(bytes)
    if (!bytes || !format || !(format in types || format === 'tiff')) return undefined
    try {
      const small = await resizedPicture(bytes, {
        width: thumbSide,
        height: thumbSide,
        fit: { fit: 'inside', withoutEnlargement: true },
        format: 'webp',
        maxPixels: mostPixels,
      })
      return { bytes: small, type: 'image/webp' }
    } catch {
      return undefined
    }
  }

  async #bytes(shard: string, row: number): Promise<Uint8Array | undefined> {
    const [found] = await this.rows.read('images', null, shard, {
      start: row,
      end: row + 1,
      columns: ['image'],
    })
    return found?.image.bytes
  }
}
