import { shownName } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { stageName } from '../rows/stage-name.js'
import type { Storage } from '../storage/storage.js'

/** The folder of a dataset in which reviews lie. */
export const reviewsFolder = 'reviews'

/** Whether a review may be called so: as stages are. */
export const isReviewName = (name: string): boolean => stageName.safeParse(name).success

/**
 * The folder of a review.
 *
 * @throws UserError where it cannot be called so
 */
export function reviewFolder(name: string): string {
  if (isReviewName(name)) return `${reviewsFolder}/${name}`
  throw new UserError(
    `${shownName(name)} cannot name a review: lower-case letters, digits and hyphens can, up to 128.`,
  )
}

/** The file of a segment of a session's log: `reviews/first/5f0c2a917be3.0001.jsonl`. */
export const segmentPath = (name: string, session: string, segment: number): string =>
  `${reviewFolder(name)}/${session}.${String(segment).padStart(4, '0')}.jsonl`

/** The review that an object of the dataset is a segment of; undefined where it is none. */
export function reviewOfPath(path: string): string | undefined {
  const [, name] = /^reviews\/([^/]+)\/[A-Za-z0-9_-]{1,64}\.\d{4,9}\.jsonl$/.exec(path) ?? []
  return name !== undefined && isReviewName(name) ? name : undefined
}

/** The names of a dataset's reviews, sorted. */
export async function listReviews(storage: Storage): Promise<readonly string[]> {
  const names = new Set<string>()
  for (const path of await storage.list(reviewsFolder)) {
    const name = reviewOfPath(path)
    if (name !== undefined) names.add(name)
  }
  return [...names].sort()
}
