const start = 'review:'

/** The origin of a box that a person has accepted, drawn or added. */
export const reviewOrigin = (reviewer: string): string => `${start}${reviewer}`

/** Whether a person, and no teacher, gave a box. */
export const isReviewOrigin = (origin: string | undefined): boolean => origin?.startsWith(start) ?? false
