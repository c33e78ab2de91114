import { inline } from './markdown-text.js'

type Cell = string | number | null

/** A table of GitHub's Markdown; numbers stand to the right. Bars, backslashes and line ends in cells are kept from breaking it. */
export function markdownTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const isNumber = (at: number) => rows.length > 0 && rows.every((row) => typeof row[at] === 'number')
  const line = (cells: readonly Cell[]) => `| ${cells.map(cellText).join(' | ')} |`
  return [
    line(head),
    `| ${head.map((_, at) => (isNumber(at) ? '---:' : '---')).join(' | ')} |`,
    ...rows.map(line),
  ].join('\n')
}

const cellText = (cell: Cell) => (cell === null ? '' : inline(String(cell)).replaceAll(/[\\|]/g, '\\$&'))
