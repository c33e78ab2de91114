/**
 * Captions whose phrases somebody marked: COCO's in square brackets, Flickr30k Entities' in its own markup.
 */

/** Half open, in code points. */
export interface Span {
  readonly start: number
  readonly end: number
}

export interface AnnotatedCaption {
  readonly id: string
  readonly text: string
  readonly spans: readonly Span[]
}

/** Rows `id<TAB>caption with [phrases] in brackets`; lines that begin with # are comments. */
export function readBracketed(file: string): AnnotatedCaption[] {
  return file
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const tab = line.indexOf('\t')
      return { id: line.slice(0, tab), ...unmark(line.slice(tab + 1), /\[([^[\]]+)\]/g, () => true) }
    })
}

/**
 * Sentences with `[/EN#chain/type words]` round each phrase (Plummer et al. 2015), one a line. Phrases that
 * the annotators found not to be visible are no phrases here.
 */
export function readEntities(file: string, id: string): AnnotatedCaption[] {
  return file
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({
      id,
      ...unmark(line, /\[\/EN#\d+\/(\S+) ([^\]]+)\]/g, ([, type]) => type !== 'notvisual'),
    }))
}

/** The text without its marks, and where the marked parts (the last group of `mark`) lie in it. */
function unmark(marked: string, mark: RegExp, counts: (match: RegExpMatchArray) => boolean) {
  const spans: Span[] = []
  let text = ''
  let at = 0
  for (const match of marked.matchAll(mark)) {
    text += marked.slice(at, match.index)
    const start = [...text].length
    text += match.at(-1)
    if (counts(match)) spans.push({ start, end: [...text].length })
    at = match.index + match[0].length
  }
  return { text: text + marked.slice(at), spans }
}
