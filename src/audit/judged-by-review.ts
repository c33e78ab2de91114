import { iou } from '../boxes/iou.js'
import type { Xyxy } from '../boxes/xyxy.js'
import type { ReviewEntry } from '../review/review-entry.js'
import type { Judgement } from './judgements.js'

/** A box was shown cut off at the picture's edge: it is the one that overlaps by so much at least. */
const sameBox = 0.9
/** A box that is drawn anew names the thing all the same where it overlaps by so much, as in an evaluation. */
const rightBox = 0.5

/**
 * A sample with `right`, and `missed`, as people have said in a review; what the file itself says stays. Of several
 * reviewers most decide; where they are even, nothing is judged.
 *
 * @param effective what holds of the review, as `reviewsOf` gives it
 */
export function judgedByReview(
  judgements: readonly Judgement[],
  effective: readonly ReviewEntry[],
): Judgement[] {
  const byKey = new Map<string, ReviewEntry[]>()
  for (const entry of effective) {
    const own = byKey.get(entry.key)
    if (own) own.push(entry)
    else byKey.set(entry.key, [entry])
  }
  return judgements.map((judgement) => {
    const said = (byKey.get(judgement.key) ?? []).filter((entry) => isAbout(entry, judgement))
    const right = judgement.right ?? (judgement.xyxy ? majority(rightOf(said, judgement.xyxy as Xyxy)) : null)
    return { ...judgement, right, missed: judgement.missed ?? missedOf(said) }
  })
}

/** Whether an entry is of the phrase whose words, or a part of them, a label has. */
const isAbout = ({ phrase }: ReviewEntry, { caption, start, end }: Judgement): boolean =>
  phrase !== null && phrase.caption === caption && phrase.start <= start && phrase.end >= end

function rightOf(said: readonly ReviewEntry[], box: Xyxy): boolean[] {
  return said.flatMap(({ action, xyxy, redrawn }) => {
    if (!xyxy || iou(xyxy, box) < sameBox) return []
    if (action === 'accept' || action === 'reject') return [action === 'accept']
    if (action === 'redraw' && redrawn) return [iou(redrawn, box) >= rightBox]
    return action === 'relabel' ? [false] : []
  })
}

function majority(votes: readonly boolean[]): boolean | null {
  const yes = votes.filter(Boolean).length
  return 2 * yes === votes.length ? null : 2 * yes > votes.length
}

/** Things that no box finds: those that a reviewer has added, where all are found with them. */
function missedOf(said: readonly ReviewEntry[]): number | null {
  const counts = said
    .filter(({ action }) => action === 'complete' || action === 'unseen')
    .map(
      ({ reviewer }) => said.filter((entry) => entry.reviewer === reviewer && entry.action === 'add').length,
    )
    .sort((a, b) => a - b)
  return counts[Math.floor((counts.length - 1) / 2)] ?? null
}
