import { hash53 } from '../base/hash.js'
import { readShard } from '../shards/read-shard.js'
import type { ExportRow, ExportShard, ExportSource } from './export-rows.js'
import { type SourceIdentity, sourceIdentity, sourceNumber } from './source-identity.js'

type Named = Pick<ExportRow, 'key'> & SourceIdentity

/** What pictures are called in an export. */
export interface PictureNames {
  /**
   * The name of a picture's file without its ending, and of its sample: that of the source where no other picture of
   * the dataset has it, else with the picture's key behind it; the key where the source gives none.
   */
  nameOf(row: Named): string
  /** Whether every picture has a whole number of its own for an id in the source. */
  readonly areNumbered: boolean
}

/**
 * Reads what the source calls the pictures of some shards. In memory are two numbers a picture.
 *
 * @throws UserError where a shard cannot be read
 */
export async function pictureNames(
  { storage }: Pick<ExportSource, 'storage'>,
  shards: readonly ExportShard[],
  signal?: AbortSignal,
): Promise<PictureNames> {
  const rows = shards.reduce((sum, shard) => sum + shard.rows, 0)
  const hashes = new Float64Array(rows)
  const ids = new Float64Array(rows)
  let count = 0
  let numbered = 0
  for (const { shard } of shards) {
    for await (const row of readShard(storage, 'images', null, shard, { columns: ['key', 'url', 'meta'] })) {
      signal?.throwIfAborted()
      const named = { key: row.key, ...sourceIdentity(row) }
      hashes[count++] = hashOf(stemOf(named))
      const id = sourceNumber(named)
      if (id !== undefined) ids[numbered++] = id
    }
  }
  hashes.sort()
  ids.sort()
  const placeOf = (hash: number) => {
    let [from, to] = [0, hashes.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if ((hashes[middle] as number) < hash) from = middle + 1
      else to = middle
    }
    return from
  }
  return {
    nameOf(row) {
      const stem = stemOf(row)
      const place = placeOf(hashOf(stem))
      if (hashes[place + 1] !== hashes[place]) return stem
      let name = `${stem}_${row.key}`
      // A name of the source may be just that.
      for (let hash = hashOf(name); hashes[placeOf(hash)] === hash; hash = hashOf(name)) name = `${name}_`
      return name
    },
    areNumbered: numbered === count && ids.every((id, at) => id !== ids[at + 1]),
  }
}

/** Of systems that know no capitals, and of WebDataset, to which a dot ends a name, some names are one. */
const hashOf = (stem: string) => hash53(dotless(stem).toLowerCase().normalize('NFC'))

/** The name of a sample, which ends at its first dot. */
export const dotless = (name: string): string => name.replaceAll('.', '_')

/** Names that Windows keeps for devices. */
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)$/i
/** UTF-8 bytes: with a key and an ending behind it a name fits into a tar. */
const mostBytes = 60

/**
 * The last part of a source's name without its ending, as every file system and every list takes it: letters, digits,
 * marks, dots, hyphens and underscores.
 */
function stemOf({ key, sourceName }: Named): string {
  const last = sourceName?.split(/[\\/]/).at(-1) ?? ''
  const safe = last
    .replace(/(?!^)\.[A-Za-z0-9]{1,5}$/, '')
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{N}\p{M}._-]+/gu, '_')
    .replaceAll(/^[._-]+|[._]+$/g, '')
  const short = Buffer.byteLength(safe) <= mostBytes ? safe : `${cut(safe)}_${key}`
  return short === '' ? key : reserved.test(dotless(short).split('_')[0] as string) ? `_${short}` : short
}

/** As many code points as have room. */
function cut(text: string): string {
  let bytes = 0
  let end = 0
  for (const point of text) {
    bytes += Buffer.byteLength(point)
    if (bytes > mostBytes) break
    end += point.length
  }
  return text.slice(0, end)
}
