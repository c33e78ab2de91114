import { isOfBox, type ReviewEntry } from './review-entry.js'

/**
 * What holds of a review, in the order of time: without entries that were taken back, and of what a reviewer has said
 * of one thing the latest. A thing is a box of a phrase, a phrase, or a picture; two reviewers never supersede each
 * other. In whatever order the entries come, the same holds.
 */
export function reviewsOf(entries: readonly ReviewEntry[]): readonly ReviewEntry[] {
  const known = new Map<string, ReviewEntry>()
  for (const entry of [...entries].sort(compareEntries)) if (!known.has(entry.id)) known.set(entry.id, entry)
  const inOrder = [...known.values()]
  const undone = undoneOf(inOrder, known)
  const latest = new Map<string, ReviewEntry>()
  for (const entry of inOrder) {
    if (entry.action === 'undo' || undone.has(entry.id)) continue
    const thing = thingOf(entry)
    // What is set anew goes to the end: the order is that of time.
    latest.delete(thing)
    latest.set(thing, entry)
  }
  return [...latest.values()]
}

/** Ids of what was taken back. An undo can be taken back as well, by a later one. */
function undoneOf(inOrder: readonly ReviewEntry[], known: ReadonlyMap<string, ReviewEntry>): Set<string> {
  const undone = new Set<string>()
  for (const undo of inOrder.filter(({ action }) => action === 'undo').reverse()) {
    const target = undo.undoes === null ? undefined : known.get(undo.undoes)
    // Nobody takes back what another one has said.
    if (target && target.reviewer === undo.reviewer && !undone.has(undo.id)) undone.add(target.id)
  }
  return undone
}

/** By time; of one time by session and number. */
export function compareEntries(a: ReviewEntry, b: ReviewEntry): number {
  const [aTime, bTime] = [Date.parse(a.at), Date.parse(b.at)]
  if (aTime !== bTime) return aTime - bTime
  const [aSession, bSession] = [sessionOf(a.id), sessionOf(b.id)]
  if (aSession !== bSession) return aSession < bSession ? -1 : 1
  return numberOf(a.id) - numberOf(b.id)
}

const sessionOf = (id: string) => id.slice(0, id.lastIndexOf('.'))
const numberOf = (id: string) => Number(id.slice(id.lastIndexOf('.') + 1))

/** Of whose words about what an entry is: a later one with the same supersedes it. */
function thingOf({ reviewer, key, action, phrase, xyxy }: ReviewEntry): string {
  if (action === 'done' || !phrase) return JSON.stringify([reviewer, key])
  const { caption, start, end } = phrase
  return JSON.stringify([reviewer, key, caption, start, end, isOfBox(action) ? xyxy : null])
}
