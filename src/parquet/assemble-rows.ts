import type { SchemaTree } from 'hyparquet'
import { isListLike, isMapLike } from 'hyparquet/src/schema.js'
import { LruCache } from '../base/lru-cache.js'
import { type LeafColumn, type LeafColumns, leafKey } from './read-columns.js'

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
 * The loop over the rows is written out as source for the shape that the columns have (as query engines generate code:
 * Neumann, "Efficiently Compiling Efficient Query Plans for Modern Hardware", 2011): an object is a literal, a list a
 * loop, and where a column has got to a local variable. A function for each column, called by the next, took twice as
 * long.
 *
 * @throws Error where the columns do not make those rows
 */
export function assembleRows(
  { children }: SchemaTree,
  leaves: LeafColumns,
  range: RowRange,
): Generator<Record<string, unknown>, void, void> {
  const { columns } = range
  const top = children.filter(({ element }) => !columns || columns.includes(element.name))
  const source = new RowSource(leaves)
  const assemble = compiled(source.rows(top))
  return assemble(
    source.leaves.map(({ column, defined }) => cursorAt(column, defined, range.start)),
    range,
  )
}

/** A column, and how far it has been read. */
interface Cursor extends LeafColumn {
  /** The next entry. */
  at: number
  /** The next value; the next entry says it where each has one. */
  next: number
}

type Assemble = (
  cursors: readonly Cursor[],
  range: RowRange,
) => Generator<Record<string, unknown>, void, void>

/** Functions are kept by their source, so that a row group goes on with what was compiled for the ones before. */
const compiledSources = new LruCache<string, Assemble>({
  maxSize: 4 * 1024 * 1024,
  sizeOf: (_, source) => source.length,
})

function compiled(source: string): Assemble {
  const known = compiledSources.get(source)
  if (known) return known
  const made = new Function(`return function* (columns, { start, end, rows }) { ${source} }`)() as Assemble
  compiledSources.set(source, made)
  return made
}

/** Moves to a row of the group. */
function cursorAt(column: LeafColumn, defined: number, row: number): Cursor {
  const { definitions, repetitions, entries, firstRow } = column
  let [at, next] = [0, 0]
  for (let left = row - firstRow; left > 0 && at < entries; left--) {
    do {
      if (!definitions || definitions[at] === defined) next++
      at++
    } while (repetitions && at < entries && repetitions[at] !== 0)
  }
  return { ...column, at, next }
}

/** Levels that the ancestors of a node take up. */
interface Levels {
  readonly defined: number
  readonly repeated: number
}

/** A leaf column, and the level at which an entry of it has a value. */
interface Leaf {
  readonly column: LeafColumn
  readonly defined: number
}

/** What reads a node of the schema once. */
interface Part {
  /** Statements that come before. */
  readonly statements: string
  /** The node's value; to be evaluated once, since it may move a column on. */
  readonly value: string
  /** The leaves below it, by their numbers. Where nothing is there, each has one entry that says so. */
  readonly leaves: readonly number[]
}

/** Names of what a cursor holds. */
type Variable = keyof Cursor & string
const variables = ['values', 'definitions', 'repetitions', 'entries', 'at', 'next'] as const

/** Beyond so many columns a function has no room for local variables of each. */
const mostLocals = 200

/**
 * Writes the source that puts rows together: the body of an `Assemble`. What the cursor of leaf 3 holds is there as
 * `values3`, `at3` and so on.
 */
class RowSource {
  readonly leaves: Leaf[] = []
  readonly #columns: LeafColumns
  #variables = 0

  constructor(columns: LeafColumns) {
    this.#columns = columns
  }

  rows(trees: readonly SchemaTree[]): string {
    const { statements, value } = this.#object(trees, { defined: 0, repeated: 0 })
    const isLocal = this.#isLocal
    const eachLeaf = (write: (name: Record<Variable, string>, leaf: LeafColumn, n: number) => string) =>
      this.leaves.map(({ column }, n) => write(this.#names(n), column, n)).join('\n')
    const locals = eachLeaf(
      (_, __, n) => `let { ${variables.map((name) => `${name}: ${name}${n}`).join(', ')} } = columns[${n}]`,
    )
    return `
      const held = []
      const short = () => new Error('there are not ' + rows + ' rows')
      const unaligned = (row) => new Error('row ' + row + ' does not begin where it should')
      ${isLocal ? locals : ''}
      ${isLocal ? Array.from({ length: this.#variables }, (_, n) => `let held${n}`).join('\n') : ''}
      for (let row = start; row < end; row++) {
        ${eachLeaf(({ repetitions, at, entries }, column) =>
          column.repetitions
            ? `if (${repetitions}[${at}] !== 0) throw unaligned(row)`
            : `if (${at} >= ${entries}) throw short()`,
        )}
        ${statements}
        const object = ${value}
        ${eachLeaf(({ at, entries }) => `if (${at} > ${entries}) throw short()`)}
        yield object
      }
      ${eachLeaf(({ repetitions, at, entries }, column) => {
        const isWithin = column.repetitions ? `${repetitions}[${at}] !== 0` : 'false'
        return `if (${at} < ${entries} && (end === rows || ${isWithin})) throw short()`
      })}`
  }

  get #isLocal(): boolean {
    return this.#columns.size <= mostLocals
  }

  #names(n: number): Record<Variable, string> {
    const nameOf = (name: string) => (this.#isLocal ? `${name}${n}` : `columns[${n}].${name}`)
    return Object.fromEntries(variables.map((name) => [name, nameOf(name)])) as Record<Variable, string>
  }

  #variable(): string {
    const n = this.#variables++
    return this.#isLocal ? `held${n}` : `held[${n}]`
  }

