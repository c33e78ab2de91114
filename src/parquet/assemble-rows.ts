import type { SchemaTree } from 'hyparquet'
import { isListLike } from 'hyparquet/src/schema.js'
import type { LeafColumn } from './read-columns.js'

/** A leaf column and how far it has been read. */
interface Cursor extends LeafColumn {
  /** The next entry. */
  at: number
  /** The next value. */
  next: number
}

/** Gives the next value of a node, and moves the cursors below it past that. */
type Read = () => unknown

/** A node of the schema, ready to be read. */
interface Node {
  readonly read: Read
  readonly cursors: readonly Cursor[]
}

/**
 * Puts rows together from leaf columns, each when it is asked for: rows that are dropped soon cost the garbage collector
 * little. What is null is null, lists and structs too.
 *
 * @param rows how many there are
 * @throws Error where the columns do not make that many rows
 */
export function* assembleRows(
  { children }: SchemaTree,
  columns: ReadonlyMap<string, LeafColumn>,
  rows: number,
): Generator<Record<string, unknown>, void, void> {
  const top = children.filter(({ path: [name] }) =>
    [...columns.keys()].some((key) => key.split('.')[0] === name),
  )
  const nodes = top.map((tree) => nodeOf(tree, columns, { defined: 0, repeated: 0 }))
  const cursors = nodes.flatMap((node) => node.cursors)
  const read = objectReader(
    top.map(({ element }) => element.name),
    nodes,
  )
  for (let row = 0; row < rows; row++) {
    for (const { repetitions, at } of cursors) {
      if (repetitions && repetitions[at] !== 0) throw new Error(`row ${row} does not begin where it should`)
    }
    yield read()
  }
  if (cursors.some(({ at, entries }) => at !== entries)) throw new Error(`there is more than ${rows} rows`)
}

/** Levels that the ancestors of a node take up. */
interface Levels {
  readonly defined: number
  readonly repeated: number
}

function nodeOf(tree: SchemaTree, columns: ReadonlyMap<string, LeafColumn>, above: Levels): Node {
  const { element, children, path } = tree
  const isOptional = element.repetition_type === 'OPTIONAL'
  const defined = above.defined + (element.repetition_type === 'REQUIRED' ? 0 : 1)
  if (children.length === 0) {
    const column = columns.get(path.join('.'))
    if (!column) throw new Error(`column ${path.join('.')} is missing`)
    return leafNode({ ...column, at: 0, next: 0 }, defined)
  }
  if (isListLike(tree)) {
    const [repeated] = children
    const levels = { defined: defined + 1, repeated: above.repeated + 1 }
    // Lists of three levels have a group around each item; those of two, of older writers, have not.
    const isWrapped = repeated.children.length === 1
    const item = isWrapped
      ? nodeOf(repeated.children[0], columns, levels)
      : nodeOf(repeated, columns, { ...levels, defined })
    return listNode(item, isOptional ? defined : 0, levels)
  }
  if (element.repetition_type === 'REPEATED' && above.repeated === 0) {
    throw new Error(`column ${path.join('.')} is repeated without being a list`)
  }
  const { repeated } = above
  const nodes = children.map((child) => nodeOf(child, columns, { defined, repeated }))
  return structNode(
    children.map((child) => child.element.name),
    nodes,
    isOptional ? defined : 0,
  )
}

function leafNode(cursor: Cursor, defined: number): Node {
  const { values, definitions } = cursor
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

/** @param defined level from which the struct is there; 0 where it always is */
function structNode(names: readonly string[], nodes: readonly Node[], defined: number): Node {
  const cursors = nodes.flatMap((node) => node.cursors)
  const [lead] = cursors
  const { definitions } = lead
  const read = objectReader(names, nodes)
  if (!definitions) return { read, cursors }
  return {
    cursors,
    read() {
      if (definitions[lead.at] >= defined) return read()
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
  const [lead] = cursors
  const { definitions, repetitions, entries } = lead
  return {
    cursors,
    read() {
      if (definitions && definitions[lead.at] < levels.defined) {
        const isThere = definitions[lead.at] >= defined
        skip(cursors)
        return isThere ? [] : null
      }
      const items = [read()]
      while (lead.at < entries && repetitions?.[lead.at] === levels.repeated) items.push(read())
      return items
    },
  }
}

function objectReader(names: readonly string[], nodes: readonly Node[]): () => Record<string, unknown> {
  const reads = nodes.map(({ read }) => read)
  return () => {
    const value: Record<string, unknown> = {}
    for (let index = 0; index < reads.length; index++) value[names[index]] = reads[index]()
    return value
  }
}

/** Where nothing is there, each leaf below has one entry that says so. */
function skip(cursors: readonly Cursor[]) {
  for (const cursor of cursors) cursor.at++
}
