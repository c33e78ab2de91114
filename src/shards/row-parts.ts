import { promisify } from 'node:util'
import { constants, gunzip, gzip } from 'node:zlib'
import { z } from 'zod'
import { hashJson } from '../base/hash.js'
import { UserError } from '../base/user-error.js'
import type { Storage, StoredFile } from '../storage/storage.js'

/** Seconds of work that a kill may lose, where the environment does not say. */
const keptEvery = '20'
/** Bytes of a part that are enough, however fast they came: a text of JSON has an end, and so has memory. */
const enoughBytes = 16 * 2 ** 20
/** Bytes of a part that are read: what wrote it stopped long before. */
const mostBytes = 64 * 2 ** 20

/** What is kept of work that was not done when it was stopped: rows, in parts of some seconds of work. */
export interface RowParts<Row> {
  /** Rows that an earlier try has kept, in their order. Read to its end before the first `add`. */
  kept(): AsyncGenerator<Row>
  /**
   * Takes the next rows. They are kept together once there is enough of them, so that who goes on does so where a
   * group of rows began.
   */
  add(rows: readonly Row[]): Promise<void>
  /** Keeps what was taken: the work is stopped. */
  keep(): Promise<void>
  /** Removes all of it: the work is done. */
  remove(): Promise<void>
}

/** Of what something is made: parts of other work are not gone on from. */
export interface Made {
  readonly configHash: string
  readonly inputs: Readonly<Record<string, string>>
}

const compress = promisify(gzip)
const decompress = promisify(gunzip)
const ending = '.part'
const hashOf = ({ configHash, inputs }: Made) => hashJson([configHash, inputs]).slice(0, 16)

/**
 * The parts of what has its record under a name. They lie beside it as `NAME.HASH.ROW.part`, gzipped JSON of the
 * rows from that one on. Two that do the same work at once write the same rows: whose parts are read does not
 * matter, as long as one begins where another ends. What is damaged, missing in between, or no rows of this work, is made again.
 *
 * @param record ends in `.json`
 * @param isRow whether what a part holds is a row: anybody may have put it there, an older version too
 * @param every milliseconds of work between two parts; GROUNDMILL_KEEP_SECONDS, or 20 s, by default
 * @throws UserError where that is no number of seconds
 */
export function rowParts<Row>(
  storage: Storage,
  record: string,
  made: Made,
  isRow: (value: unknown) => value is Row,
  every = givenEvery(),
): RowParts<Row> {
  const start = `${record.replace(/\.json$/, '')}.${hashOf(made)}.`
  const nameOf = (row: number) => `${start}${String(row).padStart(8, '0')}${ending}`
  /** As JSON. */
  let taken: string[] = []
  let bytes = 0
  let row = 0
  let since = performance.now()
  const keep = async () => {
    if (taken.length === 0) return
    const text = `[${taken.join()}]`
    await storage.write(nameOf(row), await compress(text, { level: constants.Z_BEST_SPEED }))
    row += taken.length
    taken = []
    bytes = 0
    since = performance.now()
  }
  return {
    async *kept() {
      for (;;) {
        const rows = await readPart(storage, nameOf(row), isRow)
        if (!rows) break
        row += rows.length
        yield* rows
      }
      since = performance.now()
    },
    async add(rows) {
      for (const one of rows) {
        const text = JSON.stringify(one)
        taken.push(text)
        bytes += text.length
      }
      if (bytes >= enoughBytes || performance.now() - since >= every) await keep()
    },
    keep,
    async remove() {
      for (const name of await storage.listBeginning(start)) await storage.remove(name)
    },
  }
}

/**
 * What an earlier try has kept, each beside the row of a shard that it was made of, which is taken from `rows`: those
 * that come after are still to be worked on.
 *
 * @throws Error where what was kept is of other rows; it is removed then
 */
export async function* keptBeside<Kept, Row extends { readonly key: string }>(
  parts: Pick<RowParts<Kept>, 'kept' | 'remove'>,
  rows: AsyncGenerator<Row, void, void>,
  keyOf: (kept: Kept) => string,
  shard: string,
): AsyncGenerator<{ readonly kept: Kept; readonly row: Row }> {
  for await (const kept of parts.kept()) {
    const { value } = await rows.next()
    if (value?.key !== keyOf(kept)) {
      await parts.remove()
      throw new Error(`what was kept of shard ${shard} is of other pictures; it was removed`)
    }
    yield { kept, row: value as Row }
  }
}

/** Undefined where there is none, and where it is damaged: gzip has a checksum. */
async function readPart<Row>(
  storage: Storage,
  name: string,
  isRow: (value: unknown) => value is Row,
): Promise<readonly Row[] | undefined> {
  const bytes = await storage.read(name)
  if (!bytes) return undefined
  try {
    const text = await decompress(bytes, { maxOutputLength: mostBytes })
    const rows: unknown = JSON.parse(text.toString('utf8'))
    return Array.isArray(rows) && rows.length > 0 && rows.every(isRow) ? rows : undefined
  } catch {
    return undefined
  }
}

function givenEvery(): number {
  const given = process.env.GROUNDMILL_KEEP_SECONDS || keptEvery
  const seconds = Number(given)
  if (seconds >= 0) return seconds * 1000
  throw new UserError(
    `GROUNDMILL_KEEP_SECONDS is "${given.slice(0, 40)}": expected the seconds of work that a kill may lose, such as ${keptEvery}.`,
  )
}

/** The record that a part belongs to, by the name of the part; undefined where it is none. */
export function recordOfPart(name: string): { readonly record: string; readonly hash: string } | undefined {
  const [, place, hash] = /^(.+)\.([0-9a-f]{16})\.\d{8,}\.part$/.exec(name) ?? []
  return place !== undefined && hash !== undefined ? { record: `${place}.json`, hash } : undefined
}

/**
 * Whether nobody goes on from a part any more: its work is done, or something else was made in its place after it. Of
 * a record that cannot be read nobody knows.
 */
export async function isPartDone(
  storage: Storage,
  { name, modified }: Pick<StoredFile, 'name' | 'modified'>,
): Promise<boolean> {
  const { record, hash } = recordOfPart(name) ?? {}
  const made = record && (await readMade(storage, record))
  if (!made) return false
  return hash === hashOf(made) || Date.parse(made.createdAt) > modified
}

/** Removes the parts in a folder from which nobody goes on any more, and gives their names. */
export async function sweepParts(storage: Storage, folder: string): Promise<string[]> {
  const removed: string[] = []
  for await (const file of storage.listFiles(folder, 'inside')) {
    if (!recordOfPart(file.name) || !(await isPartDone(storage, file))) continue
    await storage.remove(file.name)
    removed.push(file.name)
  }
  return removed
}

/** What a record of a shard or of a run says of what it was made of, if it can be read. */
async function readMade(storage: Storage, name: string) {
  try {
    const bytes = await storage.read(name)
    return madeSchema.safeParse(bytes && JSON.parse(Buffer.from(bytes).toString('utf8'))).data
  } catch {
    return undefined
  }
}

const madeSchema = z.object({
  configHash: z.string(),
  inputs: z.record(z.string(), z.string()),
  createdAt: z.string(),
})
