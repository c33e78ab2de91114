import { decodePicture, type Picture } from '../../pictures/picture.js'

/** Decodes a stored picture, or gives the one it decoded before; `bytes` may say how they are read. */
export type PictureCache = (key: string, bytes: Uint8Array | (() => Promise<Uint8Array>)) => Promise<Picture>

/** 256 MiB: small sets are decoded once, large ones do not fill the memory. */
export const cachedBytes = 256 * 1024 * 1024

/**
 * A cache that is filled once and then never evicts. It is no `LruCache` on purpose: training goes through
 * all pictures again in every epoch, so that of a set larger than the cache an LRU cache would evict each
 * picture before it comes again, and this one still saves the share that fits.
 *
 * @param side longer side in pixels to which pictures are decoded at most
 * @param capacity bytes of decoded pictures that are kept
 */
export function createPictureCache(side: number, capacity = cachedBytes): PictureCache {
  const kept = new Map<string, Picture>()
  let size = 0
  return async (key, bytes) => {
    const known = kept.get(key)
    if (known) return known
    const picture = await decodePicture(typeof bytes === 'function' ? await bytes() : bytes, side, key)
    if (size + picture.data.length <= capacity && !kept.has(key)) {
      kept.set(key, picture)
      size += picture.data.length
    }
    return picture
  }
}
