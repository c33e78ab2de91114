import { plainText } from '../../words/plain-text.js'

/**
 * Characters that change how text is laid out but are no part of a word: soft hyphens, joiners, marks of
 * order.
 */
const invisible = /\p{Cf}|\u034f|[\ufe00-\ufe0f]/gu
const apostrophes = /[\u2018\u2019\u02bc\uff07\u00b4\u2032\ufffd`]/g

/**
 * A word as the tagger and a list of words know it: compatibility forms composed ("ｄｏｇ" is "dog"), invisible
 * characters gone, apostrophes plain, lower case. The caption itself keeps what it has; only spans point into
 * it.
 */
export function cleanWord(text: string): string {
  if (/^[!-@[-_a-~]*$/.test(text)) return text
  return text
    .normalize('NFKC')
    .replace(invisible, '')
    .replace(apostrophes, "'")
    .toLowerCase()
    .normalize('NFC')
}

/** The same without accents, as dictionaries of plain English spell it: "café" is "cafe". */
export function withoutAccents(word: string): string {
  return /^[ -~]*$/.test(word) ? word : word.normalize('NFD').replace(/\p{M}/gu, '').normalize('NFC')
}

/** Whether there is anything to read: neither white space nor invisible, nor markup around it. */
export function isBlank(text: string): boolean {
  return /^(?:\s|\p{C}|\p{Z}|\u034f|[\ufe00-\ufe0f])*$/u.test(plainText(text))
}
