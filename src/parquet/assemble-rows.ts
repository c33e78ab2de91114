import type { SchemaTree } from 'hyparquet'
import { isListLike, isMapLike } from 'hyparquet/src/schema.js'
import { type LeafColumn, type LeafColumns, leafKey } from './read-columns.js'

/** A leaf column and how far it has been read. */
interface Cursor extends LeafColumn {
  /** The next entry. */
  at: number
  /** The next value. */
  next: number
  /** The level at which an entry has a value. */
  readonly defined: number
}

/** Gives the next value of a node, and moves the cursors below it past that. */
type Read = () => unknown

/** A node of the schema, ready to be read. */
interface Node {
  readonly read: Read
  readonly cursors: readonly Cursor[]
}

/** Which rows of a group are wanted, of how many, and which of its top-level columns; all by default. */
export interface RowRange {
  readonly start: number
  readonly end: number
  readonly rows: number
  readonly columns?: readonly string[] | undefined
}

/**
 * Puts rows together from leaf columns, each when it is asked for: rows that are dropped soon cost the
 * garbage collector little. What is null is null, lists and structs too.
 *
 * @throws Error where the columns do not make those rows
 */
export function* assembleRows(
  { children }: SchemaTree,
  leaves: LeafColumns,
  { start, end, rows, columns }: RowRange,
): Generator<Record<string, unknown>, void, void> {
  const top = children.filter(({ element }) => !columns || columns.includes(element.name))
  const nodes = top.map((tree) => nodeOf(tree, leaves, { defined: 0, repeated: 0 }))
  const cursors = nodes.flatMap((node) => node.cursors)
  const read = objectReader(
    top.map(({ element }) => element.name),
    nodes,
  )
  for (const cursor of cursors) skipRows(cursor, start)
  for (let row = start; row < end; row++) {
    for (const { repetitions, at } of cursors) {
      if (repetitions && repetitions[at] !== 0) throw new Error(`row ${row} does not begin where it should`)
    }
    yield read()
  }
  for (const { at, entries, repetitions } of cursors) {
    if (at > entries || (end === rows && at !== entries) || (repetitions?.[at] ?? 0) !== 0) {
      throw new Error(`there are not ${rows} rows`)
    }
  }
}

/** Moves a cursor to a row of the group. */
function skipRows(cursor: Cursor, row: number) {
  const { definitions, repetitions, entries, firstRow, defined } = cursor
  for (let left = row - firstRow; left > 0 && cursor.at < entries; left--) {
    do {
      if (!definitions || definitions[cursor.at] === defined) cursor.next++
      cursor.at++
    } while (repetitions && cursor.at < entries && repetitions[cursor.at] !== 0)
  }
}

/** Levels that the ancestors of a node take up. */
interface Levels {
  readonly defined: number
  readonly repeated: number
}

function nodeOf(tree: SchemaTree, leaves: LeafColumns, above: Levels): Node {
  const { element, path } = tree
  if (element.repetition_type === 'REPEATED') {
    // A list without a group around it, of older writers: it is never null.
    const levels = { defined: above.defined + 1, repeated: above.repeated + 1 }
    return listNode(valueNode(tree, leaves, levels), 0, levels)
  }
  const isOptional = element.repetition_type === 'OPTIONAL'
  const own = { ...above, defined: above.defined + (isOptional ? 1 : 0) }
  const here = isOptional ? own.defined : 0
  const levels = { defined: own.defined + 1, repeated: own.repeated + 1 }
  const [repeated] = tree.children
  if (repeated && isListLike(tree)) {
    // Lists of three levels have a group around each item; those of two, of older writers, have not.
    const [wrapped] = repeated.children
    const item = wrapped ? nodeOf(wrapped, leaves, levels) : valueNode(repeated, leaves, levels)
    return listNode(item, here, levels)
  }
  if (repeated && isMapLike(tree)) {
    const [key, value] = repeated.children
    if (!key || !value) throw new Error(`column ${path.join('.')} is a map without keys or values`)
    const entry = pairNode(nodeOf(key, leaves, levels), nodeOf(value, leaves, levels))
    return mapNode(listNode(entry, here, levels))
  }
  return valueNode(tree, leaves, own, here)
}

