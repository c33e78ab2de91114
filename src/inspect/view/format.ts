const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** 12,345. */
export const count = (value: number): string => numbers.format(value)

/** "1 box", "2 boxes". */
export const counted = (value: number, one: string, more: string): string =>
  `${count(value)} ${value === 1 ? one : more}`

/** The address where it is one of the web; null for all else, such as `javascript:`. */
export function webAddress(url: string | null): string | null {
  if (url === null) return null
  try {
    const { protocol, href } = new URL(url)
    return protocol === 'http:' || protocol === 'https:' ? href : null
  } catch {
    return null
  }
}
