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

/** Most values have none: they are given back as they are. */
function hasNulls(value: object): boolean {
  const isList = Array.isArray(value)
  return Object.values(value).some((part) =>
    part === null ? !isList : typeof part === 'object' && hasNulls(part),
  )
}
