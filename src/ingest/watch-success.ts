import type { CommitRecord } from '../shards/commit.js'
import type { IngestConfig } from './config.js'

/** Looks at how many rows come in, shard after shard. */
export interface SuccessWatch {
  add(record: Pick<CommitRecord, 'in' | 'out' | 'rejected'>): void
  /** Warns once, or throws an Error, where too few have come in. */
  check(): void
}

/** Rows before which nothing can be said. */
const minRows = 200
/** Reasons that are named. */
const maxReasons = 3

/**
 * @param rows of the whole source
 * @param warn is told once
 */
export function watchSuccess(
  { min_success_rate, low_success }: Pick<IngestConfig, 'min_success_rate' | 'low_success'>,
  rows: number,
  warn: (message: string) => void,
): SuccessWatch {
  const rejected = new Map<string, number>()
  let rowsIn = 0
  let out = 0
  let warned = false
  return {
    add(record) {
      rowsIn += record.in
      out += record.out
      for (const [reason, count] of Object.entries(record.rejected))
        rejected.set(reason, (rejected.get(reason) ?? 0) + count)
    },
    check() {
      if (warned || rowsIn < Math.min(minRows, rows) || rowsIn === 0 || out / rowsIn >= min_success_rate)
        return
      const reasons = [...rejected].sort((a, b) => b[1] - a[1]).slice(0, maxReasons)
      const named = reasons.map(([reason, count]) => `${reason} ${count}`).join(', ')
      const message = `${out} of ${rowsIn} rows came in, less than min_success_rate ${min_success_rate} (${named})`
      if (low_success === 'stop')
        throw new Error(
          `${message}. What was made stays. Run again with --retry-failed, or with a lower min_success_rate.`,
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
  return `${failures} of ${lookups} look-ups of host names failed: name another server in fetch.dns.servers or lower fetch.dns.lookups, then run again with --retry-failed`
}
