/** What a reader does with a block of a document: write a file, or give commands. */
export type DocBlock = { readonly line: number } & (
  | { readonly does: 'file'; readonly name: string; readonly text: string }
  | { readonly does: 'commands'; readonly text: string; readonly output: string | null }
)

interface Fence {
  readonly line: number
  readonly language: string
  readonly text: string
  /** In the line above: why nobody can follow it here. */
  readonly skipped: boolean
}

/**
 * The blocks of a document that its reader follows, in their order: those in `sh` are commands, a block in `text` right
 * behind them is what they print, and a block of any other language that begins with a comment which is a name
 * (`# photos.yaml`, `// label.ts`) is the file of that name. `<!-- skip: why -->` above a block takes it out.
 */
export function docBlocks(markdown: string): DocBlock[] {
  const all = fences(markdown)
  return all.flatMap(({ line, language, text, skipped }, at): DocBlock[] => {
    if (skipped) return []
    if (language === 'sh') {
      const next = all[at + 1]
      return [{ does: 'commands', line, text, output: next?.language === 'text' ? next.text : null }]
    }
    const name = /^(?:#|\/\/) ([\w./-]+\.\w+)$/m.exec(text.split('\n', 1)[0] ?? '')?.[1]
    return name === undefined ? [] : [{ does: 'file', line, name, text: `${text}\n` }]
  })
}

function fences(markdown: string): Fence[] {
  const lines = markdown.split('\n')
  const found: Fence[] = []
  for (let at = 0; at < lines.length; at++) {
    const language = /^```(\w*)/.exec(lines[at] ?? '')?.[1]
    if (language === undefined) continue
    const end = lines.indexOf('```', at + 1)
    if (end === -1) throw new Error(`line ${at + 1}: this block has no end.`)
    const above = lines.slice(0, at).findLast((line) => line !== '')
    found.push({
      line: at + 1,
      language,
      text: lines.slice(at + 1, end).join('\n'),
      skipped: above?.startsWith('<!-- skip:') ?? false,
    })
    at = end
  }
  return found
}
