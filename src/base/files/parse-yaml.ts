import {
  type Document,
  type DocumentOptions,
  isScalar,
  LineCounter,
  parseDocument,
  type SchemaOptions,
  visit,
} from 'yaml'
import { UserError } from '../user-error.js'
import { readText } from './read-file.js'

/** Reads a YAML file. Throws a UserError that names the file and the line. */
export const readYaml = async (path: string): Promise<unknown> => parseYaml(await readText(path), path)

/**
 * The value of a text of YAML.
 *
 * @param schema what texts without quotation marks may stand for; `failsafe` takes all as they are written
 * @throws UserError that names the place and the line; also where a tag is not known, such as Python's objects
 */
export function parseYaml(
  text: string,
  where: string,
  schema: NonNullable<(DocumentOptions & SchemaOptions)['schema']> = 'core',
): unknown {
  const bad = (what: string) => new UserError(`${where}: not YAML: ${what}`)
  if (isNestedTooDeeply(text)) throw bad(`it is nested deeper than ${mostNested}`)
  const lineCounter = new LineCounter()
  // The package looks for a key that comes twice by comparing each with each: minutes for some ten thousand.
  const document = documentOf(text, { schema, lineCounter, uniqueKeys: false })
  if (!document) throw bad('it is broken in so many places that it cannot be read')
  const [problem] = [...document.errors, ...document.warnings]
  if (problem) throw bad(`${problem.message.split('\n')[0]?.replace(/:$/, '')}`)
  const twice = keyTwice(document)
  if (twice !== undefined) {
    const { line, col } = lineCounter.linePos(twice)
    throw bad(`Map keys must be unique at line ${line}, column ${col}`)
  }
  try {
    return document.toJS()
  } catch (error) {
    // Aliases without end.
    throw bad((error as Error).message)
  }
}

/** undefined where the package goes so deep into a text that its stack ends: broken lists do that however flat they are. */
function documentOf(
  text: string,
  options: NonNullable<Parameters<typeof parseDocument>[1]>,
): Document.Parsed | undefined {
  try {
    return parseDocument(text, options)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Far deeper than any configuration. The package goes down into each level, and the stack may end there. */
const mostNested = 200

/** Whether a text opens more brackets, or is indented in more steps, than YAML that means something. */
function isNestedTooDeeply(text: string): boolean {
  let brackets = 0
  const indents: number[] = []
  for (let at = 0; at < text.length; ) {
    let end = text.indexOf('\n', at)
    if (end === -1) end = text.length
    let indent = 0
    while (text[at + indent] === ' ') indent++
    let dashes = 0
    for (let next = at + indent; next < end; next++) {
      const sign = text[next]
      if (sign === '[' || sign === '{') {
        if (++brackets > mostNested) return true
      } else if (sign === ']' || sign === '}') brackets = Math.max(0, brackets - 1)
      // Lists begin one within another on a line: "- - - a".
      else if ((sign === '-' || sign === '?') && text[next + 1] === ' ') dashes++
    }
    if (at + indent < end) {
      while ((indents.at(-1) ?? -1) >= indent) indents.pop()
      indents.push(indent)
    }
    if (brackets + indents.length + dashes > mostNested) return true
    at = end + 1
  }
  return false
}

/** Where the first key stands that its map has already; undefined where there is none. */
function keyTwice(document: Document.Parsed): number | undefined {
  let twice: number | undefined
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value)) {
          twice = key.range?.[0] ?? 0
          return visit.BREAK
        }
        seen.add(key.value)
      }
      return undefined
    },
  })
  return twice
}
