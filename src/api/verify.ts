/**
 * Second opinions: judges of boxes and phrases, and what people have said in reviews.
 *
 * @example
 * ```ts
 * import { readReviews, reviewsOf } from 'groundmill/verify'
 * import { openDataset } from 'groundmill/dataset'
 *
 * const { storage } = await openDataset('runs/quickstart/gold')
 * for (const { key, reviewer, action, phrase } of reviewsOf(await readReviews(storage, 'first')))
 *   console.log(key, reviewer, action, phrase?.text)
 * ```
 *
 * @module groundmill/verify
 */

export type { Xyxy } from '../boxes/xyxy.js'
export { reviewsOf } from '../review/effective-reviews.js'
export { readReviews } from '../review/read-reviews.js'
export {
  type ReviewAction,
  type ReviewEntry,
  type ReviewedPhrase,
  reviewActions,
} from '../review/review-entry.js'
export type { Caption, Phrase, Verdict, VerdictKind } from '../rows/rows.js'
export type { VerifyConfig } from '../verify/config.js'
export {
  type AskedBox,
  type AskedPicture,
  boxVerdict,
  type Judge,
  type Judged,
  phraseVerdict,
  type Question,
  type Unanswered,
} from '../verify/judge/judge.js'
export type { JudgeConfig } from '../verify/judges.js'
export { openNetworkJudge } from '../verify/network/open-network-judge.js'
