/** Raised when an older worker would misread a task: workers of another number never see it. */
export const taskProtocol = 2

/** What may be given to any process that can read the run's storage: names and hashes, no rows, no secrets. */
export interface Task {
  readonly v: typeof taskProtocol
  /** URL of the run. */
  readonly run: string
  /** SHA-256 of the laid-out pipeline, which lies in the run's storage. */
  readonly pipeline: string
  /** Drawn when the run began: what a worker has found out in one is not taken for true in the next. */
  readonly session: string
  readonly stage: string
  /** Absent where the stage is one task. */
  readonly shard?: string
  /** Shards that were set aside, by the stage that should have made them. */
  readonly missing?: Readonly<Record<string, readonly string[]>>
  /** Rejected rows that an ingest stage tries again: `transient`, `all`, or reasons with commas between them. */
  readonly retry?: string
  /** Whether an ingest stage may replace shards by some with fewer pictures. */
  readonly drop?: boolean
}

/** What a task gave. The truth of a shard is its commit record; this is for sums and progress. */
export interface TaskResult {
  /** True where all of it was there already. */
  readonly skipped: boolean
  readonly in: number
  readonly out: number
  readonly rejected: Readonly<Record<string, number>>
  /** Of what came out, count by the rule that gave it another label. */
  readonly relabelled: Readonly<Record<string, number>>
  /** Counts of the statistics, such as those of rows by kind. */
  readonly counts: Readonly<Record<string, number>>
  /** What came of the work where the shard that was there stays all the same: for what looks at how it goes. */
  readonly tried?: Pick<TaskResult, 'in' | 'out' | 'rejected'>
  /** Shards of a task over several that were set aside. */
  readonly failed: readonly { readonly shard: string; readonly error: string }[]
  readonly warnings: readonly string[]
}

/** What is told of a task while it goes on. */
export interface TaskEvents {
  /** Units done of all: pairs, rows, steps. */
  readonly onProgress?: (done: number, total: number, note?: string) => void
  readonly onNotice?: (text: string) => void
}

export interface TaskOptions extends TaskEvents {
  readonly signal?: AbortSignal
}

/**
 * Makes what a task says, or finds it made. Rejects with a UserError where the user must mend something, with
 * the signal's reason where it was aborted, with another Error where trying again may help.
 */
export type RunTask = (task: Task, options: TaskOptions) => Promise<TaskResult>
