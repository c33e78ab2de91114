import type { VerdictKind } from '../rows/rows.js'

const ofBoxes = { accept: 'accepted', reject: 'rejected', redraw: 'redrawn', add: 'added' } as const
const ofPhrases = { complete: 'complete', incomplete: 'incomplete', unseen: 'not to be seen' } as const

/** How many verdicts of each kind there are, in words; empty where there is none. */
export function verdictsText(kinds: Readonly<Partial<Record<string, number>>>): string {
  const said = (words: Readonly<Partial<Record<VerdictKind, string>>>) =>
    Object.entries(words)
      .flatMap(([kind, word]) => (kinds[kind] ? [`${kinds[kind]} ${word}`] : []))
      .join(', ')
  const [boxes, phrases] = [said(ofBoxes), said(ofPhrases)]
  return [...(boxes ? [boxes] : []), ...(phrases ? [`phrases: ${phrases}`] : [])].join('; ')
}
