/** What became of an input: it was read; it was refused with a message; something else was thrown. */
export interface FuzzOutcome {
  readonly kind: 'read' | 'refused' | 'crash'
  readonly message: string
}

/** What is said of an input: without an outcome that it begins. */
export interface FuzzLine {
  readonly target: number
  readonly index: number
  readonly outcome?: FuzzOutcome
}

/** A line with more is none that anybody reads. */
const longest = 1200
/** Problems of a configuration, and that there are more. */
const mostLines = 10

/**
 * Why a message of a refusal is not one clear message; undefined where it is. Control characters are no matter
 * here: whatever is printed goes through `plainText`.
 */
export function unclear(message: string): string | undefined {
  if (message.trim() === '') return 'it is empty'
  // Of a configuration every problem has a line of its own, which begins with the file.
  const [first = '', ...others] = message.split('\n')
  const file = first.slice(0, first.indexOf(':') + 1)
  if (file === '' ? others.length > 0 : others.some((line) => !line.startsWith(file)))
    return 'it has several lines'
  if ([first, ...others].some((line) => line.length > longest) || others.length > mostLines)
    return `it has ${message.length} characters`
  if (/\[object |undefined is not|Cannot read prop|is not a function|is not iterable/.test(message))
    return 'it speaks of the program'
  return undefined
}
