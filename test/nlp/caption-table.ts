import { readFileSync, writeFileSync } from 'node:fs'
import { type Chunk, chunk } from '../../src/nlp/chunk.js'

/** A caption and what was found in it, as a table says it. */
export interface Row {
  readonly caption: string
  readonly phrases: string
}

export interface Block {
  readonly title: string
  readonly rows: readonly Row[]
}

/**
 * What is found in a caption, in one line: "a black cat (1 animal, colour black) on the mat | sale: abstract_head".
 * Of a phrase that is kept stand how many it says there are, what of it can be seen, its head where that is not its
 * last word, its attributes, and behind the bracket the tail of its expression; of one that is left out the reason.
 */
export const foundIn = (caption: string): string =>
  chunk(caption)
    .map((phrase) => (phrase.leftOut ? `${phrase.text}: ${phrase.leftOut}` : kept(phrase, caption)))
    .join(' | ')

function kept(phrase: Chunk, caption: string): string {
  const { text, end, expressionEnd, head, attributes, number, count } = phrase
  const points = [...caption]
  const last = text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .at(-1)
  const facts = [
    `${[count, number === 'singular' ? undefined : number, phrase.kept].filter((fact) => fact != null).join(' ')}`,
    ...(head === last ? [] : [`head ${head}`]),
    ...attributes.map(({ kind, text: word }) => (kind === 'other' ? word : `${kind} ${word}`)),
  ]
  return `${text} (${facts.join(', ')})${points.slice(end, expressionEnd).join('')}`
}

const file = new URL('fixtures/captions.tsv', import.meta.url)

/** The table: "# title" opens a block, and each other line is a caption and, behind a tabulator, its phrases. */
export function readCaptions(): Block[] {
  const blocks: { title: string; rows: Row[] }[] = []
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line.startsWith('# ')) blocks.push({ title: line.slice(2), rows: [] })
    else if (line !== '') {
      const [caption = '', phrases = ''] = line.split('\t')
      blocks.at(-1)?.rows.push({ caption, phrases })
    }
  }
  return blocks
}

/** Writes what is found now behind each caption of the table. */
export function writeCaptions(): void {
  const lines = readCaptions().flatMap(({ title, rows }) => [
    `# ${title}`,
    ...rows.map(({ caption }) => `${caption}\t${foundIn(caption)}`),
    '',
  ])
  writeFileSync(file, lines.join('\n'))
}
