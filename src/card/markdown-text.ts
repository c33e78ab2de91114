import { plainLines, plainText } from '../base/plain-text.js'

/** A text as a part of a line of Markdown: white space is one space, and `<` begins no HTML. */
export const inline = (text: string): string =>
  plainText(text.trim().replace(/\s+/g, ' ')).replaceAll('<', '&lt;')

/** A text as code within a line, whatever backticks it has. */
export function code(text: string): string {
  const line = plainText(text.replace(/\s+/g, ' '))
  const marks = '`'.repeat(1 + longestRun(line, '`'))
  return marks.length === 1 ? `\`${line}\`` : `${marks} ${line} ${marks}`
}

/** A text as a block of code, whatever fences it has. */
export function codeBlock(text: string): string {
  const fence = '`'.repeat(Math.max(3, 1 + longestRun(text, '`')))
  return `${fence}\n${plainLines(text)}\n${fence}`
}

/**
 * Paragraphs that somebody wrote in Markdown: nothing of what follows becomes a part of them, as it would of a block of
 * code that is not closed, or of a comment of HTML.
 */
export function paragraphs(text: string): string {
  const lines = plainLines(text.trim()).replaceAll('<', '&lt;').split('\n')
  let open = ''
  for (const line of lines) {
    const [, marks = '', rest = ''] = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line) ?? []
    if (marks === '') continue
    if (open === '') open = marks.startsWith('~') || !rest.includes('`') ? marks : ''
    else if (marks.startsWith(open) && rest.trim() === '') open = ''
  }
  return open === '' ? lines.join('\n') : `${lines.join('\n')}\n${open}`
}

function longestRun(text: string, mark: string): number {
  let [longest, run] = [0, 0]
  for (const character of text) {
    run = character === mark ? run + 1 : 0
    longest = Math.max(longest, run)
  }
  return longest
}
