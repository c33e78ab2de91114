/**
 * What moves the cursor, changes colours, titles or the direction of writing, ends a line, or is half a
 * character: C0, DEL and C1, lone surrogates, separators of lines and paragraphs, and marks of direction.
 */
const controls = /[\p{Cc}\p{Cs}\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** A stranger's text on one line, as text alone: a terminal obeys nothing of it. */
export function plainText(text: string): string {
  return text.replace(controls, '\ufffd')
}

/** Lines that may quote a stranger's text, as text alone: their ends are kept, and a tab is a space. */
export function plainLines(text: string): string {
  return text.replaceAll('\t', ' ').split(/\r?\n/).map(plainText).join('\n')
}

/**
 * The JSON text of a value, to the letter the same value and harmless to a terminal: what JSON need not escape
 * and a terminal obeys is escaped too.
 */
export function plainJson(value: unknown): string {
  const escaped = (sign: string) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(value).replace(controls, escaped)
}
