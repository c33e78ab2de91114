import { createHash, type Hash } from 'node:crypto'
import { UserError } from '../base/user-error.js'
import type { Mark } from '../formats/mark.js'
import type { Card } from './config.js'
import type { OpenSource } from './open-source.js'
import type { PlannedLines, PlannedRows } from './read/source.js'

export interface ShardPlan {
  /** "00000" and so on. */
  readonly shard: string
  /** Where the shard's first row is. */
  readonly mark: Mark
  readonly rows: number
  /**
   * SHA-256 of what its rows say and of their number, of their bytes where they are lines of a list: other rows of the source leave
   * it as it is.
   */
  readonly hash: string
}

/** Plain JSON: it can be stored and read back. */
export interface IngestPlan {
  readonly card: Card | null
  readonly rows: number
  /** Of all that the rows are read from. */
  readonly sourceHash: string
  /**
   * Rows that name a picture which an earlier row has named that is not next to them, as far as names are held
   * (`mostNames`).
   */
  readonly repeated?: number
  readonly shards: readonly ShardPlan[]
}

/**
 * Reads the source once and says which rows make which shard. Memory grows by a mark and a hash a shard, not by
 * rows. Throws a UserError where there is no such source, it lacks a column, or it has no rows.
 *
 * @param sourceHash the source's own, where it is known already
 */
export async function planIngest(
  source: OpenSource,
  signal?: AbortSignal,
  sourceHash?: string,
): Promise<IngestPlan> {
  const { config, card } = source
  // First, so that what it reads of the files need not be read again for the shards.
  const whole = sourceHash ?? (await source.hash())
  const cutter = shardCutter(config.shard_size, config.limit)
  for await (const part of source.plan()) {
    signal?.throwIfAborted()
    const isFull = 'said' in part ? cutter.addRows(part) : cutter.addLines(part)
    if (isFull) break
  }
  const shards = cutter.end()
  const rows = shards.reduce((sum, shard) => sum + shard.rows, 0)
  if (rows === 0) {
    const { path, instances, captions }: Readonly<Partial<Record<string, unknown>>> = config
    const { part } = config
    const where = part ? ` in the part from ${part.from} to ${part.to}: take a larger one` : ''
    throw new UserError(`${path ?? instances ?? captions} has no rows to ingest${where}.`)
  }
  const repeated = source.repeated?.()?.count ?? 0
  return { card, rows, sourceHash: whole, ...(repeated > 0 && { repeated }), shards }
}

/** What to do where rows name pictures that rows far from them have named; undefined where none does. */
export function repeatsWarning({ repeated = 0 }: IngestPlan): string | undefined {
  if (repeated === 0) return undefined
  return `${repeated === 1 ? '1 row names' : `${repeated} rows name`} a picture that an earlier row, not next to ${repeated === 1 ? 'it' : 'them'}, has named: each comes in as a picture of its own with its own captions. Sort the list by the address, so that rows of one picture are next to each other and join; or let a dedup stage drop the later ones; \`join: no\` says that this is meant.`
}

/** Cuts the rows of a source into shards, and hashes what those of each say. */
function shardCutter(size: number, limit = Number.POSITIVE_INFINITY) {
  const shards: ShardPlan[] = []
  let open:
    | { readonly mark: Mark; readonly hash: Hash; rows: number; pairs: number; head: string }
    | undefined
  let rows = 0
  const close = () => {
    if (!open) return
    const { mark, hash, rows, pairs } = open
    const shard = String(shards.length).padStart(5, '0')
    // Where nothing joins it is what it was before rows could.
    const counts = pairs > rows ? `${rows} of ${pairs}` : String(rows)
    shards.push({ shard, mark, rows, hash: hash.update(`\n${counts}`).digest('hex') })
    open = undefined
  }
  /** Begins a row; its shard is open then. False where there are as many as are wanted. */
  const begin = (mark: Mark) => {
    if (rows === limit) return false
    if (rows % size === 0) close()
    open ??= { mark, hash: createHash('sha256'), rows: 0, pairs: 0, head: '' }
    open.rows++
    open.pairs++
    rows++
    return true
  }
  /** Whether a row goes on with the picture before: it is then of that one's shard. */
  const goesOn = (index: number, joined: ReadonlySet<number> | undefined) => {
    const isJoined = open !== undefined && (joined?.has(index) ?? false)
    if (open && isJoined) open.pairs++
    return isJoined
  }
  return {
    /** Whether it is full: no more rows are wanted. */
    addRows({ marks, said, joined }: PlannedRows): boolean {
      for (const [index, mark] of marks.entries()) {
        if (goesOn(index, joined)) continue
        if (!begin(mark)) return true
        // What is known by its file is said once in a shard, and where in the file it begins.
        if (index === 0 || open?.rows === 1)
          open?.hash.update(marks.length > 1 ? `${mark.at} ${said}\n` : said)
      }
      return false
    },
    /** As `addRows`; the bytes of a row go on until the next one begins. */
    addLines({ marks, at, bytes, head, joined }: PlannedLines): boolean {
      let from = 0
      const addUntil = (to: number) => {
        if (open && to > from) {
          if (open.head !== head) open.hash.update(`${head}\n`)
          open.head = head
          open.hash.update(bytes.subarray(from, to))
        }
        from = to
      }
      for (const [index, mark] of marks.entries()) {
        if (goesOn(index, joined)) continue
        if (rows % size === 0 || rows === limit) addUntil(mark.at - at)
        if (!begin(mark)) return true
      }
      addUntil(bytes.length)
      return false
    },
    end(): readonly ShardPlan[] {
      close()
      return shards
    },
  }
}
