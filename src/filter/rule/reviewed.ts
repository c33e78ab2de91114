import type { Candidate } from './rule.js'

const prefix = 'review:'

/** What a box says that is of a person: who. */
export const reviewOrigin = (reviewer: string): string => `${prefix}${reviewer}`

/** Whether a person has accepted, redrawn or added a box. */
export const isReviewed = ({ origin }: Pick<Candidate, 'origin'>): boolean =>
  origin?.startsWith(prefix) ?? false
