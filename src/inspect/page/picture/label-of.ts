import type { Grounded, SampleBox } from '../../view/answers.js'

/** The words that a box is kept for: its phrase, or the part of it that a rule has left. */
export function labelOf({ phrases }: Grounded, { phrase, relabelled }: SampleBox): string {
  const named = phrases[phrase]
  if (!named) return ''
  if (!relabelled) return named.text
  return [...named.text].slice(relabelled.start - named.start, relabelled.end - named.start).join('')
}

/** What became of a box's label, in words; undefined where it is the whole phrase. */
export function relabelledText(grounded: Grounded, box: SampleBox): string | undefined {
  const { relabelled } = box
  if (!relabelled) return undefined
  return `as “${labelOf(grounded, box)}” (relabelled${relabelled.rule === null ? '' : `: ${relabelled.rule}`})`
}
