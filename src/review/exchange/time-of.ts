/** A time that a file says, as ISO 8601 in UTC; null where it says none that is sensible, or one to come. */
export function timeOf(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > 64) return null
  const text = value.trim()
  // Without a zone it is UTC, as CVAT and Label Studio mean it.
  const isZoned = /(Z|[+-]\d{2}:?\d{2})$/i.test(text)
  const time = Date.parse(isZoned ? text : `${text.replace(' ', 'T')}Z`)
  if (!Number.isFinite(time) || time < 0) return null
  return new Date(Math.min(time, Date.now())).toISOString()
}
