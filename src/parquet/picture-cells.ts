import type { ByteSource } from './open-parquet.js'
import { readPageHeader } from './page-header.js'
import type { RowGroup } from './read-footer.js'
import { viewOf } from './read-values.js'

/** The bytes of one picture, and where they begin in the file. */
export interface PictureCell {
  readonly bytes: Uint8Array
  readonly at: number
}

/**
 * The pictures of a row group of a damaged file, as far as they can be made out: plain pages without
 * compression, as `parquetChunks` writes them. Behind a length that leads out of its page the rest of that
 * page is lost, behind a page's broken header the rest of the group.
 *
 * @returns one a row; undefined where there is none to be had
 */
export async function pictureCells(
  file: ByteSource,
  { rows, chunks }: RowGroup,
): Promise<(PictureCell | undefined)[]> {
  const cells = new Array<PictureCell | undefined>(rows)
  const chunk = chunks.find(({ path }) => path.join('.') === 'image.bytes')
  if (chunk?.codec !== 'UNCOMPRESSED') return cells
  const bytes = new Uint8Array(await file.slice(chunk.start, chunk.end))
  let [at, row] = [0, 0]
  try {
    while (row < rows) {
      const { header, end: body } = readPageHeader(bytes, at)
      at = body + header.stored
      const { entries = 0, encoding, apart } = header.data ?? {}
      if (encoding !== 'PLAIN' || apart || at > bytes.length || entries > rows - row) break
      readPage(bytes.subarray(body, at), entries, (index, start, length) => {
        const from = body + start
        cells[row + index] = { bytes: bytes.subarray(from, from + length), at: chunk.start + from }
      })
      row += entries
    }
  } catch {
    // A header that cannot be read: where the next page begins nobody knows.
  }
  return cells
}

/** Goes through the values of a page, none of which is null, as far as their lengths lead. */
function readPage(
  page: Uint8Array,
  entries: number,
  found: (index: number, start: number, length: number) => void,
) {
  if (page.length < 4) return
  const view = viewOf(page)
  let at = 4 + view.getUint32(0, true)
  for (let index = 0; index < entries && at + 4 <= page.length; index++) {
    const length = view.getUint32(at, true)
    at += 4
    if (at + length > page.length) return
    found(index, at, length)
    at += length
  }
}
