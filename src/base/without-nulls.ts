/**
 * A value of JSON without the keys of its objects that are null, at any depth: in what strangers' programs
 * write, null says that there is nothing (FiftyOne writes `license: null`), as an absent key does. Elements of
 * lists stay, since their place counts.
 */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return hasNulls(value) ? value.map(withoutNulls) : value
  if (value === null || typeof value !== 'object') return value
  if (!hasNulls(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, part]) => (part === null ? [] : [[key, withoutNulls(part)]])),
  )
}

/** Most values have none, and outlines have many numbers: they are given back as they are. */
function hasNulls(value: object): boolean {
  if (Array.isArray(value)) return value.some((part) => typeof part === 'object' && part && hasNulls(part))
  for (const part of Object.values(value))
    if (part === null || (typeof part === 'object' && hasNulls(part))) return true
  return false
}
