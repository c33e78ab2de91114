/**
 * A text as all that say the same have it: lower case, composed, single spaces. Exact statistics say the same in SQL,
 * where every sigma becomes the same one.
 */
export const sameText = (text: string): string =>
  text.normalize('NFC').replaceAll('Σ', 'σ').toLowerCase().trim().replace(/\s+/g, ' ')
