import { jsonProblem, parseJson } from '../base/parse-json.js'
import type { Mark } from './mark.js'
import { readLines } from './read-lines.js'

export type ObjectLine = { readonly mark: Mark; readonly place: string } & (
  | { readonly value: Readonly<Record<string, unknown>>; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: string; readonly isBlank?: boolean }
)

/**
 * The JSON objects of a file, one a line, from a mark on, as `parseJson` reads them; a line that is none says
 * why.
 */
export async function* readObjects(path: string, from?: Mark, longest?: number): AsyncGenerator<ObjectLine> {
  for await (const line of readLines(path, from, longest)) {
    const base = { mark: line.mark, place: `${path}:${line.mark.line}` }
    if (line.text === null) yield { ...base, problem: line.problem }
    else yield { ...base, ...parseObject(line.text) }
  }
}

type Parsed = { value: Readonly<Record<string, unknown>> } | { problem: string; isBlank?: boolean }

function parseObject(text: string): Parsed {
  try {
    const value = parseJson(text)
    if (value && typeof value === 'object' && !Array.isArray(value)) {
      return { value: value as Readonly<Record<string, unknown>> }
    }
    if (Array.isArray(value))
      return { problem: 'a JSON array and no object (a file that is one is `format: json`)' }
    return { problem: 'not a JSON object' }
  } catch (error) {
    return { problem: `not JSON: ${jsonProblem(text, error)}`, isBlank: text.trim() === '' }
  }
}
