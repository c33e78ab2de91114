import type { GroundingRow, PhraseRow, RejectRow } from '../shards/rows.js'
import { type ShardStats, statsBuilder } from '../shards/stats.js'
import type { Ingested } from './ingest-row.js'

const sideEdges = [64, 128, 256, 512, 1024]
const byteEdges = [1e3, 1e4, 1e5, 1e6]

/** What is kept of a shard's rows besides its pictures. */
export interface ShardSums {
  add(result: Ingested): void
  readonly done: number
  readonly out: number
  readonly rejected: Readonly<Record<string, number>>
  readonly rejects: readonly RejectRow[]
  readonly phrases: readonly PhraseRow[]
  readonly grounding: readonly GroundingRow[]
  stats(): ShardStats
}

/** Counts rows as they come in; phrases, regions and rejects are collected in the rows' order. */
export function shardSums(): ShardSums {
  const builder = statsBuilder()
  const rejected: Record<string, number> = {}
  const rejects: RejectRow[] = []
  const phrases: PhraseRow[] = []
  const grounding: GroundingRow[] = []
  let done = 0
  let out = 0
  return {
    rejected,
    rejects,
    phrases,
    grounding,
    get done() {
      return done
    },
    get out() {
      return out
    },
    stats: () => builder.build(),
    add(result) {
      done++
      if (result.kind === 'reject') {
        rejects.push(result.reject)
        rejected[result.reject.reason] = (rejected[result.reject.reason] ?? 0) + 1
        return
      }
      const { image, tdm } = result
      out++
      phrases.push(result.phrases)
      grounding.push(result.grounding)
      builder.count('images')
      builder.count('captions', image.captions.length)
      builder.count('phrases', result.phrases.phrases.length)
      builder.count('regions', result.grounding.regions.length)
      for (const reasons of result.dropped) {
        for (const [reason, count] of Object.entries(reasons)) builder.tally('dropped', reason, count)
      }
      builder.count('image_bytes', image.image.bytes.length)
      builder.observe('longer_side', sideEdges, Math.max(image.width, image.height))
      builder.observe('image_bytes', byteEdges, image.image.bytes.length)
      for (const { kind } of image.captions) builder.tally('caption_kinds', kind)
      if (tdm) builder.tally('tdm_reservation', tdm.reserved ? 'reserved' : 'not reserved')
    },
  }
}
