import type { CommitRecord } from '../shards/commit.js'
import type { IngestConfig } from './config.js'
import { isTransientReason, transientCount } from './fetch/transient.js'

/** Looks at how many rows come in, shard after shard. */
export interface SuccessWatch {
  add(record: Pick<CommitRecord, 'in' | 'out' | 'rejected'> & { readonly skipped?: boolean }): void
  /** Warns once, or throws an Error, where too few have come in. */
  check(): void
}

/** Rows before which nothing can be said. */
const minRows = 200
/** Reasons that are named. */
const maxReasons = 3

/**
 * Warns of lists that have died, and ends a run whose rows mostly fail for reasons that may pass: to go on
 * would be to consume the list.
 *
 * @param rows of the whole source
 * @param warn is told once
 */
export function watchSuccess(
  {
    min_success_rate,
    low_success,
    max_transient_rate,
  }: Pick<IngestConfig, 'min_success_rate' | 'low_success' | 'max_transient_rate'>,
  rows: number,
  warn: (message: string) => void,
): SuccessWatch {
  const rejected = new Map<string, number>()
  let rowsIn = 0
  let out = 0
  let warned = false
  /** Of the shards that were made now. */
  const tried = { rows: 0, transient: 0, untried: 0 }
  const named = (isNamed: (reason: string) => boolean) =>
    [...rejected]
      .filter(([reason]) => isNamed(reason))
      .sort((a, b) => b[1] - a[1])
      .slice(0, maxReasons)
      .map(([reason, count]) => `${reason} ${count}`)
      .join(', ')
  /** Where nothing came of the whole list, the end of the stage says so, and what to do. */
  const isEmpty = () => out === 0 && rowsIn >= rows
  const checkTransient = () => {
    const isMost = tried.rows >= Math.min(minRows, rows) && tried.transient > max_transient_rate * tried.rows
    if (tried.untried === 0 && (!isMost || isEmpty())) return
    const reasons = named(isTransientReason)
    throw new Error(
      `${tried.transient} of ${tried.rows} rows failed for reasons that may pass (${reasons}), so the run has stopped. What came in is kept. See to the network${/\bdns\b/.test(reasons) ? ' and to the name servers (fetch.dns.servers)' : ''}, then run the same command again: it tries those rows again. If they are lost for good, set max_transient_rate to 1.`,
    )
  }
  return {
    add(record) {
      rowsIn += record.in
      out += record.out
      for (const [reason, count] of Object.entries(record.rejected))
        rejected.set(reason, (rejected.get(reason) ?? 0) + count)
      if (record.skipped) return
      tried.rows += record.in
      tried.transient += transientCount(record.rejected)
      tried.untried += record.rejected.not_tried ?? 0
    },
    check() {
      checkTransient()
      if (
        isEmpty() ||
        warned ||
        rowsIn < Math.min(minRows, rows) ||
        rowsIn === 0 ||
        out / rowsIn >= min_success_rate
      )
        return
      const message = `${out} of ${rowsIn} rows came in, less than min_success_rate ${min_success_rate} (${named(() => true)})`
      if (low_success === 'stop')
        throw new Error(
          `${message}. What was made stays. Run again with --retry-failed all, or with a lower min_success_rate.`,
        )
      warned = true
      warn(message)
    },
  }
}

/** What to do where the name servers fail more than a share of the look-ups; undefined where they do not. */
export function dnsWarning(
  { lookups, failures }: { readonly lookups: number; readonly failures: number },
  share: number,
): string | undefined {
  if (failures === 0 || failures <= share * lookups) return undefined
  return `${failures} of ${lookups} look-ups of host names failed: name another server in fetch.dns.servers or lower fetch.dns.lookups, then run again`
}
