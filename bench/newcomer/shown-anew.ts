import type { Followed } from './follow-doc.js'

/**
 * A document with what its commands have printed now in the place of what it showed. Blocks with lines that are left out (`…`) stay: which
 * lines are worth showing is for somebody to say.
 */
export function shownAnew(markdown: string, followed: readonly Followed[]): string {
  const lines = markdown.split('\n')
  // From the end, so that the numbers of lines before stay true.
  for (const { line, shown, printed } of [...followed].reverse()) {
    if (shown === null || shown.split('\n').includes('…')) continue
    const start = lines.indexOf('```text', line)
    const end = lines.indexOf('```', start + 1)
    lines.splice(start + 1, end - start - 1, ...printed.trim().split('\n'))
  }
  return lines.join('\n')
}
