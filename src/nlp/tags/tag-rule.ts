import type { TaggedToken } from './tag.js'

/**
 * The new tag of the token at a place in its caption, or undefined to leave it. Looks a bounded way around.
 */
export type TagRule = (tokens: readonly TaggedToken[], at: number) => string | undefined
