import { randomBytes } from 'node:crypto'
import { UserError } from '../base/user-error.js'
import type { Storage } from '../storage/storage.js'
import { compareEntries } from './effective-reviews.js'
import { readReviews } from './read-reviews.js'
import type { ReviewEntry } from './review-entry.js'
import { segmentPath } from './review-files.js'
import { isReviewer, longestReviewer } from './review-schema.js'

/**
 * An entry as it is given to the log, which says who and when. Who may send it again, or knows when it was said,
 * gives its id and its time: an id that is there already is not written once more.
 */
export type NewReviewEntry = Omit<ReviewEntry, 'id' | 'at' | 'reviewer'> &
  Partial<Pick<ReviewEntry, 'id' | 'at'>>

/** A reviewer's own part of a review's log. */
export interface ReviewLog {
  /** Random: its files are written by nobody else. */
  readonly session: string
  readonly reviewer: string
  /** The entries of all reviewers that were there when it was opened, and its own since, in order of time. */
  readonly entries: () => readonly ReviewEntry[]
  /**
   * Adds entries. When this returns they outlive a power cut; of several calls at once the first is written first.
   *
   * @returns them as they are in the log: one whose id was there already as it was written then
   * @throws where they cannot be written: with their ids they may be given again
   */
  append(entries: readonly NewReviewEntry[]): Promise<readonly ReviewEntry[]>
  /** Takes an entry of this reviewer back. */
  undo(entry: Pick<ReviewEntry, 'id' | 'key'>): Promise<ReviewEntry>
}

/** Behind it a time is no more written in the form that is read. */
const lastTime = Date.parse('9999-12-31T23:59:59.999Z')
/** Entries of a segment: each addition writes the last segment anew. */
const segmentEntries = 200

/**
 * Opens the log of a review for a reviewer; it comes to be with its first entry. The log of each session is its own:
 * two reviewers, two servers over one dataset, write different files.
 *
 * @throws UserError where the review or the reviewer cannot be called so, or its log is damaged and `notice` is not given
 */
export async function openReviewLog(
  storage: Storage,
  name: string,
  reviewer: string,
  notice?: (text: string) => void,
): Promise<ReviewLog> {
  if (!isReviewer(reviewer))
    throw new UserError(`A reviewer has a name of one line, up to ${longestReviewer} letters.`)
  const session = randomBytes(6).toString('hex')
  const known = new Map((await readReviews(storage, name, notice)).map((entry) => [entry.id, entry]))
  // What is said now supersedes what was there, whatever the clock of the one who said that.
  let time = Math.max(0, ...[...known.values()].slice(-1).map(({ at }) => Date.parse(at)))
  let number = 0
  let segment = 1
  let written: readonly ReviewEntry[] = []
  let writing: Promise<unknown> = Promise.resolve()

  const complete = (entry: NewReviewEntry): ReviewEntry => {
    if (entry.at === undefined) time = Math.min(lastTime, Math.max(Date.now(), time + 1))
    const { id = `${session}.${++number}`, at = new Date(time).toISOString() } = entry
    const { key, action, phrase, xyxy, redrawn, words, stage, undoes } = entry
    return { id, at, reviewer, key, action, phrase, xyxy, redrawn, words, stage, undoes }
  }
  const write = async (given: readonly NewReviewEntry[]): Promise<readonly ReviewEntry[]> => {
    const answers = new Map<string, ReviewEntry>()
    const fresh: ReviewEntry[] = []
    const all = given.map((one) => {
      const before = one.id === undefined ? undefined : (known.get(one.id) ?? answers.get(one.id))
      const entry = before ?? complete(one)
      if (!before) fresh.push(entry)
      answers.set(entry.id, entry)
      return entry
    })
    for (let at = 0; at < fresh.length; ) {
      if (written.length >= segmentEntries) {
        segment++
        written = []
      }
      const part = fresh.slice(at, at + segmentEntries - written.length)
      const lines = [...written, ...part]
      await storage.write(
        segmentPath(name, session, segment),
        lines.map((entry) => `${JSON.stringify(entry)}\n`).join(''),
      )
      written = lines
      for (const entry of part) known.set(entry.id, entry)
      at += part.length
    }
    return all
  }
  const append = (entries: readonly NewReviewEntry[]): Promise<readonly ReviewEntry[]> => {
    const mine = writing.then(() => write(entries))
    writing = mine.catch(() => undefined)
    return mine
  }
  return {
    session,
    reviewer,
    entries: () => [...known.values()].sort(compareEntries),
    append,
    async undo({ id, key }) {
      const nothing = { phrase: null, xyxy: null, redrawn: null, words: null, stage: null }
      const [entry] = await append([{ key, action: 'undo', undoes: id, ...nothing }])
      return entry as ReviewEntry
    },
  }
}
