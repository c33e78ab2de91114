import { shownValue } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import type { GroupMemory } from '../parquet/group-memory.js'
import type { ListColumns } from '../parquet/list-columns.js'
import { isName } from '../rows/family-path.js'
import type { Families, Family } from '../rows/rows.js'
import type { Storage } from '../storage/storage.js'
import { readShardGroups } from './read-shard.js'
import type { StoredRow } from './row-migration.js'
import type { ShardRows } from './shard-rows.js'

/** Families with one row an image. */
export type JoinedFamily = Exclude<Family, 'rejects'>

/**
 * What is read of a family: its stage (images have none), its top-level columns, all by default, and the memory that its
 * row groups are read to, one for each part (`RowsWanted`).
 */
export type PartOf<F extends JoinedFamily> = (F extends 'images' ? unknown : { readonly stage: string }) & {
  readonly columns?: readonly (keyof Families[F] & string)[]
  readonly memory?: GroupMemory | undefined
  /** A column that is a list of structs, which rows then have as `ListColumns`. */
  readonly columnar?: (keyof Families[F] & string) | undefined
}

/** What a name may stand for: a part of the family of that name, or of the one that it says. */
export type PartNamed<Name> =
  | { [F in JoinedFamily]: PartOf<F> & { readonly family: F } }[JoinedFamily]
  | (Name extends JoinedFamily ? PartOf<Name> & { readonly family?: undefined } : never)

/** What is read, by the names that its rows get. */
export type PartsOf<Parts> = { readonly [Name in keyof Parts]: PartNamed<Name> | undefined }

type FamilyOf<Name, Part> = (Part extends { readonly family: infer F } ? F : Name) & JoinedFamily

/** Where the columns may be one list or another, the row is of the one or the other kind. */
type Narrowed<Row, Columns> = Columns extends readonly (infer Column)[]
  ? Pick<Row, ('key' | Column) & keyof Row>
  : Row

type ColumnsOf<Part> = 'columns' extends keyof Part ? Part['columns' & keyof Part] : undefined

/** A list may be there as its columns. */
type Columnar<Row, Part> = Part extends { readonly columnar: infer List extends string }
  ? Omit<Row, List> & { readonly [Name in List]: ListColumns }
  : Row

type RowOf<Name, Part> = Part extends object
  ? Columnar<Narrowed<Families[FamilyOf<Name, Part>], ColumnsOf<Part>>, Part>
  : undefined

/** The rows of one image: its key, its place in the shard, and of each part its row. */
export type Joined<Parts> = { readonly key: string; readonly row: number } & {
  readonly [Name in keyof Parts]: RowOf<Name, Parts[Name]>
}

/** A stage's family, as messages name it. */
interface Source {
  readonly family: Family
  readonly stage: string | null
}

/** A part that is read. */
interface Part extends Source {
  readonly name: string
  readonly columns?: readonly string[]
  readonly memory?: GroupMemory | undefined
  readonly columnar?: string | undefined
}

/**
 * Reads a shard row for row over several families:
 *
 *     joinRows(storage, shard, { images: { columns: ['captions'] }, phrases: { stage: 'chunk' } })
 *
 * gives rows `{ key, row, images: { key, captions }, phrases: { key, phrases, left_out } }`. The name of a
 * part is its family, or says one: `gold: { family: 'grounding', stage: 'web' }`. A part that is undefined is
 * not read, and neither are columns that are not asked for, the key aside. As with `readShard`, a row group
 * of each family is in memory at a time. All files are closed, however the reading ends.
 *
 * @param signal is looked at before each row
 * @throws UserError where a file is missing or damaged, and where a family has not the same keys in the same
 *   order as the images (or the first part, where images are not read), to the end; or where a key cannot be
 *   the name of a file
 */
