/**
 * Whether tests of kills and races try all of their moments, and round trips and intervals all of their cases, as
 * `npm run verify:faults` has them do; `npm test` tries some of each kind.
 */
export const isThorough = process.env.GROUNDMILL_FAULTS === 'all'

/** What `npm test` tries, or all that there is. */
export const some = <T>(few: T, all: T): T => (isThorough ? all : few)
