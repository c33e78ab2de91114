import { z } from 'zod'
import { isName } from '../rows/family-path.js'
import { isOfBox, type ReviewEntry, reviewActions } from './review-entry.js'

/** Letters of a reviewer's name, and of the words of a phrase as an entry has them. */
export const longestReviewer = 128
export const longestWords = 20_000

const whole = z.number().int().min(0)
const box = z
  .tuple([z.number(), z.number(), z.number(), z.number()])
  .refine(([x1, y1, x2, y2]) => x2 > x1 && y2 > y1, 'a box is [x1, y1, x2, y2] with x2 > x1 and y2 > y1')
const span = (value: { readonly start: number; readonly end: number }) => value.end > value.start
const spanNeeded = 'its end must be behind its start'

/** What an entry is called: its session, a dot, and a number. */
export const entryId = z.string().regex(/^[A-Za-z0-9_-]{1,64}\.\d{1,15}$/, 'expected SESSION.NUMBER')

/** Whether a text can be a reviewer's name: a line of it, with something to read. */
export const isReviewer = (name: string): boolean =>
  name.trim() !== '' && name.length <= longestReviewer && !/\p{Cc}/u.test(name)

const needs = (what: string) => `an entry of this action needs ${what}`

/** A line of a review's log. Keys that newer versions write are passed over. */
export const reviewSchema: z.ZodType<ReviewEntry> = z
  .object({
    id: entryId,
    at: z.iso.datetime({ error: 'expected a time such as 2025-01-31T12:00:00.000Z' }),
    reviewer: z.string().refine(isReviewer, `expected a name of up to ${longestReviewer} letters`),
    key: z.string().refine((key) => isName(key), 'expected the key of a picture'),
    action: z.enum(reviewActions),
    phrase: z
      .object({ caption: whole, start: whole, end: whole, text: z.string().max(longestWords) })
      .refine(span, spanNeeded)
      .nullable()
      .default(null),
    xyxy: box.nullable().default(null),
    redrawn: box.nullable().default(null),
    words: z.object({ start: whole, end: whole }).refine(span, spanNeeded).nullable().default(null),
    stage: z.string().max(longestReviewer).nullable().default(null),
    undoes: entryId.nullable().default(null),
  })
  .refine(({ action, undoes }) => action !== 'undo' || undoes !== null, needs('`undoes`'))
  .refine(({ action, phrase }) => isWhole(action) || phrase !== null, needs('`phrase`'))
  .refine(({ action, xyxy }) => !isOfBox(action) || xyxy !== null, needs('`xyxy`'))
  .refine(({ action, redrawn }) => action !== 'redraw' || redrawn !== null, needs('`redrawn`'))
  .refine(({ action, words }) => action !== 'relabel' || words !== null, needs('`words`'))

const isWhole = (action: ReviewEntry['action']): boolean => action === 'done' || action === 'undo'
