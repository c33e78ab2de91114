import { stat } from 'node:fs/promises'
import { NotFetched } from '../hub/without-fetching.js'
import type { IngestConfig } from './config.js'
import { sourcePlaces } from './look-at-source.js'
import { openSource } from './open-source.js'

/** Rows whose files are measured, those that join to one picture too. */
const measuredRows = 200
/** Bytes of a picture of the web as it is stored, in docs/scale.md. */
const crawledPicture = 130_000

/** What a picture of a source takes. */
export interface PictureBytes {
  readonly bytes: number
  /** `typical`: the source does not say. */
  readonly from: 'source' | 'typical'
}

/**
 * Bytes that a picture of a source is likely to take when it is stored: the mean of the files of its first rows; of
 * pictures that lie within the source's own files their share of these.
 *
 * @param rows of the whole source
 */
export async function pictureBytes(config: IngestConfig, rows: number): Promise<PictureBytes> {
  const source = await openSource(config)
  let [bytes, measured, within, seen] = [0, 0, 0, 0]
  try {
    for await (const { file, elsewhere, load, pairs } of source.rows()) {
      if (load) within++
      for (const path of file === null || load ? [] : [file, ...elsewhere]) {
        const found = await stat(path).catch(() => undefined)
        if (!found?.isFile()) continue
        bytes += found.size
        measured++
        break
      }
      seen += pairs
      if (seen >= measuredRows) break
    }
  } catch (error) {
    if (!(error instanceof NotFetched)) throw error
  } finally {
    await source.close()
  }
  if (measured > 0) return { bytes: bytes / measured, from: 'source' }
  if (within === 0 || rows === 0) return { bytes: crawledPicture, from: 'typical' }
  let all = 0
  for (const path of await sourcePlaces(config)) all += (await stat(path).catch(() => undefined))?.size ?? 0
  return all > 0 ? { bytes: all / rows, from: 'source' } : { bytes: crawledPicture, from: 'typical' }
}
