/** Values that the first protocol of pickle writes as text. */

/** A whole number; a bigint where a number would not be exact. Throws an Error where it is none. */
export function wholeNumber(digits: string): number | bigint {
  if (!/^-?\d{1,400}$/.test(digits)) throw new Error(`"${digits.slice(0, 40)}" is not a whole number`)
  const number = Number(digits)
  return Number.isSafeInteger(number) ? number : BigInt(digits)
}

const signs: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\n': '' }

/**
 * A text as Python 2's repr wrote it: its escapes are bytes, and the bytes UTF-8. Throws an Error where it
 * has no quotes.
 */
export function unquoted(repr: string): string {
  const [quote = ''] = repr
  if (repr.length < 2 || (quote !== "'" && quote !== '"') || !repr.endsWith(quote))
    throw new Error('a text has no quotes')
  const latin1 = repr
    .slice(1, -1)
    .replace(/\\(x[0-9a-fA-F]{2}|[\s\S])/g, (_, sign: string) =>
      sign.length === 3 ? String.fromCharCode(Number.parseInt(sign.slice(1), 16)) : (signs[sign] ?? sign),
    )
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

/** A text as Python wrote it with raw-unicode-escape. Throws an Error where an escape is no character. */
export function unescaped(raw: string): string {
  return raw.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short?: string, long?: string) =>
    String.fromCodePoint(Number.parseInt((short ?? long) as string, 16)),
  )
}
