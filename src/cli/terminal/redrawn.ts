import { plainLines } from '../../base/plain-text.js'

/**
 * Draws a text over the last one, each line cut to the width of the terminal.
 *
 * @returns draws it
 */
export function redrawn(stream: Pick<NodeJS.WriteStream, 'write' | 'columns' | 'rows'>) {
  let height = 0
  return (text: string): void => {
    const width = (stream.columns || 100) - 1
    const lines = plainLines(text)
      .split('\n')
      .slice(0, (stream.rows || 40) - 1)
    const cut = lines.map((line) => [...line].slice(0, width).join(''))
    // Up to where the last one began, and away with what stands from there on.
    const back = height > 0 ? `\u001b[${height}A\r\u001b[J` : ''
    stream.write(`${back}${cut.join('\n')}\n`)
    height = cut.length
  }
}
