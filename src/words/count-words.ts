import { plainText } from './plain-text.js'

/** Words of a text, by the white space between them. */
export function countWords(text: string): number {
  const words = plainText(text).trim()
  return words === '' ? 0 : words.split(/\s+/).length
}