/**
 * A struct or a leaf.
 *
 * @param levels at which it stands
 * @param here level from which a struct is there; 0 where it always is
 */
function valueNode(
  { element, children, path }: SchemaTree,
  leaves: LeafColumns,
  levels: Levels,
  here = 0,
): Node {
  if (element.logical_type?.type === 'VARIANT') throw new Error(`column ${path.join('.')} is a VARIANT`)
  if (children.length === 0) {
    const column = leaves.get(leafKey(path))
    if (!column) throw new Error(`column ${path.join('.')} is missing`)
    return leafNode({ ...column, at: 0, next: 0, defined: levels.defined })
  }
  const nodes = children.map((child) => nodeOf(child, leaves, levels))
  return structNode(
    children.map((child) => child.element.name),
    nodes,
    here,
  )
}

function leafNode(cursor: Cursor): Node {
  const { values, definitions, defined } = cursor
  const take = () => {
    cursor.at++
    const value = values[cursor.next++]
    if (value === undefined) throw new Error('there are fewer values than entries')
    return value
  }
  const read = definitions
    ? () => {
        if (definitions[cursor.at] === defined) return take()
        cursor.at++
        return null
      }
    : take
  return { read, cursors: [cursor] }
}

const pairNode = (key: Node, value: Node): Node => ({
  read: () => [key.read(), value.read()],
  cursors: [...key.cursors, ...value.cursors],
})

/** An object of the pairs of a list. */
const mapNode = ({ read, cursors }: Node): Node => ({
  read() {
    const pairs = read() as readonly (readonly [unknown, unknown])[] | null
    return pairs && Object.fromEntries(pairs.map(([key, value]) => [String(key), value]))
  },
  cursors,
})

/** @param defined level from which the struct is there; 0 where it always is */
function structNode(names: readonly string[], nodes: readonly Node[], defined: number): Node {
  const cursors = nodes.flatMap((node) => node.cursors)
  const lead = leadOf(cursors)
  const { definitions } = lead
  const read = objectReader(names, nodes)
  if (!definitions || defined === 0) return { read, cursors }
  return {
    cursors,
    read() {
      if ((definitions[lead.at] as number) >= defined) return read()
      skip(cursors)
      return null
    },
  }
}

/**
 * @param defined level from which the list is there; 0 where it always is
 * @param levels of its items
 */
function listNode({ read, cursors }: Node, defined: number, levels: Levels): Node {
  const lead = leadOf(cursors)
  const { definitions, repetitions, entries } = lead
  return {
    cursors,
    read() {
      const level = definitions?.[lead.at] ?? levels.defined
      if (level < levels.defined) {
        const isThere = level >= defined
        skip(cursors)
        return isThere ? [] : null
      }
      const items = [read()]
      while (lead.at < entries && repetitions?.[lead.at] === levels.repeated) items.push(read())
      return items
    },
  }
}

/**
 * Reads the columns of a struct into an object. It is written out as source, since an object of a literal is made in one
 * go where one that grows by names is looked up name by name.
 */
function objectReader(names: readonly string[], nodes: readonly Node[]): () => Record<string, unknown> {
  // In brackets `__proto__` is a name like any other.
  const keyOf = (name: string) => (name === '__proto__' ? `['${name}']` : JSON.stringify(name))
  const members = names.map((name, index) => `${keyOf(name)}: reads[${index}]()`)
  const make = new Function('reads', `return () => ({ ${members.join(', ')} })`)
  return make(nodes.map(({ read }) => read))
}

/** The leaf by whose levels a node is read: its first. */
function leadOf([lead]: readonly Cursor[]): Cursor {
  if (!lead) throw new Error('a column without values')
  return lead
}

/** Where nothing is there, each leaf below has one entry that says so. */
function skip(cursors: readonly Cursor[]) {
  for (const cursor of cursors) cursor.at++
}