  #node(tree: SchemaTree, above: Levels): Part {
    const { element, path } = tree
    if (element.repetition_type === 'REPEATED') {
      // A list without a group around it, of older writers: it is never null.
      const levels = { defined: above.defined + 1, repeated: above.repeated + 1 }
      return this.#list(this.#value(tree, levels), 0, levels)
    }
    const isOptional = element.repetition_type === 'OPTIONAL'
    const own = { ...above, defined: above.defined + (isOptional ? 1 : 0) }
    // The level from which the node is there; 0 where it always is.
    const here = isOptional ? own.defined : 0
    const levels = { defined: own.defined + 1, repeated: own.repeated + 1 }
    const [repeated] = tree.children
    if (repeated && isListLike(tree)) {
      // Lists of three levels have a group around each item; those of two, of older writers, have not.
      const [wrapped] = repeated.children
      const item = wrapped ? this.#node(wrapped, levels) : this.#value(repeated, levels)
      return this.#list(item, here, levels)
    }
    if (repeated && isMapLike(tree)) {
      const [key, value] = repeated.children
      if (!key || !value) throw new Error(`column ${path.join('.')} is a map without keys or values`)
      const pair = joined([this.#node(key, levels), this.#node(value, levels)], (parts) => `[${parts}]`)
      const pairs = this.#list(pair, here, levels)
      return { ...pairs, value: `(${pairs.value} && Object.fromEntries(${pairs.value}))` }
    }
    return this.#value(tree, own, here)
  }

  /**
   * A struct or a leaf.
   *
   * @param levels at which it stands
   * @param here level from which a struct is there; 0 where it always is
   */
  #value({ element, children, path }: SchemaTree, levels: Levels, here = 0): Part {
    if (element.logical_type?.type === 'VARIANT') throw new Error(`column ${path.join('.')} is a VARIANT`)
    if (children.length > 0) return this.#optional(this.#object(children, levels), here)
    const column = this.#columns.get(leafKey(path))
    if (!column) throw new Error(`column ${path.join('.')} is missing`)
    const n = this.leaves.push({ column, defined: levels.defined }) - 1
    const { values, definitions, at, next } = this.#names(n)
    const value = column.definitions
      ? `(${definitions}[${at}++] === ${levels.defined} ? ${values}[${next}++] : null)`
      : `${values}[${at}++]`
    return { statements: '', value, leaves: [n] }
  }

  #object(trees: readonly SchemaTree[], levels: Levels): Part {
    // In brackets `__proto__` is a name like any other.
    const keyOf = (name: string) => (name === '__proto__' ? `['${name}']` : JSON.stringify(name))
    return joined(
      trees.map((tree) => this.#node(tree, levels)),
      (values) =>
        `{ ${values.map((value, at) => `${keyOf((trees[at] as SchemaTree).element.name)}: ${value}`).join(', ')} }`,
    )
  }

  /** @param here level from which a struct is there; 0 where it always is */
  #optional(struct: Part, here: number): Part {
    const { statements, value, leaves } = struct
    const { definitions, at, hasDefinitions } = this.#leadOf(leaves)
    if (!hasDefinitions || here === 0) return struct
    const name = this.#variable()
    return {
      statements: `
        ${name} = null
        if (${definitions}[${at}] >= ${here}) {
          ${statements}
          ${name} = ${value}
        } else {
          ${this.#skip(leaves)}
        }`,
      value: name,
      leaves,
    }
  }

  /**
   * @param here level from which the list is there; 0 where it always is
   * @param levels of its items
   */
  #list({ statements, value, leaves }: Part, here: number, { defined, repeated }: Levels): Part {
    const { definitions, repetitions, at, entries, hasDefinitions } = this.#leadOf(leaves)
    const name = this.#variable()
    const items = `
      ${name} = []
      do {
        ${statements}
        ${name}.push(${value})
      } while (${at} < ${entries} && ${repetitions}?.[${at}] === ${repeated})`
    const optional = `
      if (${definitions}[${at}] < ${defined}) {
        ${name} = ${definitions}[${at}] >= ${here} ? [] : null
        ${this.#skip(leaves)}
      } else {
        ${items}
      }`
    return { statements: hasDefinitions ? optional : items, value: name, leaves }
  }

  /** The leaf by whose levels a node is read: its first. */
  #leadOf([lead]: readonly number[]) {
    const leaf = this.leaves[lead ?? -1]
    if (lead === undefined || !leaf) throw new Error('a column without values')
    return { ...this.#names(lead), hasDefinitions: leaf.column.definitions !== undefined }
  }

  #skip(leaves: readonly number[]): string {
    return leaves.map((n) => `${this.#names(n).at}++`).join('; ')
  }
}

const joined = (parts: readonly Part[], combine: (values: readonly string[]) => string): Part => ({
  statements: parts.map(({ statements }) => statements).join('\n'),
  value: combine(parts.map(({ value }) => value)),
  leaves: parts.flatMap(({ leaves }) => leaves),
})
