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

/** Those words themselves; those of the phrase where they are not part of it, since the caption is not known here. */
export function namedText(image: Pick<FilterImage, 'phrases'>, box: Candidate): string {
  const { text, start, end } = phraseOf(image, box)
  const points = [...text]
  // A span that holds an entity or a tag is longer than what is read there.
  const { relabelled } = box
  if (!relabelled || points.length !== end - start) return text
  if (relabelled.start < start || relabelled.end > end) return text
  return points.slice(relabelled.start - start, relabelled.end - start).join('')
}
