import { addCounts } from '../../statistics/stats.js'

/** The sums of the records of a stage's shards. */
export interface ShardSums {
  readonly in: number
  readonly out: number
  readonly rejected: Readonly<Record<string, number>>
  /** Of what came out, count by the rule that gave it another label. */
  readonly relabelled: Readonly<Record<string, number>>
  /** Counts of the statistics, such as those of boxes. */
  readonly counts: Readonly<Record<string, number>>
}

export const noSums: ShardSums = { in: 0, out: 0, rejected: {}, relabelled: {}, counts: {} }

/** The sums of a commit record. */
export function sumsOfRecord(record: {
  readonly in: number
  readonly out: number
  readonly rejected: Readonly<Record<string, number>>
  readonly relabelled?: Readonly<Record<string, number>>
  readonly stats: { readonly counts: Readonly<Record<string, number>> }
}): ShardSums {
  const { in: input, out, rejected, relabelled = {}, stats } = record
  return { in: input, out, rejected, relabelled, counts: stats.counts }
}

export function addSums(a: ShardSums, b: ShardSums): ShardSums {
  return {
    in: a.in + b.in,
    out: a.out + b.out,
    rejected: addCounts(a.rejected, b.rejected),
    relabelled: addCounts(a.relabelled, b.relabelled),
    counts: addCounts(a.counts, b.counts),
  }
}
