import type { GroundingRow, NegativeRow, PhraseRow, RejectRow } from '../rows/rows.js'
import { addImage, addNegatives, addPhrases, addRegions, rowStats } from '../statistics/row-stats.js'
import type { ShardStats } from '../statistics/stats.js'
import type { Ingested } from './ingest-row.js'

/** What is kept of a shard's rows besides its pictures. */
export interface ShardSums {
  add(result: Ingested): void
  readonly done: number
  readonly out: number
  readonly rejected: Readonly<Record<string, number>>
  readonly rejects: readonly RejectRow[]
  readonly phrases: readonly PhraseRow[]
  readonly grounding: readonly GroundingRow[]
  readonly negatives: readonly NegativeRow[]
  stats(): ShardStats
}

/**
 * Counts rows as they come in; phrases, regions and rejects are collected in the rows' order.
 *
 * @param isGold whether the source has boxes
 * @param countsRejects whether what rejected rows have lost, and how many pairs a row has, is counted; it is already
 *   where they are tried again
 */
export function shardSums(isGold: boolean, countsRejects = true): ShardSums {
  const builder = isGold ? rowStats('images', 'phrases', 'grounding', 'negatives') : rowStats('images')
  const rejected: Record<string, number> = {}
  const rejects: RejectRow[] = []
  const phrases: PhraseRow[] = []
  const grounding: GroundingRow[] = []
  const negatives: NegativeRow[] = []
  let done = 0
  let out = 0
  return {
    rejected,
    rejects,
    phrases,
    grounding,
    negatives,
    get done() {
      return done
    },
    get out() {
      return out
    },
    stats: () => builder.build(),
    add(result) {
      done++
      if (countsRejects && result.pairs) builder.tally('joined', 'pairs', result.pairs - 1)
      if (result.kind === 'row' || countsRejects)
        for (const reasons of result.dropped) {
          for (const [reason, count] of Object.entries(reasons)) builder.tally('dropped', reason, count)
        }
      if (result.kind === 'reject') {
        rejects.push(result.reject)
        rejected[result.reject.reason] = (rejected[result.reject.reason] ?? 0) + 1
        return
      }
      const { image, tdm } = result
      out++
      phrases.push(result.phrases)
      grounding.push(result.grounding)
      negatives.push(result.negatives)
      addImage(builder, image)
      if (isGold) {
        addPhrases(builder, image.captions.length, result.phrases.phrases)
        addRegions(builder, image, result.grounding.regions)
        addNegatives(builder, result.negatives)
      }
      if (tdm) builder.tally('tdm_reservation', tdm.reserved ? 'reserved' : 'not reserved')
    },
  }
}
