/** Half-open range of code points in a text. */
export type Span = readonly [start: number, end: number]

/** Names of things as one text, GLIP's detection prompt: "bird. red car. zebra". */
export interface NamePrompt {
  readonly text: string
  /** Where each name stands in the text, in the order of the names. */
  readonly spans: readonly Span[]
}

/** What stands between two names. There is nothing after the last. */
const joint = '. '

/**
 * Names joined by '. ', and the span of each. A name that contains '. ' is split by `splitNames`.
 */
export function joinNames(names: readonly string[]): NamePrompt {
  let at = 0
  const spans = names.map((name): Span => {
    const start = at
    const end = start + [...name].length
    at = end + joint.length
    return [start, end]
  })
  return { text: names.join(joint), spans }
}

/** A name of a prompt as it is written there, and where. */
export interface SpannedName {
  readonly name: string
  readonly span: Span
}

/** The names of a text that was joined by `joinNames`, in their order. */
export function splitNames(text: string): SpannedName[] {
  const names = text.split(joint)
  const { spans } = joinNames(names)
  return names.map((name, index) => ({ name, span: spans[index] as Span }))
}

/**
 * A category's name as GLIP writes it in a prompt: without what is in brackets, with spaces for underscores.
 * Full stops followed by a space would end the name, and lose the space. A name that is all in brackets keeps
 * them.
 */
export function nameInPrompt(name: string): string {
  const clean = (text: string) =>
    text.replaceAll('_', ' ').replaceAll(/\.\s+/g, '.').replaceAll(/\s+/g, ' ').trim()
  return clean(name.replaceAll(/\([^()]*\)/g, '')) || clean(name)
}
