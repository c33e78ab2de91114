import { type Agreement, agreementOf } from './agreement.js'
import { reviewsOf } from './effective-reviews.js'
import type { ReviewAction, ReviewEntry } from './review-entry.js'

export type ReviewCounts = Readonly<Record<Exclude<ReviewAction, 'done' | 'undo'>, number>>

/** What a reviewer has done in a review. */
export interface ReviewerStatus {
  readonly reviewer: string
  /** Lines of the log. */
  readonly entries: number
  /** Pictures of which something holds, and those that were marked as looked at. */
  readonly pictures: number
  readonly done: number
  /** What holds, by what was said. */
  readonly said: ReviewCounts
  /** Verdicts an hour of work; null where it cannot be told: all came at one time. */
  readonly anHour: number | null
  /** When the first and the last entry were made, in ISO 8601. */
  readonly first: string
  readonly last: string
}

export interface ReviewStatus {
  readonly name: string
  readonly entries: number
  readonly pictures: number
  readonly reviewers: readonly ReviewerStatus[]
  readonly agreement: Agreement
}

/** Who says nothing for longer has done something else meanwhile: five minutes. */
const longestPause = 300_000

/** @param entries all of a review, as `readReviews` gives them */
export function reviewStatus(name: string, entries: readonly ReviewEntry[]): ReviewStatus {
  const effective = reviewsOf(entries)
  const names = [...new Set(entries.map(({ reviewer }) => reviewer))].sort()
  return {
    name,
    entries: entries.length,
    pictures: picturesOf(effective),
    reviewers: names.map((reviewer) => {
      const mine = (entry: ReviewEntry) => entry.reviewer === reviewer
      return reviewerStatus(reviewer, entries.filter(mine), effective.filter(mine))
    }),
    agreement: agreementOf(effective),
  }
}

function reviewerStatus(
  reviewer: string,
  entries: readonly ReviewEntry[],
  effective: readonly ReviewEntry[],
): ReviewerStatus {
  const countOf = (action: ReviewAction) => effective.filter((entry) => entry.action === action).length
  return {
    reviewer,
    entries: entries.length,
    pictures: picturesOf(effective),
    done: countOf('done'),
    said: {
      ...{ accept: countOf('accept'), reject: countOf('reject'), redraw: countOf('redraw') },
      ...{ add: countOf('add'), relabel: countOf('relabel'), complete: countOf('complete') },
      ...{ incomplete: countOf('incomplete'), unseen: countOf('unseen') },
    },
    anHour: verdictsAnHour(entries),
    first: entries[0]?.at ?? '',
    last: entries.at(-1)?.at ?? '',
  }
}

const picturesOf = (entries: readonly ReviewEntry[]) => new Set(entries.map(({ key }) => key)).size

/** By the times between a verdict and the next, without pauses: the first one has none. */
function verdictsAnHour(entries: readonly ReviewEntry[]): number | null {
  const times = entries
    .filter(({ action }) => action !== 'done' && action !== 'undo')
    .map(({ at }) => Date.parse(at))
  let [verdicts, worked] = [0, 0]
  for (const [at, time] of times.entries()) {
    const since = time - (times[at - 1] ?? Number.NEGATIVE_INFINITY)
    if (since > longestPause) continue
    verdicts++
    worked += since
  }
  return worked === 0 ? null : (verdicts * 3_600_000) / worked
}
