import type { Difference } from './content.js'
import type { Ended } from './disturbed.js'

/** What became of all tries of one kind of fault. */
export interface FaultCount {
  readonly fault: string
  tries: number
  /** Files of the data that a rerun did not bring back as an undisturbed run makes them. */
  lost: number
  /** Files of the data that an undisturbed run does not have. */
  doubled: number
  /** Tries after which the same command, run again, did not end with 0 in its time. */
  stuck: number
  /** Files that were left half done. */
  aside: number
  /** Seconds that the tries took, of all that ran at once. */
  seconds: number
  /** What was wrong, of the first few. */
  readonly wrong: string[]
}

const mostTold = 12

export const countOf = (fault: string): FaultCount => ({
  ...{ fault, tries: 0, lost: 0, doubled: 0, stuck: 0, aside: 0, seconds: 0, wrong: [] },
})

/** Adds a try: what the command that was run again did, and what is there then. */
export function addTry(
  count: FaultCount,
  where: string,
  { again, lost, doubled, aside }: Difference & { readonly again: Ended },
): void {
  count.tries++
  count.lost += lost.length
  count.doubled += doubled.length
  count.aside += aside.length
  const isStuck = again.code !== 0
  if (isStuck) count.stuck++
  if (isStuck) tell(count, `${where}: run again it ended with ${again.code}: ${lastLine(again.err)}`)
  for (const [what, names] of Object.entries({ lost, doubled, aside }))
    if (names.length > 0) tell(count, `${where}: ${what}: ${names.slice(0, 3).join(', ')}`)
}

/** Notes something that is wrong. */
export function tell(count: FaultCount, text: string): void {
  if (count.wrong.length < mostTold) count.wrong.push(text)
}

export const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? ''
