import { promisify } from 'node:util'
import { constants, gunzip, gzip } from 'node:zlib'
import { hashJson } from '../base/hash.js'
import type { Storage, StoredFile } from '../storage/storage.js'

/** Milliseconds of work that a kill may lose. */
const keptEvery = 20_000

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
 * matter, as long as one begins where another ends. What is damaged, or missing in between, is made again.
 *
 * @param record ends in `.json`
 * @param every milliseconds of work between two parts
 */
export function rowParts<Row>(
  storage: Storage,
  record: string,
  made: Made,
  every = keptEvery,
): RowParts<Row> {
  const start = `${record.replace(/\.json$/, '')}.${hashOf(made)}.`
  const nameOf = (row: number) => `${start}${String(row).padStart(8, '0')}${ending}`
  let taken: Row[] = []
  let row = 0
  let since = performance.now()
  const keep = async () => {
    if (taken.length === 0) return
    const text = JSON.stringify(taken)
    await storage.write(nameOf(row), await compress(text, { level: constants.Z_BEST_SPEED }))
    row += taken.length
    taken = []
    since = performance.now()
  }
  return {
    async *kept() {
      for (;;) {
        const rows = await readPart<Row>(storage, nameOf(row))
        if (!rows) break
        row += rows.length
        yield* rows
      }
      since = performance.now()
    },
    async add(rows) {
      taken.push(...rows)
      if (performance.now() - since >= every) await keep()
    },
    keep,
    async remove() {
      for (const name of await storage.listBeginning(start)) await storage.remove(name)
    },
  }
}

/** Undefined where there is none, and where it is damaged: gzip has a checksum. */
async function readPart<Row>(storage: Storage, name: string): Promise<readonly Row[] | undefined> {
  const bytes = await storage.read(name)
  if (!bytes) return undefined
  try {
    const rows: unknown = JSON.parse((await decompress(bytes)).toString('utf8'))
    return Array.isArray(rows) && rows.length > 0 ? rows : undefined
  } catch {
    return undefined
  }
}

/** The record that a part belongs to, by the name of the part; undefined where it is none. */
export function recordOfPart(name: string): { readonly record: string; readonly hash: string } | undefined {
  const [, place, hash] = /^(.+)\.([0-9a-f]{16})\.\d{8,}\.part$/.exec(name) ?? []
  return place !== undefined && hash !== undefined ? { record: `${place}.json`, hash } : undefined
}

/**
 * Whether nobody goes on from a part any more: its work is done, or something else was made in its place after it.
 *
 * @param record what is there now
 */
export function isPartDone(
  { name, modified }: Pick<StoredFile, 'name' | 'modified'>,
  record: (Made & { readonly createdAt: string }) | undefined,
): boolean {
  if (!record) return false
  return recordOfPart(name)?.hash === hashOf(record) || Date.parse(record.createdAt) > modified
}
