import { imageConfig } from '../../../src/ingest/image/image-config.js'
import { normaliseImage } from '../../../src/ingest/image/normalise-image.js'
import { oddImages } from '../../../test/helpers/odd-images.js'
import type { FuzzTarget } from '../target.js'

/** Pictures as a host sends them, by format. */
export async function pictureTargets(): Promise<FuzzTarget[]> {
  const config = imageConfig.parse({ max_pixels: 4_000_000 })
  const byFormat = new Map<string, Uint8Array[]>()
  for (const [name, bytes] of Object.entries(await oddImages())) {
    if (bytes.length > 60_000 || bytes.length === 0) continue
    const format = /JPEG|PNG|GIF|WebP|TIFF|AVIF/i.exec(name)?.[0]?.toLowerCase()
    if (!format) continue
    byFormat.set(format, [...(byFormat.get(format) ?? []), bytes])
  }
  return [...byFormat].map(([format, samples]) => ({
    name: `picture ${format}`,
    samples,
    read: (bytes) => normaliseImage(bytes, `a.${format}`, config),
  }))
}
