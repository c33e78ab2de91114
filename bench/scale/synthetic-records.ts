import { families, recordPath } from '../../src/rows/family-path.js'
import type { Family } from '../../src/rows/rows.js'
import { type RecordedFamily, recordedOf, rowStats } from '../../src/statistics/row-stats.js'
import type { Storage } from '../../src/storage/storage.js'

/** Families whose tasks leave a record of their own in a run over captioned pictures. */
export const recorded: readonly RecordedFamily[] = ['images', 'phrases', 'proposals', 'grounding']
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
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  /** A word of an endless list, the n-th about 1 / n as often as the first. */
  const word = (name: string) => `${name}${Math.floor(Math.exp(random() * Math.log(2e6)))}`
  return Array.from({ length: different }, () => {
    const stats = rowStats(family)
    for (const name of recordedOf[family].measures)
      for (let at = 0; at < 200; at++) stats.observe(name, random())
    const words = family === 'images' ? 'hosts' : 'heads'
    if (family !== 'proposals') for (let at = 0; at < 3 * rows; at++) stats.tally(words, word(words))
    const stage = family === 'images' ? 'large' : `${family}-1`
    return JSON.stringify({
      ...{ version: 1, stage, family, main: family, shard: '', configHash: 'c', inputs: {} },
      files: { [family]: { path: 'p', rows, bytes: 1, sha256: 'a'.repeat(64) } },
      ...{ unit: 'rows', in: rows, out: rows, rejected: {}, stats: stats.build() },
      ...{ seconds: 1, createdAt: '2026-01-01T00:00:00.000Z' },
    })
  })
}