export async function* joinRows<const Parts extends PartsOf<Parts>>(
  storage: Storage,
  shard: string,
  parts: Parts,
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<Joined<Parts>, void, void> {
  const wanted = partsOf(parts)
  const readers = wanted.map(({ family, stage, columns, memory, columnar }) =>
    openReader(readShardGroups(storage, family, stage, shard, { columns, memory, columnar })),
  )
  try {
    for (let row = 0; ; row++) {
      const rows: (StoredRow | undefined)[] = []
      for (const reader of readers) rows.push(reader.take() ?? (await reader.takeOfNextGroup()))
      const joined = joinedRow({ storage, shard }, wanted, rows, row)
      if (!joined) return
      signal?.throwIfAborted()
      yield joined as Joined<Parts>
    }
  } finally {
    await Promise.all(readers.map((reader) => reader.close()))
  }
}

/**
 * Rows `start` up to `end` of a shard, fewer where it ends before, otherwise as those of `joinRows`. Only
 * these are checked.
 */
export async function joinRange<const Parts extends PartsOf<Parts>>(
  reader: ShardRows,
  shard: string,
  parts: Parts,
  { start, end }: { readonly start: number; readonly end: number },
): Promise<Joined<Parts>[]> {
  const wanted = partsOf(parts)
  const read: (readonly StoredRow[])[] = []
  for (const { family, stage, columns } of wanted) {
    const rows = await reader.read(family, stage, shard, { start, end, columns: columns as readonly 'key'[] })
    read.push(rows as unknown as readonly StoredRow[])
  }
  const length = Math.max(...read.map((rows) => rows.length))
  return Array.from({ length }, (_, at) => {
    const rows = read.map((own) => own[at])
    return joinedRow({ storage: reader.storage, shard }, wanted, rows, start + at) as Joined<Parts>
  })
}

/** Where rows are: a shard of a dataset. */
interface Place {
  readonly storage: Pick<Storage, 'url'>
  readonly shard: string
}

/**
 * The error for a family whose rows are not those of another one: of other images, too few, too many, or with
 * places in lists that are shorter.
 *
 * @param row the first row that does not match, counted from 0
 */
export function mismatch({ storage, shard }: Place, source: Source, other: Source, row: number): UserError {
  const which = `shard ${shard} of ${nameOf(source)} does not match its ${nameOf(other)} from row ${row} on`
  return new UserError(`${storage.url}: ${which}: run stage "${source.stage}" again.`)
}

/** Keys become names of files: a stranger's lead nowhere else. Ingest makes them of digits. */
const notAKey = ({ storage, shard }: Place, source: Source, row: number, key: unknown) =>
  new UserError(
    `${storage.url}: shard ${shard} of ${nameOf(source)}, row ${row}: ${shownValue(key)} cannot be the key of a picture: letters, digits, hyphens, dots and underscores can. The dataset was not made by groundmill, or is damaged.`,
  )

const nameOf = ({ family, stage }: Source) => (stage === null ? family : `${family} "${stage}"`)

/** The parts that are read. Those that others are held against come first. */
function partsOf(parts: object): readonly Part[] {
  return Object.entries(parts as Readonly<Record<string, Partial<Part> | undefined>>)
    .flatMap(([name, part]): Part[] => {
      if (!part) return []
      const { family = name as Family, stage = null, columns, memory, columnar } = part
      return [
        {
          name,
          family,
          stage,
          memory,
          columnar,
          ...(columns && { columns: [...new Set(['key', ...columns])] }),
        },
      ]
    })
    .sort((a, b) => Number(b.family === 'images') - Number(a.family === 'images'))
}

/** Puts the rows of one image together; undefined where all families are at their end. */
function joinedRow(
  place: Place,
  parts: readonly Part[],
  rows: readonly (StoredRow | undefined)[],
  row: number,
) {
  const key = rows[0]?.key
  const joined: Record<string, unknown> = { key, row }
  for (const [at, part] of parts.entries()) {
    const own = rows[at]
    // Where the one or the other has ended, its key is undefined.
    if (own?.key !== key) throw mismatch(place, part, parts[0] as Part, row)
    joined[part.name] = own
  }
  if (rows[0] && !(typeof key === 'string' && isName(key))) throw notAKey(place, parts[0] as Part, row, key)
  return rows[0] && joined
}

/** Rows of a family one by one; who takes them waits at the start of a row group alone. */
function openReader(groups: ReturnType<typeof readShardGroups>) {
  let group: Iterator<StoredRow, void, void> | undefined
  const take = () => group?.next().value ?? undefined
  return {
    take,
    async takeOfNextGroup(): Promise<StoredRow | undefined> {
      for (;;) {
        // What was read is let go of before more is.
        group = undefined
        const { value, done } = await groups.next()
        if (done) return undefined
        group = value as Iterator<StoredRow, void, void>
        const row = take()
        if (row) return row
      }
    },
    close: () => groups.return(),
  }
}
