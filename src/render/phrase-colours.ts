/**
 * Colours far apart from each other, each with a contrast of 4.5 or more to white (WCAG AA), since they
 * colour words on white and stand behind white words. The first eight after Okabe and Ito (2008), darkened.
 */
export const palette = [
  '#c04c00',
  '#0067a8',
  '#007a58',
  '#b8307a',
  '#8a6500',
  '#5b3fd6',
  '#0b7a91',
  '#8c2d04',
  '#4d7d12',
  '#c2182c',
  '#93369e',
  '#475a68',
]

/** A colour for each phrase text, letter case aside; those beyond the palette begin anew. */
export function phraseColours(texts: Iterable<string>): (text: string) => string {
  const places = new Map<string, number>()
  for (const text of texts) {
    const key = text.toLowerCase()
    if (!places.has(key)) places.set(key, places.size)
  }
  return (text) => palette[(places.get(text.toLowerCase()) ?? 0) % palette.length]!
}
