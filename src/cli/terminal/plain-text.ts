/** What moves the cursor, changes colours or the direction of writing, or ends a line. */
const controls = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** A stranger's text on one line, as text alone: a terminal obeys nothing of it. */
export function plainText(text: string): string {
  return text.replace(controls, '\ufffd')
}
