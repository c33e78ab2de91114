import { phraseOf } from './phrase-of.js'
import type { Candidate, FilterImage } from './rule.js'

/** The words of its caption that a box is kept for: those of its phrase, unless a rule left it fewer. */
export function namedSpan(
  image: Pick<FilterImage, 'phrases'>,
  box: Candidate,
): { readonly caption: number; readonly start: number; readonly end: number } {
  const { caption, start, end } = phraseOf(image, box)
  return { caption, start: box.relabelled?.start ?? start, end: box.relabelled?.end ?? end }
}

/** Those words themselves. */
export function namedText(image: Pick<FilterImage, 'phrases'>, box: Candidate): string {
  const { text, start, end } = phraseOf(image, box)
  const points = [...text]
  // A span that holds an entity or a tag is longer than what is read there.
  if (!box.relabelled || points.length !== end - start) return text
  return points.slice(box.relabelled.start - start, box.relabelled.end - start).join('')
}
