/** Marks, joiners and variation selectors, which share the place of the character before them. */
const joined = /^[\p{M}\p{Cf}]$/u
const wide =
  /^[\p{Extended_Pictographic}\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f1e6}-\u{1f1ff}\u{20000}-\u{3fffd}]$/u

/** Columns that a code point takes in a monospaced font: 0, 1 or 2. */
export function columnsOf(point: string): number {
  if (point <= '~') return 1
  if (joined.test(point)) return 0
  return wide.test(point) ? 2 : 1
}

export function textColumns(text: string): number {
  let columns = 0
  for (const point of text) columns += columnsOf(point)
  return columns
}

/** The text, cut off with an ellipsis where it takes more columns. */
export function fitColumns(text: string, most: number): string {
  if (textColumns(text) <= most) return text
  let fitting = ''
  let columns = 1
  for (const point of text) {
    columns += columnsOf(point)
    if (columns > most) break
    fitting += point
  }
  return `${fitting}…`
}
