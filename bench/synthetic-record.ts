import { type RecordedFamily, recordedOf } from '../src/statistics/recorded.js'
import { rowStats } from '../src/statistics/row-stats.js'

/** Families whose tasks leave a record of their own in a run over captioned pictures. */
export const recorded: readonly RecordedFamily[] = ['images', 'phrases', 'proposals', 'grounding']

/** The stage of such a family in the dataset "large". */
export const stageOfRecords = (family: RecordedFamily): string =>
  family === 'images' ? 'large' : `${family}-1`

/**
 * Makes the text of one commit record after the other: each of a shard of so many rows, with thousands of
 * heads and hosts, more than a record keeps. The same calls give the same texts.
 */
export function syntheticRecord(rows: number) {
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  /** A word of an endless list, the n-th about 1 / n as often as the first. */
  const word = (name: string) => `${name}${Math.floor(Math.exp(random() * Math.log(2e6)))}`
  return (family: RecordedFamily, shard: string, files: object = {}): string => {
    const stats = rowStats(family)
    for (const name of recordedOf[family].measures)
      for (let at = 0; at < 200; at++) stats.observe(name, random())
    const words = family === 'images' ? 'hosts' : 'heads'
    if (family !== 'proposals') for (let at = 0; at < 3 * rows; at++) stats.tally(words, word(words))
    return JSON.stringify({
      ...{ version: 1, stage: stageOfRecords(family), family, main: family, shard },
      ...{ configHash: 'c', inputs: {}, files },
      ...{ unit: 'rows', in: rows, out: rows, rejected: {}, stats: stats.build() },
      ...{ seconds: 1, createdAt: '2026-01-01T00:00:00.000Z' },
    })
  }
}
