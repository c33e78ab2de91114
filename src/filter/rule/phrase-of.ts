import type { Phrase } from '../../rows/rows.js'
import type { Candidate, FilterImage } from './rule.js'

/**
 * The phrase that a box is of. Throws where its picture has no such phrase: then the rows do not belong
 * together.
 */
export function phraseOf(
  { phrases }: Pick<FilterImage, 'phrases'>,
  { phrase }: Pick<Candidate, 'phrase'>,
): Phrase {
  const found = phrases[phrase]
  if (!found) throw new Error(`a box is of phrase ${phrase} of a picture that has ${phrases.length}`)
  return found
}
