import { z } from 'zod'

/** Tasks set aside that a presence tells of: the last ones. */
export const mostFailed = 100

const time = z.iso.datetime()
const count = z.number().nonnegative()
/** A stage that is one task has no shard. */
const taskName = { stage: z.string(), shard: z.string().optional() }
const setAside = z.object({ ...taskName, error: z.string() })
const presentTask = z.object({
  ...taskName,
  since: time,
  /** Units: pairs, rows, steps, images. */
  done: count,
  total: count,
})

/** What a process says of itself, in a file of the run. */
export const presenceRecord = z.object({
  // The three that tell it from every other process.
  host: z.string(),
  pid: z.number().int().positive(),
  started: z.string(),
  /** What it does for the run: all of it, a child's part, a slice, or what a queue gives it. */
  kind: z.enum(['run', 'worker', 'slice', 'queue-worker']),
  /** SHA-256 of the laid-out pipeline. */
  pipeline: z.string(),
  /** When it began, when it last wrote this, and when it ended. */
  since: time,
  beat: time,
  ended: time.optional(),
  /** What it is doing; absent while it waits. */
  task: presentTask.optional(),
  /** Units done: of tasks that it made, and of the one under way. */
  rows: count,
  tasks: z.object({ made: count, skipped: count, failed: count }),
  /** Units a second over the last minute of the stage that it works on. */
  rate: count,
  failed: z.array(setAside).max(mostFailed),
})

export type PresenceRecord = Readonly<z.infer<typeof presenceRecord>>
export type PresentTask = Readonly<z.infer<typeof presentTask>>
export type SetAside = Readonly<z.infer<typeof setAside>>
