import { families, recordPath } from '../../src/rows/family-path.js'
import type { Family } from '../../src/rows/rows.js'
import type { RecordedFamily } from '../../src/statistics/recorded.js'
import type { Storage } from '../../src/storage/storage.js'
import { recorded, syntheticRecord } from '../synthetic-record.js'

/** Different records of a family: as many as are worth making; shards take turns. */
const different = 32

/**
 * The commit records of a large dataset as its storage gives them, made when they are asked for: of shards of
 * 5,000 pictures with thousands of heads and hosts each, more than a record keeps. Nothing else is there.
 */
export function syntheticRecords(shards: number): Storage & { readonly bytesRead: number } {
  const texts = new Map<Family, string[]>(recorded.map((family) => [family, recordsOf(family)]))
  const nameOf = (at: number) => String(at).padStart(5, '0')
  const stageOf = (family: Family) => (family === 'images' ? null : `${family}-1`)
  let bytesRead = 0
  const none = async (): Promise<never> => {
    throw new Error('records are only read here')
  }
  const storage = {
    url: 'synthetic',
    isLocal: false,
    get bytesRead() {
      return bytesRead
    },
    path: (name: string) => name,
    exists: async () => false,
    async read(name: string) {
      const family = families.find((one) => name.startsWith(`${one}/`))
      const records = family && texts.get(family)
      if (!records) return undefined
      const shard = /([^/]+)\.json$/.exec(name)?.[1] ?? ''
      const text = records[Number(shard) % different] as string
      const bytes = Buffer.from(text.replace('"shard":""', `"shard":"${shard}"`))
      bytesRead += bytes.length
      return bytes
    },
    list: async (prefix: string) =>
      recorded.includes(prefix as RecordedFamily)
        ? Array.from({ length: shards }, (_, at) =>
            recordPath(prefix as Family, stageOf(prefix as Family), nameOf(at)),
          )
        : [],
    folders: async () => [],
    ...{ write: none, create: none, writeStream: none, remove: none, sweep: none },
  }
  // What the interface has besides is never asked for.
  return storage as unknown as ReturnType<typeof syntheticRecords>
}

function recordsOf(family: RecordedFamily): string[] {
  const rows = 5000
  const recordOf = syntheticRecord(rows)
  const files = { [family]: { path: 'p', rows, bytes: 1, sha256: 'a'.repeat(64) } }
  return Array.from({ length: different }, () => recordOf(family, '', files))
}
