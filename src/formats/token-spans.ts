/** Code points of a caption, half open. */
export type TokenSpan = readonly [number, number]

/**
 * The spans of a `tokens_positive`: a list of pairs, or one pair alone, as older files have it.
 *
 * @returns none where there is no value, undefined where it is neither
 */
export function tokenSpans(value: unknown): readonly TokenSpan[] | undefined {
  if (value === undefined) return []
  if (!Array.isArray(value)) return undefined
  const spans: readonly unknown[] = typeof value[0] === 'number' ? [value] : value
  return spans.every(isSpan) ? spans : undefined
}

const isSpan = (value: unknown): value is TokenSpan =>
  Array.isArray(value) && value.length === 2 && value.every(Number.isSafeInteger)
