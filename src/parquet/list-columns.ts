import type { SchemaTree } from 'hyparquet'
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getTreePath } from 'hyparquet/src/schema.js'
import { assembleRows, type RowRange } from './assemble-rows.js'
import { type LeafColumn, type LeafColumns, leafKey } from './read-columns.js'

/** A row's list of structs column by column: no object is made of its items. */
export interface ListColumns {
  /** Items of the list; 0 where there is none. */
  readonly length: number
  /**
   * By the name of a member its values of all items, in their order, null where nothing is there; undefined where no
   * item has any. Of a member that is itself a list, of so many values in every item, they follow one another.
   */
  readonly members: Readonly<Record<string, ArrayLike<unknown> | undefined>>
}

/**
 * Rows as `assembleRows` makes them, but for one top-level column, a list of structs, which each row has as
 * `ListColumns`. Typed arrays are views into their row group.
 *
 * @param list name of the column
 * @throws Error where the columns do not make those rows, or where lists in an item are of different lengths
 */
export function* rowsWithColumns(
  schema: SchemaTree,
  leaves: LeafColumns,
  range: RowRange,
  list: string,
): Generator<Record<string, unknown>, void, void> {
  const names = range.columns ?? schema.children.map(({ element }) => element.name)
  const members = membersOf(schema, leaves, list)
  const next = (): ListColumns => {
    const values: Record<string, ArrayLike<unknown> | undefined> = {}
    for (const { name, cells } of members) values[name] = cells.next()
    const length = members[0]?.cells.items ?? 0
    for (const { cells } of members)
      if (cells.items !== length) throw new Error(`items of ${list} lack members`)
    return { length, members: values }
  }
  for (let row = 0; row < range.start; row++) next()
  for (const row of assembleRows(schema, leaves, {
    ...range,
    columns: names.filter((name) => name !== list),
  })) {
    row[list] = next()
    yield row
  }
  if (range.end === range.rows && members.some(({ cells }) => !cells.isDone))
    throw new Error(`${list} has more than ${range.rows} rows`)
}

/** The members of a list's items, each of which is a column or a list of one. */
function membersOf(schema: SchemaTree, leaves: LeafColumns, list: string) {
  const [tree] = schema.children.filter(({ element }) => element.name === list)
  // Lists of three levels, as groundmill writes them: in a list of two the members would stand in the item's place.
  const [item, ...others] = tree?.children[0]?.children ?? []
  if (!tree || !item?.children.length || others.length > 0)
    throw new Error(`column ${list} is no list of structs`)
  // An item is there from the level of the group that is repeated.
  const here = getMaxDefinitionLevel(getTreePath(schema, tree.path)) + 1
  return item.children.map((member) => {
    let leaf = member
    while (leaf.children[0]) leaf = leaf.children[0]
    const nodes = getTreePath(schema, leaf.path)
    const column = leaves.get(leafKey(leaf.path))
    const { repetitions } = column ?? {}
    const depth = getMaxRepetitionLevel(nodes)
    if (!column || !repetitions || depth > 2)
      throw new Error(`column ${leaf.path.join('.')} is no member of a list`)
    const levels = { here, defined: getMaxDefinitionLevel(nodes), isList: depth === 2 }
    return { name: member.element.name, cells: new Cells(column, repetitions, levels) }
  })
}

/** A leaf column, and how far it has been read. */
class Cells {
  /** Items of the list that was read last. */
  items = 0
  #entry = 0
  #value = 0

  /**
   * @param levels from which an item is there, at which an entry has a value, and whether items are lists
   */
  constructor(
    readonly column: LeafColumn,
    readonly repetitions: Uint8Array,
    readonly levels: { readonly here: number; readonly defined: number; readonly isList: boolean },
  ) {}

  get isDone(): boolean {
    return this.#entry === this.column.entries
  }

  /** The values of the next row; undefined where there are none. */
  next(): ArrayLike<unknown> | undefined {
    const { repetitions } = this
    const { values, definitions, entries } = this.column
    const start = this.#entry
    if (start >= entries || repetitions[start] !== 0) throw new Error('a row does not begin where it should')
    const next = repetitions.indexOf(0, start + 1)
    const end = next === -1 || next > entries ? entries : next
    let items = end - start
    if (this.levels.isList) {
      items = 1
      for (let at = start + 1; at < end; at++) if (repetitions[at] === 1) items++
      const size = (end - start) / items
      for (let at = start + size; at < end; at += size)
        if (repetitions[at] !== 1) throw new Error('lists in the items of a list are of different lengths')
    }
    this.#entry = end
    this.items = items
    if (!definitions) return part(values, start, end)
    const { here, defined } = this.levels
    if (definitions[start]! < here) {
      this.items = 0
      return undefined
    }
    const first = this.#value
    for (let at = start; at < end; at++) if (definitions[at] === defined) this.#value++
    if (this.#value === first) return undefined
    if (this.#value - first === end - start) return part(values, first, this.#value)
    const all = new Array<unknown>(end - start).fill(null)
    let value = first
    for (let at = start; at < end; at++) if (definitions[at] === defined) all[at - start] = values[value++]
    return all
  }
}

const part = (values: LeafColumn['values'], start: number, end: number): ArrayLike<unknown> =>
  Array.isArray(values) ? values.slice(start, end) : values.subarray(start, end)
