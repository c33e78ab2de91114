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
  const { text, start } = phraseOf(image, box)
  if (!box.relabelled) return text
  return [...text].slice(box.relabelled.start - start, box.relabelled.end - start).join('')
}
